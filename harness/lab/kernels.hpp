#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vm/arches.hpp"

namespace callgate::lab {

/// A row of kernels.def: one boot.
struct LabKernel {
  std::string_view name;
  std::string_view suite;
  std::string_view debian_arch;
  std::string_view package_pattern;
  Arch arch;   ///< the kernel's
  Arch calls;  ///< the ABI of the agent
  std::string_view target;
  std::string_view qemu;
  std::string_view console;
  unsigned jit;
  bool in_default;
};

/// Every row.
[[nodiscard]] std::span<const LabKernel> lab_kernels() noexcept;

/// "default", "all", or names with commas between; the error names what is unknown.
[[nodiscard]] std::expected<std::vector<LabKernel>, std::string> parse_kernels(
    std::string_view text);

}  // namespace callgate::lab
