#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "vm/filter_stack.hpp"
#include "vm/kernel_model.hpp"
#include "vm/number_table.hpp"
#include "vm/specialised_program.hpp"

namespace callgate {

/// A whole stack solved for each number: where every filter's result is a constant, so is the
/// verdict; elsewhere the filters with questions are asked and the rest is combined with them.
/// Immutable; running is thread-safe and never allocates.
///
/// Its ranges are at most those of all its filters together; each that is not constant keeps an
/// entry for every filter, equal ones once.
class SpecialisedStack {
 public:
  /// Of the filters that `stack` has now.
  explicit SpecialisedStack(const FilterStack& stack);

  /// As FilterStack::run().
  [[nodiscard]] Verdict run(const SeccompData& data) const noexcept;
  /// The same for many inputs; `verdicts` is as long as `inputs`.
  void run_many(std::span<const SeccompData> inputs, std::span<Verdict> verdicts) const noexcept;

  /// Ranges of numbers with a constant verdict, and all of them, over all architectures.
  struct Size {
    std::size_t constant = 0;
    std::size_t ranges = 0;
  };
  [[nodiscard]] Size size() const noexcept { return size_; }

 private:
  class Joiner;

  /// What a range of numbers comes to: a verdict, or `value` is the place of the filters' entries.
  struct Joined {
    static constexpr std::int32_t kNobody = -1;
    static constexpr std::int32_t kAsk = -2;
    std::uint32_t value = 0;
    std::int32_t winner = kNobody;  ///< the filter, from the oldest

    friend bool operator==(const Joined&, const Joined&) = default;
  };
  using Numbers = NumberTable<Joined>;

  struct Plane {
    std::uint32_t arch = 0;
    Numbers numbers;
  };

  [[nodiscard]] Verdict ask(std::size_t place, const SeccompData& data) const noexcept;

  KernelModel model_;
  std::vector<SpecialisedProgram> programs_;        ///< oldest first
  std::vector<Plane> planes_;                       ///< by architecture; the last for all others
  std::vector<SpecialisedProgram::Entry> entries_;  ///< programs_.size() at a place, oldest first
  Size size_;
};

}  // namespace callgate
