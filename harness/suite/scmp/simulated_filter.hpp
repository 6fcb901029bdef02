#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vm/filter_stack.hpp"
#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"
#include "vm/reference.hpp"
#include "vm/seccomp_data.hpp"

/// What libseccomp's simulator is asked: one filter, one call, one word.
namespace callgate::suite::scmp {

/// A filter that `model`'s kernel accepts, in the words of libseccomp's simulator.
class SimulatedFilter {
 public:
  /// From raw bytes in the byte order of `model`'s architecture: so libseccomp exports a filter,
  /// whatever machine it runs on. An error where they are no whole instructions, or are refused by
  /// the kernel, with its reasons.
  [[nodiscard]] static std::expected<SimulatedFilter, std::string> make(std::string_view bytes,
                                                                        const KernelModel& model);

  /// What it says to a call.
  struct Answer {
    std::uint32_t value = 0;
    reference::Fault fault = reference::Fault::None;  ///< an undefined shift

    friend bool operator==(const Answer&, const Answer&) = default;
  };
  [[nodiscard]] Answer run(const SeccompData& data) const;

  /// Whether it is an action that the kernel knows.
  [[nodiscard]] bool is_known(const Answer& answer) const;
  /// Its word; "0x00060000 (unknown)", "unknown: undefined shift" where it has none.
  [[nodiscard]] std::string word(const Answer& answer) const;

  /// What the process sees, in words: "returns -1, EPERM".
  [[nodiscard]] std::string outcome_words(const SeccompData& data) const;
  /// The instruction that ends the run.
  [[nodiscard]] std::size_t last(const SeccompData& data) const;
  /// The executed instructions, a line each.
  [[nodiscard]] std::vector<std::string> path(const SeccompData& data) const;
  [[nodiscard]] std::span<const Instruction> program() const { return stack_.program(0); }

 private:
  explicit SimulatedFilter(FilterStack stack);

  FilterStack stack_;
  bool may_be_undefined_ = false;  // then the reference runs it
};

}  // namespace callgate::suite::scmp
