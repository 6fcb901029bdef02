#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <utility>

#include "harness/front_ends/lower.hpp"
#include "harness/front_ends/program_reader.hpp"
#include "vm/opcodes.hpp"

namespace callgate::front_ends {
namespace {

constexpr std::uint32_t kX32Bit = 0x40000000U;
constexpr std::uint32_t kNoCall = 0xffffffffU;
constexpr std::size_t kReach = 255;  // of a conditional jump

Instruction make(Opcode opcode, std::uint32_t k, std::uint8_t jt = 0, std::uint8_t jf = 0) {
  return {static_cast<std::uint16_t>(opcode), jt, jf, k};
}

// The instructions of one test; jumps go to the test's end (all held so far) or to Fail, which
// stands until the rule's end is known.
class RuleCode {
 public:
  RuleCode(ByteOrder order, bool low_words) : order_(order), low_words_(low_words) {}

  void add(const ArgTest& test) {
    const auto high = [](std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32U); };
    const auto low = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
    // What is equal in its high word is decided by the low one.
    if (!low_words_ && (high(test.mask) != 0 || high(test.value) != 0)) {
      load(test.index, true, high(test.mask));
      switch (test.comparison) {
        case Comparison::Equal:
          jump(Opcode::JeqK, high(test.value), Next, Fail);
          break;
        case Comparison::NotEqual:
          jump(Opcode::JeqK, high(test.value), Next, Pass);
          break;
        case Comparison::Greater:
        case Comparison::GreaterEqual:
          jump(Opcode::JgtK, high(test.value), Pass, Next);
          jump(Opcode::JeqK, high(test.value), Next, Fail);
          break;
        case Comparison::Less:
        case Comparison::LessEqual:
          jump(Opcode::JgtK, high(test.value), Fail, Next);
          jump(Opcode::JeqK, high(test.value), Next, Pass);
          break;
      }
    }
    load(test.index, false, low(test.mask));
    switch (test.comparison) {
      case Comparison::Equal:
        jump(Opcode::JeqK, low(test.value), Next, Fail);
        break;
      case Comparison::NotEqual:
        jump(Opcode::JeqK, low(test.value), Fail, Next);
        break;
      case Comparison::Greater:
        jump(Opcode::JgtK, low(test.value), Next, Fail);
        break;
      case Comparison::GreaterEqual:
        jump(Opcode::JgeK, low(test.value), Next, Fail);
        break;
      case Comparison::Less:
        jump(Opcode::JgeK, low(test.value), Fail, Next);
        break;
      case Comparison::LessEqual:
        jump(Opcode::JgtK, low(test.value), Fail, Next);
        break;
    }
    for (Jump& each : jumps_) {
      if (each.yes == Pass) each.yes = code_.size();
      if (each.no == Pass) each.no = code_.size();
    }
  }

  // The rule's code: what fails goes behind the return.
  Program finish(std::uint32_t value) {
    code_.push_back(make(Opcode::RetK, value));
    for (const Jump& each : jumps_) {
      const auto distance = [&](std::size_t target) {
        const std::size_t to = target == Fail   ? code_.size()
                               : target == Next ? each.at + 1
                                                : target;
        return static_cast<std::uint8_t>(to - each.at - 1);
      };
      code_[each.at].jt = distance(each.yes);
      code_[each.at].jf = distance(each.no);
    }
    return std::move(code_);
  }

 private:
  enum Target : std::size_t { Next = kMaxReadLength + 1, Pass, Fail };
  struct Jump {
    std::size_t at;
    std::size_t yes;
    std::size_t no;
  };

  void load(unsigned index, bool high, std::uint32_t mask) {
    const bool second = high == (order_ == ByteOrder::Little);
    code_.push_back(make(Opcode::LdAbs, 16 + 8 * index + (second ? 4 : 0)));
    if (mask != 0xffffffffU) code_.push_back(make(Opcode::AndK, mask));
  }

  void jump(Opcode opcode, std::uint32_t k, std::size_t yes, std::size_t no) {
    jumps_.push_back({code_.size(), yes, no});
    code_.push_back(make(opcode, k));
  }

