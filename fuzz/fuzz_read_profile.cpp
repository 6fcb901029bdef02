// Any bytes, any format of profiles: the reader answers with policies or with an error that says
// something; the plain program of a policy says of calls near its rules what the policy says. No
// file is read: the path is empty.

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "fuzz/profile_byte.hpp"
#include "fuzz/require.hpp"
#include "harness/front_ends/profile.hpp"
#include "vm/reference.hpp"

namespace {

namespace front_ends = callgate::front_ends;
using callgate::fuzz::require;

constexpr std::size_t kMostRules = 40;

// Calls that some rules are about: their tests hold, or do not by little.
std::vector<callgate::SeccompData> calls_near(const front_ends::Policy& policy, callgate::Arch arch,
                                              std::uint8_t salt) {
  std::vector<callgate::SeccompData> out;
  const auto rules = front_ends::resolve(policy, arch);
  const std::size_t step = std::max<std::size_t>(rules.size() / kMostRules, 1);
  for (std::size_t i = salt % step; i < rules.size(); i += step) {
    callgate::SeccompData data;
    data.nr = static_cast<std::int32_t>(rules[i].nr);
    data.arch = callgate::info(arch).token;
    out.push_back(data);
    for (const std::uint64_t off :
         {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}, std::uint64_t{1} << 32U}) {
      for (const front_ends::ArgTest& test : rules[i].tests) {
        data.args[test.index] = test.value + off;
      }
      out.push_back(data);
      data.nr = static_cast<std::int32_t>(rules[i].nr ^ (off & 1U));
      out.push_back(data);
      data.nr = static_cast<std::int32_t>(rules[i].nr);
    }
    data.nr ^= 0x40000000;
    out.push_back(data);
    data.arch ^= salt;
    out.push_back(data);
  }
  callgate::SeccompData none;
  none.arch = callgate::info(arch).token;
  none.nr = -1;
  out.push_back(none);
  return out;
}

void check(const front_ends::Layer& layer, std::uint8_t salt) {
  const front_ends::Policy& policy = layer.policy;
  require(!policy.arches.empty());
  for (const front_ends::Rule& rule : policy.rules) {
    require(rule.syscall.empty() == rule.number.has_value());
    for (const front_ends::ArgTest& test : rule.tests) require(test.index < 6);
  }
  if (layer.lowering != front_ends::Lowering::Plain) return;
  const auto program = front_ends::lower_plain(policy);
  if (!program) {
    require(!program.error().message.empty());
    return;
  }
  const front_ends::PolicyEvaluator evaluator(policy);
  for (const callgate::Arch arch : policy.arches) {
    callgate::KernelModel model;
    model.arch = arch;
    for (const callgate::SeccompData& data : calls_near(policy, arch, salt)) {
      const front_ends::Decision decision = evaluator.evaluate(data);
      if (!decision.unknown.empty()) continue;
      const auto result = callgate::reference::run(*program, data, model);
      require(result.fault == callgate::reference::Fault::None);
      require(result.value == decision.value);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const auto formats = front_ends::profile_formats();
  const front_ends::ProfileFormatRow* row = &formats[bytes[0] % formats.size()];
  for (const front_ends::ProfileFormatRow& each : formats) {
    const auto own = static_cast<std::uint8_t>(callgate::fuzz::profile_byte(each.name).front());
    if (own == bytes[0]) row = &each;
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes + 1), size - 1);
  front_ends::Deployment deployment;
  // Some of the bytes decide the machine, and what else a user says.
  const std::uint8_t salt = bytes[size / 2];
  if ((salt & 0xe0U) == 0) {
    deployment.model.arch = callgate::arches()[salt % callgate::arches().size()].arch;
  }
  deployment.denylist = text.find("@denylist") != std::string_view::npos;
  for (const front_ends::ProfileFormatRow& each : formats) {
    static_cast<void>(each.detect(text, {}));
  }
  const auto profile = row->read(text, {}, deployment);
  if (!profile) {
    require(!profile.error().message.empty());
    require(!profile.error().offset || *profile.error().offset <= text.size());
    return 0;
  }
  for (const front_ends::Note& note : profile->notes) require(!note.message.empty());
  for (const front_ends::Layer& layer : profile->layers) check(layer, salt);
  return 0;
}
