#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "harness/cost/arm64_code.hpp"
#include "harness/cost/time_model.hpp"
#include "vm/kernel_model.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate::cost {

/// A kernel whose calls were counted in executed machine instructions: a row of count_model.def.
/// No caches, no guesses of branches, no mitigations: not time.
struct CountedKernel {
  Arch arch;
  Version version;
  std::string_view release;
  Parts parts;  ///< instructions
  Arm64Code arm64{};

  /// What filters add to a call, but for their instructions. `filters` is 1 at least.
  [[nodiscard]] double fixed(bool served, std::size_t filters) const noexcept;
  /// What theirs add: on arm64 each by the code that it becomes, elsewhere by the parts.
  [[nodiscard]] std::pair<double, double> body(const FilterStack& stack, std::uint32_t nr,
                                               const verifier::PathCost& path) const;
  /// The same for that very call.
  [[nodiscard]] double body(const FilterStack& stack, const SeccompData& data) const;
};

/// The newest counted kernel of the model's architecture that is no newer than the model's, of
/// those with a cache of constant actions if it has one; the error says why there is none.
[[nodiscard]] std::expected<CountedKernel, std::string_view> counted_kernel(
    const KernelModel& model);

/// "Linux 6.1.176 of Debian, counted by callgate lab", and that it is another version, if it is.
[[nodiscard]] std::string source_words(const CountedKernel& kernel, const KernelModel& model);

}  // namespace callgate::cost
