#include <algorithm>
#include <array>
#include <optional>

#include "harness/live/value_oracle.hpp"

namespace callgate::live {
namespace {

constexpr std::uint16_t kLdAbs = 0x20;
constexpr std::uint16_t kLdImm = 0x00;
constexpr std::uint16_t kLdMem = 0x60;
constexpr std::uint16_t kSt = 0x02;
constexpr std::uint16_t kTax = 0x07;
constexpr std::uint16_t kRshX = 0x7c;
constexpr std::uint16_t kRshK = 0x74;
constexpr std::uint16_t kAddK = 0x04;
constexpr std::uint16_t kAndK = 0x54;
constexpr std::uint16_t kOrK = 0x44;
constexpr std::uint16_t kJa = 0x05;
constexpr std::uint16_t kRetK = 0x06;
constexpr std::uint16_t kRetA = 0x16;
constexpr std::uint32_t kErrno = 0x50000;  // SECCOMP_RET_ERRNO

// The argument whose low word (little endian: the first) the program does not read.
std::optional<std::size_t> unread_argument(std::span<const Instruction> program) {
  std::uint32_t read = 0;
  for (const Instruction& i : program) {
    if (i.code == kLdAbs && i.k < kSeccompDataSize) read |= 1U << (i.k / 4);
  }
  for (std::size_t argument = 6; argument-- > 0;) {
    if ((read >> (4 + 2 * argument) & 1U) == 0) return argument;
  }
  return std::nullopt;
}

// Each constant that is returned becomes an errno: lengths and jumps stay as they are.
Rewritten by_index(std::span<const Instruction> program) {
  Rewritten out;
  out.kind = RewriteKind::ByIndex;
  Program& body = out.programs.emplace_back(program.begin(), program.end());
  for (const Instruction& i : program) {
    if (i.code == kRetK) out.constants.push_back(i.k);
  }
  std::ranges::sort(out.constants);
  const auto repeated = std::ranges::unique(out.constants);
  out.constants.erase(repeated.begin(), repeated.end());
  for (Instruction& i : body) {
    if (i.code != kRetK) continue;
    const auto place = std::ranges::lower_bound(out.constants, i.k) - out.constants.begin();
    i.k = kErrno | static_cast<std::uint32_t>(place);
  }
  return out;
}

// Each return jumps to a common end, which takes 12 bits of A for the errno; one of a constant by
// way of a load of it.
Program by_bits(std::span<const Instruction> program, std::optional<std::size_t> selector,
                std::uint32_t shift) {
  Program body(program.begin(), program.end());
  const auto constants = static_cast<std::size_t>(
      std::ranges::count_if(program, [](const Instruction& i) { return i.code == kRetK; }));
  const std::size_t end = program.size() + 2 * constants;
  std::size_t next = program.size();
  for (std::size_t at = 0; at < program.size(); ++at) {
    const Instruction i = program[at];
    if (i.code == kRetK) {
      body[at] = {kJa, 0, 0, static_cast<std::uint32_t>(next - at - 1)};
      body.push_back({kLdImm, 0, 0, i.k});
      body.push_back({kJa, 0, 0, static_cast<std::uint32_t>(end - next - 2)});
      next += 2;
    } else if (i.code == kRetA) {
      body[at] = {kJa, 0, 0, static_cast<std::uint32_t>(end - at - 1)};
    }
  }
  if (selector) {
    const auto offset = static_cast<std::uint32_t>(16 + 8 * *selector);
    body.insert(body.end(), {{kSt, 0, 0, 15},
                             {kLdAbs, 0, 0, offset},
                             {kTax, 0, 0, 0},
                             {kLdMem, 0, 0, 15},
                             {kRshX, 0, 0, 0}});
  } else {
    body.push_back({kRshK, 0, 0, shift});
  }
  body.insert(body.end(), {{kAndK, 0, 0, 0xfff}, {kOrK, 0, 0, kErrno}, {kRetA, 0, 0, 0}});
  return body;
}

// At its installation the kernel tries a filter on every call number, for the cache of those that
// are always allowed; the addition of 0, which changes nothing, stops it at once.
void keep_out_of_cache(Program& program) {
  if (!program.empty() && program.size() < kMaxProgramLength) {
    program.insert(program.begin(), {kAddK, 0, 0, 0});
  }
}

Rewritten rewritten(std::span<const Instruction> program) {
  const bool returns_a =
      std::ranges::any_of(program, [](const Instruction& i) { return i.code == kRetA; });
  if (!returns_a) return by_index(program);
  Rewritten out;
  const auto selector = unread_argument(program);
  out.kind = selector ? RewriteKind::Selected : RewriteKind::ThreeFold;
  out.selector = selector.value_or(0);
  for (const std::uint32_t shift : {0U, 12U, 24U}) {
    Program body = by_bits(program, selector, shift);
    if (body.size() > kMaxProgramLength) return {};
    out.programs.push_back(std::move(body));
    if (selector) break;
  }
  return out;
}

}  // namespace

Rewritten rewrite(std::span<const Instruction> program) {
  Rewritten out = rewritten(program);
  for (Program& each : out.programs) keep_out_of_cache(each);
  return out;
}

}  // namespace callgate::live