  ByteOrder order_;
  bool low_words_;
  Program code_;
  std::vector<Jump> jumps_;
};

// Behind a test of A that fails, `skipped` instructions are left out.
void guard(Program& out, Opcode opcode, std::uint32_t k, std::size_t skipped) {
  if (skipped <= kReach) {
    out.push_back(make(opcode, k, 0, static_cast<std::uint8_t>(skipped)));
    return;
  }
  out.push_back(make(opcode, k, 1, 0));
  out.push_back(make(Opcode::Ja, static_cast<std::uint32_t>(skipped)));
}

// All of one ABI: `nr` is loaded, and everything ends in a return.
Program plain_section(const Policy& policy, Arch arch) {
  Program out;
  for (const CallRules& each : rules_by_call(policy, arch)) {
    const Program body = lower_rules(each, policy.default_value, arch);
    guard(out, Opcode::JeqK, each.nr, body.size());
    std::ranges::copy(body, std::back_inserter(out));
  }
  out.push_back(make(Opcode::RetK, policy.default_value));
  return out;
}

using Section = std::function<Program(Arch)>;

// x86_64 and x32 have one token: numbers from bit 30 on are x32's, but -1 is x86_64's.
Program x86_64_section(const Policy& policy, const Section& section, bool has_x86_64,
                       bool has_x32) {
  const Program foreign = {make(Opcode::RetK, policy.foreign_value.value_or(policy.default_value))};
  Program out;
  if (has_x32 || policy.x32 == X32Calls::AsForeign) {
    const Program x32 = has_x32 ? section(Arch::X32) : foreign;
    guard(out, Opcode::JgeK, kX32Bit, x32.size() + (has_x86_64 ? 2 : 0));
    if (has_x86_64) {
      out.push_back(make(Opcode::JeqK, kNoCall, 0, 1));
      out.push_back(make(Opcode::Ja, static_cast<std::uint32_t>(x32.size())));
    }
    std::ranges::copy(x32, std::back_inserter(out));
  }
  std::ranges::copy(has_x86_64 ? section(Arch::X86_64) : foreign, std::back_inserter(out));
  return out;
}

bool has(const Policy& policy, Arch arch) {
  return std::ranges::find(policy.arches, arch) != policy.arches.end();
}

}  // namespace

// Rules of one number stand together, where that number first occurs.
std::vector<CallRules> rules_by_call(const Policy& policy, Arch arch) {
  std::vector<CallRules> out;
  std::unordered_map<std::uint32_t, std::size_t> places;
  for (ResolvedRule& rule : resolve(policy, arch)) {
    const auto [place, is_new] = places.try_emplace(rule.nr, out.size());
    if (is_new) out.push_back({rule.nr, {}});
    out[place->second].rules.push_back(std::move(rule));
  }
  return out;
}

Program lower_rules(const CallRules& rules, std::uint32_t otherwise, Arch arch) {
  Program out;
  for (const ResolvedRule& rule : rules.rules) {
    RuleCode code(info(arch).byte_order, info(arch).bits == 32);
    for (const ArgTest& test : rule.tests) code.add(test);
    std::ranges::copy(code.finish(rule.value), std::back_inserter(out));
    if (rule.tests.empty()) return out;  // what follows is never reached
  }
  out.push_back(make(Opcode::RetK, otherwise));
  return out;
}

std::expected<Program, LowerError> lower_plain(const Policy& policy) {
  return lower_sections(policy, [&](Arch arch) { return plain_section(policy, arch); });
}

std::expected<Program, LowerError> lower_sections(const Policy& policy, const Section& section) {
  Program out{make(Opcode::LdAbs, 4)};
  bool token_seen = false;
  for (const Arch arch : policy.arches) {
    const bool x86_64 = info(arch).token == info(Arch::X86_64).token;
    if (x86_64 && std::exchange(token_seen, true)) continue;
    Program code{make(Opcode::LdAbs, 0)};
    std::ranges::copy(
        x86_64 ? x86_64_section(policy, section, has(policy, Arch::X86_64), has(policy, Arch::X32))
               : section(arch),
        std::back_inserter(code));
    if (policy.foreign_value || policy.arches.size() > 1) {
      guard(out, Opcode::JeqK, info(arch).token, code.size());
    }
    std::ranges::copy(code, std::back_inserter(out));
  }
  if (policy.foreign_value || policy.arches.size() != 1) {
    out.push_back(make(Opcode::RetK, policy.foreign_value.value_or(policy.default_value)));
  }
  if (out.size() > kMaxReadLength) {
    return std::unexpected(
        LowerError{fmt::format("it takes {} instructions; no kernel can be handed more than {}",
                               out.size(), kMaxReadLength),
                   {}});
  }
  return out;
}

}  // namespace callgate::front_ends
