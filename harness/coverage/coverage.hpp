#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/filters/filter_files.hpp"
#include "verifier/meaning.hpp"
#include "vm/filter_stack.hpp"
#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"
#include "vm/seccomp_data.hpp"

/// What of filters the calls of a suite, or any others, come to.
namespace callgate::coverage {

/// What is known of something that calls can come to.
enum class State : std::uint8_t {
  Covered,      ///< some call that was looked at comes to it
  NotVisited,   ///< none does, and there is a call that would
  Foreign,      ///< only calls would that this machine's kernel has none of: of a foreign token
  Unreachable,  ///< proved: no call does
  NotKnown,     ///< the analysis gave up: `why` says where
};

/// "covered", "not visited", "foreign", "unreachable", "not known"
[[nodiscard]] std::string_view to_string(State state) noexcept;

/// Something that calls can come to.
struct Point {
  State state = State::NotKnown;
  std::uint64_t inputs = 0;  ///< explicit inputs that came to it
  bool proved = false;       ///< of calls that a proof is about some come to it
  /// NotVisited and Foreign: a call that comes to it; it was run. Nothing where none is at hand.
  std::optional<SeccompData> would{};
  std::string why{};  ///< Unreachable and NotKnown: in words, where there is more to say

  /// What both together know: the inputs are added, and the better state holds.
  void merge(const Point& other);

  friend bool operator==(const Point&, const Point&) = default;
};

/// Both ways out of a conditional jump.
struct Branch {
  Point taken;
  Point not_taken;

  friend bool operator==(const Branch&, const Branch&) = default;
};

/// One program. The same file gives several where machines or kernels have it differently.
struct ProgramCoverage {
  std::string file;
  Arch arch = Arch::X86_64;                ///< of the machine
  std::vector<Version> kernels;            ///< by rising version
  Program program;                         ///< as long as `instructions`
  std::vector<Point> instructions;         ///< which were executed
  std::map<std::size_t, Branch> branches;  ///< of the conditional jumps, by instruction

  friend bool operator==(const ProgramCoverage&, const ProgramCoverage&) = default;
};

/// One rule of a profile, over all programs that were made of it.
struct RuleCoverage {
  std::string file;
  std::size_t line = 0;      ///< from 1
  std::size_t column = 0;    ///< from 1
  std::string call;          ///< a name, or a number
  Arch arch = Arch::X86_64;  ///< the machine that `would` is a call of
  Point point;               ///< whether it decides a call
  /// A program says something else for a call of this rule: in words; empty: none does.
  std::string differs;

  friend bool operator==(const RuleCoverage&, const RuleCoverage&) = default;
};

/// How much of something was covered.
struct Count {
  std::size_t covered = 0;
  std::size_t not_visited = 0;
  std::size_t foreign = 0;
  std::size_t unreachable = 0;
  std::size_t not_known = 0;

  void add(State state) noexcept;
  void add(const Count& other) noexcept;
  /// What could be covered: neither foreign nor unreachable.
  [[nodiscard]] std::size_t all() const noexcept { return covered + not_visited + not_known; }
  /// Of what could be; 100 where that is nothing. Never 100 where something is missing.
  [[nodiscard]] double percent() const noexcept;
};

/// What was covered. Plain data: that of several targets can be put together.
struct Report {
  std::vector<ProgramCoverage> programs;  ///< in the order in which they came
  std::vector<RuleCoverage> rules;        ///< by file, line, column
  std::uint64_t inputs = 0;               ///< explicit inputs, calls that no filter sees included
  std::uint64_t proofs = 0;               ///< conditions

  /// Adds another: programs of one file and machine that are the same are one; so are rules at one
  /// place. What was covered by either is covered; unreachable is what both cannot reach.
  void merge(const Report& other);

  [[nodiscard]] Count instructions() const;
  [[nodiscard]] Count branches() const;  ///< directions
  [[nodiscard]] Count rules_count() const;
};

[[nodiscard]] Count instructions_of(const ProgramCoverage& program);
[[nodiscard]] Count branches_of(const ProgramCoverage& program);

/// Collects what calls cover of one stack. Each call is put to all filters of the stack, as the
/// kernel does; calls that are exempt from filters cover nothing.
class Collector {
 public:
  /// `files` are those that the stack was made of, and `meaning` is the stack's; all must outlive
  /// it.
  Collector(std::span<const filters::FilterFile> files, const FilterStack& stack,
            verifier::Endings& endings, const verifier::StackMeaning& meaning);
  Collector(Collector&&) noexcept;
  Collector& operator=(Collector&&) noexcept;
  ~Collector();

  /// An input that was run.
  void add(const SeccompData& data);
  void add(std::span<const SeccompData> data);
  /// Of every call of the condition something was proved: all that any of them comes to is covered.
  void add(verifier::Space::Ref condition);

  /// What was covered until now. Never throws Diagrams::Full: what is too much is NotKnown.
  [[nodiscard]] Report report();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace callgate::coverage
