#pragma once

#include <optional>
#include <string>

namespace callgate::cost {

/// What figures depend on, and what was held fixed while they were taken.
struct Conditions {
  std::string kernel;           ///< release, as uname(2) has it
  std::string cpu;              ///< model name, or empty
  std::optional<int> core;      ///< that the calls were made on
  std::optional<int> jit;       ///< net.core.bpf_jit_enable, where it may be read
  std::optional<int> hardened;  ///< net.core.bpf_jit_harden, where it may be read
  /// Speculative store bypass and indirect branches of a task without and with a filter, which a
  /// kernel before 5.16 changes for a filter without SPEC_ALLOW: "vulnerable", "thread mitigated"
  std::string store_bypass;
  std::string store_bypass_filtered;
  std::string indirect_branch;
  std::string indirect_branch_filtered;
  /// filters that this process had already: all figures come on top of theirs
  std::optional<int> filters_before;
  /// processes that ran or wanted to, in the mean of the last minute, when it was asked
  std::optional<double> load;
};

/// Those of this machine; `core` is only noted. One child installs a filter that allows everything.
[[nodiscard]] Conditions conditions(std::optional<int> core);

}  // namespace callgate::cost
