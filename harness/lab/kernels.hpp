#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vm/arches.hpp"

namespace callgate::lab {

/// What boots of one Debian architecture have in common.
struct LabPlatform {
  std::string_view debian_arch;
  std::string_view flavour;  ///< how the name of its kernel package ends
  Arch arch;
  std::string_view qemu;
  std::string_view console;  ///< and further parameters of the kernel
  std::uint32_t slowness;    ///< random programs are divided by it
};

/// A row of kernels.def: one boot.
struct LabKernel {
  std::string_view name;
  std::string_view suite;
  std::string_view version;
  LabPlatform platform;
  Arch calls;  ///< the ABI of the agent
  std::string_view target;
  unsigned jit;
  bool in_default;

  /// The image's name, which boots of the same kernel share: "arm64-6.1" of "arm64-6.1-nojit".
  [[nodiscard]] std::string_view image() const noexcept;
  /// An extended regular expression for the names of its packages.
  [[nodiscard]] std::string package_pattern() const;
};

/// Every row.
[[nodiscard]] std::span<const LabKernel> lab_kernels() noexcept;

/// "default", "all", or names with commas between; the error names what is unknown.
[[nodiscard]] std::expected<std::vector<LabKernel>, std::string> parse_kernels(
    std::string_view text);

}  // namespace callgate::lab
