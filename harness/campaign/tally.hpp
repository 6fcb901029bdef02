#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/campaign/plan.hpp"
#include "vm/diagnostics.hpp"
#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"
#include "vm/reference.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate::campaign {

/// Which operations ran in programs that came to which end: the 8 actions, a value that is no
/// action, and a division by X = 0. And which diagnostics the checker had.
class Coverage {
 public:
  /// Runs a program that the checker accepts, and counts what ran.
  reference::Result add_run(std::span<const Instruction> program, const SeccompData& data,
                            const KernelModel& model);
  void add_refusal(const Diagnostics& diagnostics);
  void add(const Coverage& other);

  /// Counts by operation and end, a row of ends() after another.
  [[nodiscard]] const std::vector<std::uint64_t>& cells() const noexcept { return cells_; }
  [[nodiscard]] const std::vector<std::uint64_t>& refusals() const noexcept { return refusals_; }
  /// False where the numbers are not as many as this build has cells.
  bool restore(std::vector<std::uint64_t> cells, std::vector<std::uint64_t> refusals);

  [[nodiscard]] std::size_t cells_seen() const noexcept;
  /// How many cells there can be: a division that ends a program leaves no return to run.
  [[nodiscard]] static std::size_t cells_possible() noexcept;
  [[nodiscard]] std::size_t refusals_seen() const noexcept;

  /// "ALLOW", ..., "no action", "division by 0"
  [[nodiscard]] static std::vector<std::string> ends();
  /// "LdImm with ALLOW": those that can be and were not.
  [[nodiscard]] std::vector<std::string> missing() const;

  Coverage();

 private:
  std::vector<std::uint64_t> cells_;
  std::vector<std::uint64_t> refusals_;  // by DiagnosticId
};

/// What came of units.
struct Count {
  std::uint64_t made = 0;           ///< programs, stacks, scripts
  std::uint64_t accepted = 0;       ///< of the programs put to the checker
  std::uint64_t asked = 0;          ///< acceptances, evaluations, calls, steps
  std::uint64_t disagreements = 0;  ///< programs, stacks, scripts that differ
  std::map<std::string, std::uint64_t, std::less<>> not_asked{};  ///< calls, by reason

  void add(const Count& other);
};

/// A disagreement, as small as it could be made.
struct Finding {
  Property property{};
  std::string name;     ///< "values-17-3": of its file
  std::string summary;  ///< one line: what we say, what the kernel does
  std::string folder;   ///< of its file: "run", "check", "stack", "task"
  std::string text;     ///< a vector, or a script of tasks

  friend bool operator==(const Finding&, const Finding&) = default;
};

/// What came of a campaign so far.
struct Tally {
  std::array<Count, kProperties> counts{};
  Coverage coverage;
  std::vector<Finding> findings;

  [[nodiscard]] Count& count(Property property) {
    return counts[static_cast<std::size_t>(property)];
  }
  [[nodiscard]] const Count& count(Property property) const {
    return counts[static_cast<std::size_t>(property)];
  }
  [[nodiscard]] std::uint64_t disagreements() const noexcept;
  void add(Tally other);
};

}  // namespace callgate::campaign
