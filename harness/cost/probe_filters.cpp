#include "harness/cost/probe_filters.hpp"

#include <limits>

#include "harness/live/asker.hpp"

namespace callgate::cost {
namespace {

constexpr std::uint16_t kLdAbs = 0x20;
constexpr std::uint16_t kAndK = 0x54;
constexpr std::uint16_t kJa = 0x05;
constexpr std::uint16_t kJeqK = 0x15;
constexpr std::uint16_t kRetK = 0x06;
constexpr std::uint16_t kRetA = 0x16;
constexpr std::uint32_t kNumberAt = 0;
constexpr std::uint32_t kArgumentAt = 16;

bool is_conditional(std::uint16_t code) { return (code & 7U) == 5 && code != kJa; }

}  // namespace

Program cached_filter() { return {{kRetK, 0, 0, kPlainAllow}}; }

Program uncached_filter() { return {{kLdAbs, 0, 0, kArgumentAt}, {kRetK, 0, 0, kPlainAllow}}; }

Program refusing_filter() { return {{kLdAbs, 0, 0, kArgumentAt}, {kRetK, 0, 0, kRefusal}}; }

Program chain_of_compares(std::size_t compares) {
  constexpr std::uint32_t kNoNumber = 0x4000'0000U;
  Program out = {{kLdAbs, 0, 0, kNumberAt}};
  for (std::size_t i = 0; i < compares; ++i) {
    const std::size_t left = compares - 1 - i;
    // A jump that nothing takes: to the next instruction but one, where there is one.
    out.push_back({kJeqK, static_cast<std::uint8_t>(left > 0 ? 1 : 0), 0,
                   kNoNumber + static_cast<std::uint32_t>(i)});
  }
  out.push_back({kRetK, 0, 0, kRefusal});
  return out;
}

Program refusing(std::span<const Instruction> program) {
  Program out(program.begin(), program.end());
  for (Instruction& each : out) {
    if (each.code == kRetK || each.code == kRetA) each = {kRetK, 0, 0, kRefusal};
  }
  return out;
}

Program refusing_unless_allowed(std::span<const Instruction> program) {
  Program out(program.begin(), program.end());
  for (Instruction& each : out) {
    if (each.code == kRetA || (each.code == kRetK && each.k != kPlainAllow)) {
      each = {kRetK, 0, 0, kRefusal};
    }
  }
  return out;
}

std::optional<std::vector<Program>> installable(std::vector<Program> oldest_first) {
  for (std::size_t i = 0; i + 1 < oldest_first.size(); ++i) {
    oldest_first[i] = live::passing(oldest_first[i]);
    if (oldest_first[i].size() > kMaxProgramLength) return std::nullopt;
  }
  return oldest_first;
}

std::optional<Program> with_masked_number(std::span<const Instruction> program,
                                          std::uint32_t mask) {
  const auto loads_number = [](const Instruction& i) {
    return i.code == kLdAbs && i.k == kNumberAt;
  };
  std::vector<std::size_t> place(program.size() + 1);
  for (std::size_t i = 0; i < program.size(); ++i) {
    place[i + 1] = place[i] + (loads_number(program[i]) ? 2 : 1);
  }
  if (place.back() > kMaxProgramLength) return std::nullopt;
  Program out;
  for (std::size_t at = 0; at < program.size(); ++at) {
    Instruction i = program[at];
    // From the end of what stands for this instruction to what stands for the target.
    const auto distance = [&](std::uint64_t skipped) -> std::optional<std::uint64_t> {
      const std::uint64_t target = at + 1 + skipped;
      if (target >= program.size()) return std::nullopt;
      return place[target] - place[at + 1];
    };
    if (i.code == kJa) {
      const auto far = distance(i.k);
      if (!far) return std::nullopt;
      i.k = static_cast<std::uint32_t>(*far);
    } else if (is_conditional(i.code)) {
      const auto taken = distance(i.jt);
      const auto passed = distance(i.jf);
      constexpr std::uint64_t kMost = std::numeric_limits<std::uint8_t>::max();
      if (!taken || !passed || *taken > kMost || *passed > kMost) return std::nullopt;
      i.jt = static_cast<std::uint8_t>(*taken);
      i.jf = static_cast<std::uint8_t>(*passed);
    }
    out.push_back(i);
    if (loads_number(program[at])) out.push_back({kAndK, 0, 0, mask});
  }
  return out;
}

}  // namespace callgate::cost
