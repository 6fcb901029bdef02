#include "harness/front_ends/policy.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "vm/syscalls.hpp"

namespace callgate::front_ends {
namespace {

constexpr std::array kMultiplexed = {
#define MULTIPLEXED(name, multiplexer, call) MultiplexedCall{#name, #multiplexer, call},
#include "harness/front_ends/multiplexed_calls.def"
#undef MULTIPLEXED
};

constexpr std::uint32_t kNoCall = 0xffffffffU;  // -1: what a tracer makes of a call to skip it

// The call behind the multiplexer of an ABI that a name also means there; its first argument is
// the multiplexer's own, which takes the place of a test of that argument.
std::optional<ResolvedRule> behind_multiplexer(const Rule& rule, Arch arch) {
  const auto row = std::ranges::find(kMultiplexed, rule.syscall, &MultiplexedCall::name);
  if (row == kMultiplexed.end()) return std::nullopt;
  const auto nr = syscall_number(arch, row->multiplexer);
  if (!nr) return std::nullopt;
  ResolvedRule out{*nr, {}, rule.value, 0};
  out.tests.push_back({0, Comparison::Equal, row->call, kAllBits});
  std::ranges::copy_if(rule.tests, std::back_inserter(out.tests),
                       [](const ArgTest& test) { return test.index != 0; });
  return out;
}

}  // namespace

std::span<const MultiplexedCall> multiplexed_calls() noexcept { return kMultiplexed; }

std::string_view sign_of(Comparison comparison) noexcept {
  switch (comparison) {
    case Comparison::Equal:
      return "==";
    case Comparison::NotEqual:
      return "!=";
    case Comparison::Less:
      return "<";
    case Comparison::LessEqual:
      return "<=";
    case Comparison::Greater:
      return ">";
    case Comparison::GreaterEqual:
      return ">=";
  }
  return "";
}

bool holds(const ArgTest& test, const SeccompData& data, bool low_words) noexcept {
  const std::uint64_t width = low_words ? 0xffffffffU : kAllBits;
  const std::uint64_t left = data.args[test.index] & test.mask & width;
  const std::uint64_t right = test.value & width;
  switch (test.comparison) {
    case Comparison::Equal:
      return left == right;
    case Comparison::NotEqual:
      return left != right;
    case Comparison::Less:
      return left < right;
    case Comparison::LessEqual:
      return left <= right;
    case Comparison::Greater:
      return left > right;
    case Comparison::GreaterEqual:
      return left >= right;
  }
  return false;
}

std::vector<ResolvedRule> resolve(const Policy& policy, Arch arch) {
  std::vector<ResolvedRule> out;
  for (std::size_t i = 0; i < policy.rules.size(); ++i) {
    const Rule& rule = policy.rules[i];
    if (!rule.arches.empty() && std::ranges::find(rule.arches, arch) == rule.arches.end()) continue;
    if (rule.number) {
      out.push_back({static_cast<std::uint32_t>(*rule.number), rule.tests, rule.value, i});
      continue;
    }
    if (policy.multiplexed) {
      if (auto also = behind_multiplexer(rule, arch)) {
        also->rule = i;
        out.push_back(std::move(*also));
      }
    }
    if (const auto nr = syscall_number(arch, rule.syscall)) {
      out.push_back({*nr, rule.tests, rule.value, i});
    }
  }
  return out;
}

PolicyEvaluator::PolicyEvaluator(const Policy& policy)
    : default_value_(policy.default_value),
      foreign_value_(policy.foreign_value),
      x32_(policy.x32),
      multiplexed_(policy.multiplexed) {
  for (const Arch arch : policy.arches) {
    Abi& abi = abis_.emplace_back(Abi{arch, resolve(policy, arch)});
    std::ranges::sort(abi.rules, {},
                      [](const ResolvedRule& rule) { return std::pair(rule.nr, rule.rule); });
  }
}

const PolicyEvaluator::Abi* PolicyEvaluator::abi_of(const SeccompData& data) const {
  const auto has = [&](Arch arch) {
    const auto found = std::ranges::find(abis_, arch, &Abi::arch);
    return found == abis_.end() ? nullptr : &*found;
  };
  const auto nr = static_cast<std::uint32_t>(data.nr);
  if (data.arch == info(Arch::X86_64).token) {
    const bool x32_number = nr >= kX32Bit && nr != kNoCall;
    const Abi* x32 = has(Arch::X32);
    const Abi* x86_64 = has(Arch::X86_64);
    if (x32_number && (x32 != nullptr || x32_ == X32Calls::AsForeign)) return x32;
    return x86_64 == nullptr && nr == kNoCall ? x32 : x86_64;
  }
  const auto found = std::ranges::find_if(
      abis_, [&](const Abi& abi) { return info(abi.arch).token == data.arch; });
  return found == abis_.end() ? nullptr : &*found;
}

std::vector<std::size_t> PolicyEvaluator::fitting(const SeccompData& data) const {
  const Abi* abi = abi_of(data);
  if (abi == nullptr) return {};
  const bool low_words = info(abi->arch).bits == 32;
  std::vector<std::size_t> out;
  const auto nr = static_cast<std::uint32_t>(data.nr);
  for (const ResolvedRule& rule : std::ranges::equal_range(abi->rules, nr, {}, &ResolvedRule::nr)) {
    const bool all = std::ranges::all_of(
        rule.tests, [&](const ArgTest& test) { return holds(test, data, low_words); });
    if (all && (out.empty() || out.back() != rule.rule)) out.push_back(rule.rule);
  }
  return out;
}

Decision PolicyEvaluator::evaluate(const SeccompData& data) const {
  const Abi* abi = abi_of(data);
  if (abi == nullptr && !foreign_value_ && abis_.size() == 1) abi = &abis_.front();
  if (abi == nullptr) return {foreign_value_.value_or(default_value_), {}, true, {}};
  const auto nr = static_cast<std::uint32_t>(data.nr);
  if (multiplexed_ && nr >= kLowestPseudoNumber && nr <= kHighestPseudoNumber) {
    return {default_value_,
            {},
            false,
            "libseccomp gives such numbers to calls that an architecture does not have"};
  }
  const bool low_words = info(abi->arch).bits == 32;
  for (const ResolvedRule& rule : std::ranges::equal_range(abi->rules, nr, {}, &ResolvedRule::nr)) {
    const bool all = std::ranges::all_of(
        rule.tests, [&](const ArgTest& test) { return holds(test, data, low_words); });
    if (all) return {rule.value, rule.rule, false, {}};
  }
  return {default_value_, {}, false, {}};
}

Decision evaluate(const Policy& policy, const SeccompData& data) {
  return PolicyEvaluator(policy).evaluate(data);
}

}  // namespace callgate::front_ends
