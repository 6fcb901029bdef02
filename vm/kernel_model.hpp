#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "vm/arches.hpp"

namespace callgate {

/// A kernel's version; a patch level that is not given is 0.
struct Version {
  int major = 0;
  int minor = 0;
  int patch = 0;

  friend auto operator<=>(const Version&, const Version&) = default;
};

/// "6.18", "v6.18", "6.18.3", "6.18.3-cloud-amd64"; nothing where it is no version.
[[nodiscard]] std::optional<Version> parse_version(std::string_view text) noexcept;

/// "6.18", or "6.18.3" where there is a patch level.
[[nodiscard]] std::string to_string(const Version& version);

/// The newest kernel whose rules are in the tables.
inline constexpr Version kNewestVersion{6, 18, 0};
/// The oldest kernel that has filters.
inline constexpr Version kOldestVersion{3, 5, 0};

/// What changed between kernels; one row of kernel_features.def each.
enum class Feature : std::uint8_t {
#define FEATURE(enumerator, ...) enumerator,
#define BACKPORT(...)
#include "vm/kernel_features.def"
#undef BACKPORT
#undef FEATURE
};

/// How a fact is known; the words are in kernel_features.def.
enum class Mark : std::uint8_t { Live, Lab, Source, Memory };

/// "live", "lab", "source", "memory".
[[nodiscard]] std::string_view to_string(Mark mark) noexcept;

/// A row of kernel_features.def.
struct FeatureInfo {
  Feature feature;
  std::string_view name;
  Version since;
  Mark mark;
  std::string_view text;
};

/// Every row, in the order of the table.
[[nodiscard]] std::span<const FeatureInfo> features() noexcept;

/// What runs a converted program.
enum class KernelEngine : std::uint8_t { Jit, Interpreter };

/// Everything that depends on a kernel asks this; nothing reads uname(2) on its own.
struct KernelModel {
  Version version = kNewestVersion;
  Arch arch = Arch::X86_64;
  /// net.core.bpf_jit_harden as it holds for the caller: constants are blinded, and counted so
  bool blinds_constants = false;
  KernelEngine engine = KernelEngine::Jit;

  /// Whether this kernel has a feature.
  [[nodiscard]] bool has(Feature feature) const noexcept;

  /// The running kernel (uname(2), net.core.bpf_jit_harden, CAP_BPF), or the newest version where
  /// the running one cannot be told.
  [[nodiscard]] static KernelModel host();
};

/// What A <<= X and A >>= X give; nothing where the kernel leaves it undefined (an interpreter
/// before 5.14 on architectures other than x86 and arm64, X of 32 or more).
struct ShiftCount {
  bool defined = true;
  bool gives_zero = false;
  std::uint32_t count = 0;  ///< 0 to 31
};

/// The rule by which this kernel shifts; nothing where it leaves shifts by 32 and more undefined.
[[nodiscard]] std::optional<ShiftRule> shift_rule(const KernelModel& model) noexcept;

/// The count that a shift by `x` really uses on this kernel (kernel-semantics section 3).
[[nodiscard]] ShiftCount shift_count(const KernelModel& model, std::uint32_t x) noexcept;

}  // namespace callgate
