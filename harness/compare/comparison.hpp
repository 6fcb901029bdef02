#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "verifier/equivalence.hpp"
#include "vm/filter_stack.hpp"

/// `callgate diff` and `subset`: two stacks compared for all inputs, and what came out in words.
namespace callgate::compare {

/// What is asked.
struct Request {
  verifier::ComparisonOptions options{};
  bool by_name = false;                       ///< each side's calls are of its own ABI
  std::size_t inputs = 20'000;                ///< tried out where both are found to be equal
  std::chrono::milliseconds solving{10'000};  ///< of Z3, in all
};

/// Calls that are told apart alike.
struct Calls {
  std::vector<std::string> names;  ///< of the tables; with the ABI where it is not the kernel's own
  double unnamed = 0;              ///< numbers without a name
  bool always = false;             ///< whatever the arguments
  std::string condition;           ///< in words; empty with `always`, or where it has too many
  SeccompData call;                ///< one of them
  SeccompData call_b;
  std::uint32_t a = 0;
  std::uint32_t b = 0;
};

/// From one result to another.
struct Change {
  std::string from;   ///< "ALLOW", "ERRNO(EPERM)", at Level::Outcome "returns -1, EPERM"
  std::string to;     ///<
  std::string which;  ///< "stricter", "laxer", "other data", "other"
  std::vector<Calls> calls;
};

/// What could not be decided.
struct Open {
  std::string calls;
  std::string condition;
  std::string why;
};

struct Result {
  verifier::Answer answer = verifier::Answer::Undecided;
  std::string how;
  std::vector<Change> changes;
  std::vector<Open> open;
  std::size_t tried = 0;  ///< inputs that both were run on, after they were found to be equal
  /// Where what was proved and what was run do not agree: an error in Callgate. Nothing of the rest
  /// is to be believed then.
  std::optional<SeccompData> contradiction{};
  bool complete = true;
  std::vector<std::string> only_a{};
  std::vector<std::string> only_b{};
  std::size_t compared_calls = 0;
};

/// Z3 where it is built in, or nothing.
[[nodiscard]] std::unique_ptr<verifier::Solver> built_in_solver(std::chrono::milliseconds in_all);

[[nodiscard]] Result compared(const FilterStack& a, const FilterStack& b, const Request& request);

}  // namespace callgate::compare
