#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/coverage/coverage.hpp"
#include "harness/filters/filter_files.hpp"
#include "harness/suite/suite.hpp"
#include "harness/suite/verb.hpp"
#include "verifier/meaning.hpp"
#include "verifier/solver.hpp"
#include "vm/filter_stack.hpp"
#include "vm/kernel_model.hpp"
#include "vm/outcome.hpp"

/// A stack of filters on one machine: what the cases of a suite are asked of.
namespace callgate::suite {

/// How files are read for a machine.
[[nodiscard]] std::expected<front_ends::LoadOptions, std::string> load_options(
    const Deploy& deploy, const KernelModel& model);

/// A stack, and the files that it was made of.
struct LoadedStack {
  std::vector<filters::FilterFile> files;
  FilterStack stack;
  std::vector<std::string> notes;  ///< what readers passed over, with places
};

/// Why there is no stack.
struct StackError {
  std::string text;      ///< of one line or several: what cannot be read, or why it is refused
  bool refused = false;  ///< by the kernel
};

/// Reads filters and stacks them.
[[nodiscard]] std::expected<LoadedStack, StackError> load_stack(
    const std::vector<FilterName>& names, const Deploy& deploy, const KernelModel& model);

/// What was found out of a set of calls.
struct Answer {
  Status status = Status::Passed;
  std::string how;
  std::string note;                ///< of Unknown: why it is not proved
  std::vector<SeccompData> calls;  ///< Failed: the smallest call that shows it; Sometimes: one
};

/// Answers for one stack. Not thread-safe, but for stack() and files().
class Target {
 public:
  Target(LoadedStack loaded, const Surroundings& around);
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  [[nodiscard]] const FilterStack& stack() const noexcept { return loaded_.stack; }
  [[nodiscard]] const std::vector<filters::FilterFile>& files() const noexcept {
    return loaded_.files;
  }
  [[nodiscard]] const KernelModel& model() const noexcept { return loaded_.stack.model(); }
  [[nodiscard]] const Surroundings& around() const noexcept { return around_; }

  /// Whether all calls of a pattern get what a verb says: by proof; where that is not to be had, by
  /// trying out calls at the edges, and Unknown.
  [[nodiscard]] Answer ask(const CallPattern& pattern, const Verb& verb);

  /// The number of a call's result at a level; nothing where the kernel leaves it open.
  [[nodiscard]] std::optional<std::uint32_t> result(const SeccompData& data,
                                                    verifier::Level level) const;
  /// What the stack returns; nothing where a shift leaves it open.
  [[nodiscard]] std::optional<std::uint32_t> value(const SeccompData& data) const;

  /// What the stack means, followed when it is first asked for.
  [[nodiscard]] verifier::Endings& endings();
  [[nodiscard]] const verifier::StackMeaning& meaning();
  [[nodiscard]] verifier::Solver& solver();

  /// From now on what is asked of it counts as covered; what was before no longer does.
  void start_coverage();
  /// Nothing where it was not started.
  [[nodiscard]] coverage::Collector* collector() noexcept { return collector_.get(); }

  /// The numbers that the programs compare with.
  [[nodiscard]] const std::vector<std::uint32_t>& constants();

 private:
  using Ref = verifier::Space::Ref;
  struct Analysis;
  // Of a function: where its ends are not what is wanted, and where they are not known.
  struct Parts {
    Ref unfit = 0;
    Ref open = 0;
  };

  [[nodiscard]] Analysis& analysis();
  [[nodiscard]] Ref behaviour(const CallPattern& pattern, verifier::Level level);
  [[nodiscard]] Parts parts(Ref function, const Verb& verb);
  [[nodiscard]] Answer prove(const CallPattern& pattern, const Verb& verb);
  [[nodiscard]] Answer try_out(const CallPattern& pattern, const Verb& verb, std::string why);

  LoadedStack loaded_;
  Surroundings around_;
  bool may_be_open_ = false;  // a program shifts by X
  std::vector<std::uint32_t> constants_;
  bool has_constants_ = false;
  std::shared_ptr<Analysis> analysis_;
  std::unique_ptr<coverage::Collector> collector_;  // of the analysis, so gone before it
};

}  // namespace callgate::suite
