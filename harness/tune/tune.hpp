#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/cost/live_compare.hpp"
#include "harness/cost/prediction.hpp"
#include "harness/filters/filter_files.hpp"
#include "harness/tune/orders.hpp"
#include "verifier/known_call.hpp"
#include "vm/filter_stack.hpp"

/// `callgate tune`: what would make filters cheaper for a workload, each proposal proved to mean
/// the same before it is shown.
namespace callgate::tune {

/// The calls that are weighed, of one ABI.
struct Calls {
  std::vector<verifier::KnownCall> calls;
  std::uint64_t total = 0;     ///< calls that are in `calls`, counted
  std::uint64_t left_out = 0;  ///< of other ABIs that no filter of this model sees, or without a
                               ///< counterpart
  bool by_name = false;        ///< taken over from another ABI, name by name
};

/// The calls of a workload that a model's tasks make: those of the model's own ABI where the
/// workload has any, else those of another ABI under the same names (arguments as they are, though
/// flags may have other values there).
[[nodiscard]] Calls calls_for(std::span<const verifier::KnownCall> workload, Arch arch);

/// How figures are told: the unit, and the middle of what a call gets added.
enum class Unit : std::uint8_t { Nanoseconds, MachineInstructions, Instructions };
[[nodiscard]] std::string_view to_string(Unit unit) noexcept;

/// A way to have the same verdicts, the original among them.
struct Proposal {
  std::string id;                 ///< "original", "rewritten", "optimize-2"
  std::string title;              ///< a few words
  std::string advice;             ///< what to do, a sentence or two
  std::vector<Program> programs;  ///< oldest first; none where there is no such proposal
  std::string refused;            ///< not empty: why it is not proposed
  bool yardstick = false;         ///< shown to compare with, and never the best
  std::string proof;              ///< how it is proved to mean what the original does
  std::string text;               ///< a profile, or lines of C, to be used; or empty
  std::string text_format;        ///< "oci", "minijail", "c"
  std::size_t instructions = 0;   ///< of all programs
  cost::Prediction prediction;
  double cost = 0;  ///< the middle of what is predicted to be added to a call, in Report::unit
  std::optional<cost::ComparedStack> measured;
  std::optional<cost::StackDifference> difference;  ///< measured, from the original
};

/// Something to know, with its figure.
struct Advice {
  std::string words;
  double cost = 0;  ///< of the average call, in Report::unit: what it costs, or would save
};

/// All that is found out for one model.
struct Report {
  KernelModel model;
  Unit unit = Unit::Nanoseconds;
  std::optional<cost::TimeModel> time;
  std::optional<cost::CountedKernel> counted;
  std::string_view not_counted{};
  Calls calls;
  std::size_t filters = 0;
  std::vector<Proposal> proposals;  ///< the first is the original
  std::size_t best = 0;             ///< the cheapest of those that are proved; 0: the original
  std::vector<Advice> advice;
  std::string measured_by;   ///< empty: nothing was measured
  std::string not_measured;  ///< why, where it was asked for
};

struct Options {
  /// The profile that all filters come from, where there is one: its generator's orders are
  /// proposed too.
  std::optional<ProfileText> profile;
  bool yardsticks = false;              ///< price and measure other ways to order the same, too
  std::optional<cost::TimeModel> time;  ///< x86_64 only; nothing: the built-in one there
  bool measure = false;                 ///< on the running kernel
  cost::CompareOptions how{};
};

/// Never throws. `files` are what the stack was made of, in its order.
[[nodiscard]] Report tuned(std::span<const filters::FilterFile> files, const FilterStack& stack,
                           std::span<const verifier::KnownCall> workload, const Options& options);

}  // namespace callgate::tune
