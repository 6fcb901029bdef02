#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "harness/cost/time_model.hpp"
#include "vm/kernel_model.hpp"

namespace callgate::cost {

/// A kernel whose calls were counted in executed machine instructions: a row of count_model.def.
/// No caches, no guesses of branches, no mitigations: not time.
struct CountedKernel {
  Arch arch;
  Version version;
  std::string_view release;
  Parts parts;  ///< instructions
};

/// The newest counted kernel of the model's architecture that is no newer than the model's; the
/// error says why there is none.
[[nodiscard]] std::expected<CountedKernel, std::string_view> counted_kernel(
    const KernelModel& model);

/// "Linux 6.1.176 of Debian, counted by callgate lab", and that it is another version, if it is.
[[nodiscard]] std::string source_words(const CountedKernel& kernel, const KernelModel& model);

}  // namespace callgate::cost
