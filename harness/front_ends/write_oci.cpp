// Policies as OCI runtime-spec profiles.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/front_ends/policy_writing.hpp"
#include "vm/actions.hpp"

namespace callgate::front_ends {
namespace {

using nlohmann::ordered_json;

std::string scmp_name(Arch arch) {
  std::string out = "SCMP_ARCH_" + std::string(info(arch).name);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return out;
}

// Throws std::string: why there are no words for it.
void put_action(ordered_json& out, std::uint32_t value, std::string_view key,
                std::string_view errno_key, const std::string& of) {
  const ActionInfo* row = find_action(value & kActionMask);
  const std::uint32_t data = value & kDataMask;
  if (row == nullptr) {
    throw fmt::format("{}: OCI profiles have no word for the value 0x{:08x}", of, value);
  }
  out[std::string(key)] = row->libseccomp;
  const bool takes_data = row->action == Action::Errno || row->action == Action::Trace;
  if (takes_data) out[std::string(errno_key)] = data;
  if (!takes_data && data != 0) {
    throw fmt::format("{}: OCI profiles have no data for {}, and it has {}", of, row->name, data);
  }
}

std::string_view operator_of(const ArgTest& test, const std::string& of) {
  if (test.mask != kAllBits) {
    if (test.comparison == Comparison::Equal) return "SCMP_CMP_MASKED_EQ";
    throw fmt::format("{}: OCI profiles have masks with == alone, not with {}", of,
                      sign_of(test.comparison));
  }
  return libseccomp_word(test.comparison);
}

ordered_json args_of(const Rule& rule) {
  ordered_json out = ordered_json::array();
  std::array<bool, 6> seen{};
  for (const ArgTest& test : rule.tests) {
    if (std::exchange(seen[test.index], true)) {
      throw fmt::format("{}: args[{}] is tested twice, and OCI profiles take that for \"either\"",
                        rule.syscall, test.index);
    }
    const std::string_view op = operator_of(test, rule.syscall);
    const bool masked = test.mask != kAllBits;
    ordered_json arg{{"index", test.index}, {"value", masked ? test.mask : test.value}};
    if (masked) arg["valueTwo"] = test.value;
    arg["op"] = op;
    out.push_back(std::move(arg));
  }
  return out;
}

WrittenPolicy oci_of(const Policy& policy) {
  WrittenPolicy out;
  ordered_json document;
  put_action(document, policy.default_value, "defaultAction", "defaultErrnoRet", "the default");
  document["architectures"] = ordered_json::array();
  for (const Arch arch : policy.arches) document["architectures"].push_back(scmp_name(arch));
  ordered_json& calls = document["syscalls"] = ordered_json::array();
  const Rule* before = nullptr;
  for (const Rule& rule : policy.rules) {
    if (rule.number) {
      throw fmt::format("syscall {}: OCI profiles have names alone", *rule.number);
    }
    if (!rule.arches.empty() && rule.arches != policy.arches) {
      throw fmt::format("{}: OCI profiles have no rules for some architectures alone",
                        rule.syscall);
    }
    if (rule.value == policy.default_value) {
      out.notes.push_back(
          fmt::format("{}: a rule that says what the default does is dropped by "
                      "runtimes; a later rule may then decide",
                      rule.syscall));
    }
    if (before != nullptr && before->value == rule.value && before->tests == rule.tests) {
      calls.back()["names"].push_back(rule.syscall);
    } else {
      ordered_json& call = calls.emplace_back();
      call["names"] = ordered_json::array({rule.syscall});
      put_action(call, rule.value, "action", "errnoRet", rule.syscall);
      if (!rule.tests.empty()) call["args"] = args_of(rule);
    }
    before = &rule;
  }
  if (policy.foreign_value != static_cast<std::uint32_t>(Action::KillThread)) {
    out.notes.emplace_back(
        "calls of other architectures get KILL_THREAD from a container's filter; here it is "
        "something else");
  }
  const bool x86_64 = std::ranges::find(policy.arches, Arch::X86_64) != policy.arches.end();
  const bool x32 = std::ranges::find(policy.arches, Arch::X32) != policy.arches.end();
  if (policy.x32 == X32Calls::Numbers && x86_64 && !x32) {
    out.notes.emplace_back(
        "x32 calls are foreign ones to a container's filter; here the rules decide");
  }
  out.text = document.dump(2) + "\n";
  return out;
}

}  // namespace

Written write_oci(const Policy& policy) {
  return written([&] { return oci_of(policy); });
}

}  // namespace callgate::front_ends
