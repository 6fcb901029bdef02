// Policies of random rules: the plain program says what the policy says, and so does libseccomp's,
// linear and tree, where no departure is foretold.

#include <cstdint>
#include <span>
#include <string>

#include "fuzz/require.hpp"
#include "harness/front_ends/lower.hpp"
#include "harness/front_ends/telling_calls.hpp"
#include "harness/random/policies.hpp"
#include "verifier/check.hpp"
#include "vm/reference.hpp"

namespace {

namespace front_ends = callgate::front_ends;

constexpr int kCalls = 32;

// The call first, so that what is printed last is the policy.
[[noreturn]] void differs(const char* which, const front_ends::Policy& policy,
                          const callgate::SeccompData& data, std::uint32_t said,
                          std::uint32_t value) {
  std::string out = std::string(which) + " returns " + std::to_string(value) +
                    ", the policy says " + std::to_string(said) + "; nr " +
                    std::to_string(data.nr) + " arch " + std::to_string(data.arch);
  for (const std::uint64_t each : data.args) out += " " + std::to_string(each);
  for (const front_ends::Rule& rule : policy.rules) {
    out += "\n" + rule.syscall + " " + std::to_string(rule.value);
    for (const front_ends::ArgTest& test : rule.tests) {
      out += " args[" + std::to_string(test.index) + "] & " + std::to_string(test.mask) + " " +
             std::string(sign_of(test.comparison)) + " " + std::to_string(test.value);
    }
  }
  callgate::fuzz::fail(out);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  callgate::random::Source source({bytes, size});
  const front_ends::Policy policy = callgate::random::policy(source);
  const front_ends::PolicyEvaluator evaluator(policy);
  callgate::KernelModel model;
  model.arch = policy.arches.front();
  const auto plain = front_ends::lower_plain(policy);
  callgate::fuzz::require(plain.has_value());
  std::vector<std::pair<const char*, callgate::Program>> programs{{"plain", *plain}};
  for (const bool tree : {false, true}) {
    auto program = front_ends::lower_libseccomp(policy, {.binary_tree = tree, .seconds = 1});
    if (!program) {
      callgate::fuzz::require(!program.error().message.empty());
      continue;
    }
    callgate::fuzz::require(callgate::verifier::check(*program, model).has_value());
    if (departures(policy, tree, 1).empty()) {
      programs.emplace_back(tree ? "libseccomp's tree" : "libseccomp's", std::move(*program));
    }
  }
  std::vector<callgate::SeccompData> calls = front_ends::telling_calls(policy, 400);
  for (int i = 0; i < kCalls; ++i) calls.push_back(callgate::random::call_for(source, policy));
  for (const callgate::SeccompData& data : calls) {
    const front_ends::Decision said = evaluator.evaluate(data);
    if (!said.unknown.empty()) continue;
    for (const auto& [which, program] : programs) {
      const auto result = callgate::reference::run(program, data, model);
      callgate::fuzz::require(result.fault == callgate::reference::Fault::None);
      if (result.value != said.value) differs(which, policy, data, said.value, result.value);
    }
  }
  return 0;
}
