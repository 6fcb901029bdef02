#include "harness/cost/probe_filters.hpp"

#include <algorithm>
#include <limits>

#include "harness/live/asker.hpp"
#include "vm/reference.hpp"

namespace callgate::cost {
namespace {

constexpr std::uint16_t kLdAbs = 0x20;
constexpr std::uint16_t kAndK = 0x54;
constexpr std::uint16_t kAddK = 0x04;
constexpr std::uint16_t kJa = 0x05;
constexpr std::uint16_t kJeqK = 0x15;
constexpr std::uint16_t kRetK = 0x06;
constexpr std::uint16_t kRetA = 0x16;
constexpr std::uint32_t kNumberAt = 0;
constexpr std::uint32_t kArgumentAt = 16;

constexpr std::size_t kFarthest = std::numeric_limits<std::uint8_t>::max();

bool is_conditional(std::uint16_t code) { return (code & 7U) == 5 && code != kJa; }

bool loads_number(const Instruction& i) { return i.code == kLdAbs && i.k == kNumberAt; }

// Which sides of a compare go by way of a jump of their own.
struct Grown {
  bool taken = false;
  bool passed = false;

  [[nodiscard]] std::size_t jumps() const { return (taken ? 1U : 0U) + (passed ? 1U : 0U); }
};

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

Program chain_of_jumps(std::size_t jumps) {
  constexpr std::uint32_t kNoNumber = 0x4000'0000U;
  Program out = {{kLdAbs, 0, 0, kNumberAt}};
  for (std::size_t i = 0; i < jumps; ++i) {
    out.push_back({kJeqK, 0, 1, kNoNumber + static_cast<std::uint32_t>(i)});
    out.push_back({kRetK, 0, 0, kRefusal});
  }
  out.push_back({kRetK, 0, 0, kRefusal});
  return out;
}

Program chain_of_additions(std::size_t additions) {
  Program out = {{kLdAbs, 0, 0, kNumberAt}};
  out.insert(out.end(), additions, {kAddK, 0, 0, 1});
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

bool lets_itself_be_installed(std::span<const Program> oldest_first, const KernelModel& model) {
  constexpr std::int32_t kSeccomp = 317;
  constexpr std::uint64_t kSetModeFilter = 1;
  SeccompData installing;
  installing.nr = kSeccomp;
  installing.arch = info(Arch::X86_64).token;
  installing.args = {kSetModeFilter, 0, 0, 0, 0, live::kPass};
  const auto allows = [&](const Program& each) {
    return reference::run(each, installing, model).value == kPlainAllow;
  };
  return oldest_first.empty() ||
         std::ranges::all_of(oldest_first.first(oldest_first.size() - 1), allows);
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
  // Far sides of compares go by way of a jump behind them, which moves what is behind: until none
  // becomes too far any more.
  std::vector<Grown> grown(program.size());
  std::vector<std::size_t> place(program.size() + 1);
  for (bool moved = true; moved;) {
    moved = false;
    for (std::size_t i = 0; i < program.size(); ++i) {
      place[i + 1] = place[i] + 1 + (loads_number(program[i]) ? 1 : 0) + grown[i].jumps();
    }
    if (place.back() > kMaxProgramLength) return std::nullopt;
    for (std::size_t i = 0; i < program.size(); ++i) {
      if (!is_conditional(program[i].code)) continue;
      const std::size_t taken = i + 1 + program[i].jt;
      const std::size_t passed = i + 1 + program[i].jf;
      if (std::max(taken, passed) >= program.size()) return std::nullopt;
      const Grown needed{grown[i].taken || place[taken] - place[i] - 1 > kFarthest,
                         grown[i].passed || place[passed] - place[i] - 1 > kFarthest};
      moved = moved || needed.jumps() != grown[i].jumps();
      grown[i] = needed;
    }
  }
  Program out;
  // From behind the next instruction to what stands for `target`.
  const auto distance = [&](std::size_t target) {
    return static_cast<std::uint32_t>(place[target] - out.size() - 1);
  };
  for (std::size_t at = 0; at < program.size(); ++at) {
    Instruction i = program[at];
    if (loads_number(i)) {
      out.insert(out.end(), {i, {kAndK, 0, 0, mask}});
      continue;
    }
    if (i.code == kJa) {
      const std::uint64_t target = std::uint64_t{at} + 1 + i.k;
      if (target >= program.size()) return std::nullopt;
      i.k = distance(target);
    }
    if (!is_conditional(i.code)) {
      out.push_back(i);
      continue;
    }
    const std::size_t taken = at + 1 + i.jt;
    const std::size_t passed = at + 1 + i.jf;
    i.jt = static_cast<std::uint8_t>(grown[at].taken ? 0 : distance(taken));
    i.jf =
        static_cast<std::uint8_t>(grown[at].passed ? (grown[at].taken ? 1 : 0) : distance(passed));
    out.push_back(i);
    if (grown[at].taken) out.push_back({kJa, 0, 0, distance(taken)});
    if (grown[at].passed) out.push_back({kJa, 0, 0, distance(passed)});
  }
  return out;
}

}  // namespace callgate::cost
