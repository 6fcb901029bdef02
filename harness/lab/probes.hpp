#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "vm/kernel_model.hpp"

namespace callgate::lab {

/// The functions of agent_probes.h, in their order.
enum class ProbeKind : std::uint32_t {
#define PROBE_KIND(enumerator) enumerator,
#define PROBE(...)
#include "harness/lab/probes.def"
#undef PROBE
#undef PROBE_KIND
};

/// A row of probes.def.
struct Probe {
  ProbeKind kind;
  std::uint32_t argument;
  std::string_view name;
};

/// Every row.
[[nodiscard]] std::span<const Probe> probes() noexcept;

/// What a probe gives that dies of signal n: this less n.
inline constexpr std::int64_t kProbeDied = -1000;

/// What the model says that a probe gives, to a caller of the ABI `calls`: a result, a negative
/// errno, or kProbeDied less the signal. Nothing: it says nothing, and what is seen is not judged.
[[nodiscard]] std::optional<std::int64_t> expected(const Probe& probe, const KernelModel& model,
                                                   Arch calls);

}  // namespace callgate::lab
