#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "vm/actions.hpp"
#include "vm/checked_program.hpp"
#include "vm/diagnostics.hpp"
#include "vm/engine.hpp"

namespace callgate {

/// SECCOMP_FILTER_FLAG_*, as far as they change what a call meets.
struct FilterFlags {
  bool log = false;           ///< results that this filter wins are logged
  bool new_listener = false;  ///< the filter has a listener for USER_NOTIF
};

/// What a stack says of one call.
struct Verdict {
  std::uint32_t value = static_cast<std::uint32_t>(Action::Allow);  ///< action and data, 32 bits
  /// the filter that decided, from the oldest (0); nothing where none was stricter than ALLOW
  std::optional<std::size_t> winner;

  [[nodiscard]] std::uint16_t data() const noexcept {
    return static_cast<std::uint16_t>(value & kDataMask);
  }

  friend bool operator==(const Verdict&, const Verdict&) = default;
};

/// What one filter of a stack returned.
struct FilterResult {
  std::size_t filter = 0;  ///< from the oldest (0)
  std::uint32_t value = 0;
};

/// Combines what the filters returned, the newest first, as `model`'s kernel does
/// (seccomp_run_filters): the strictest action wins, of equal ones the newest filter's, with its
/// data.
[[nodiscard]] Verdict combine(std::span<const FilterResult> newest_first,
                              const KernelModel& model) noexcept;

/// The action bits of a value as `model`'s kernel looks at them: 16 bits since 4.14, 15 before.
[[nodiscard]] std::uint32_t action_bits(std::uint32_t value, const KernelModel& model) noexcept;

/// The filters of one task, oldest first. Running is thread-safe and never allocates.
class FilterStack {
 public:
  explicit FilterStack(const KernelModel& model) : model_(model) {}

  /// Adds a filter, or says what the kernel would refuse it for: InstructionLimit (ENOMEM) with its
  /// figures. `engine` runs it; where that declines, the reference does.
  std::expected<void, Diagnostic> push(const CheckedProgram& program, const Engine& engine,
                                       FilterFlags flags = {});
  std::expected<void, Diagnostic> push(const CheckedProgram& program, FilterFlags flags = {}) {
    return push(program, default_engine(), flags);
  }

  /// What the kernel's seccomp_run_filters() returns for this call. No filter: ALLOW.
  [[nodiscard]] Verdict run(const SeccompData& data) const noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return filters_.size(); }
  [[nodiscard]] const KernelModel& model() const noexcept { return model_; }
  [[nodiscard]] FilterFlags flags(std::size_t filter) const { return filters_.at(filter).flags; }
  [[nodiscard]] std::span<const Instruction> program(std::size_t filter) const {
    return filters_.at(filter).program.instructions();
  }
  [[nodiscard]] const CheckedProgram& checked(std::size_t filter) const {
    return filters_.at(filter).program;
  }
  /// Converted instructions of all filters, and 4 for each but the newest: what the limit counts.
  [[nodiscard]] std::size_t limit_used() const noexcept;

 private:
  struct Filter {
    CheckedProgram program;
    std::unique_ptr<Executable> executable;
    FilterFlags flags;
  };

  KernelModel model_;
  std::vector<Filter> filters_;
  std::size_t attached_cost_ = 0;  // of all filters, with the 4 for each
};

}  // namespace callgate
