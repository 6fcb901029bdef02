#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/suite/vector_program.hpp"
#include "vm/diagnostics.hpp"
#include "vm/filter_stack.hpp"
#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"
#include "vm/outcome.hpp"
#include "vm/seccomp_data.hpp"

/// Vectors: one rule of the kernel a file, as a program, its input and what is expected. The format
/// stands in corpus/README.md.
namespace callgate::suite {

/// What a vector tells of; each has its folder under corpus/vectors.
enum class VectorKind : std::uint8_t {
  Check,    ///< what the checker and the limit say of a program
  Run,      ///< what a program returns
  Stack,    ///< which filter of several decides
  Outcome,  ///< what becomes of a call that got a result
};

/// Every kind, in the order of the enumeration.
[[nodiscard]] std::span<const VectorKind> vector_kinds() noexcept;

/// The folder of a kind: "check", "run", "stack", "outcome".
[[nodiscard]] std::string_view folder(VectorKind kind) noexcept;

/// A `program:` block.
struct VectorProgram {
  Program instructions;
  std::size_t times = 1;  ///< as many filters, one after the other
  FilterFlags flags;
};

/// The siginfo fields that an outcome names; the others may be anything.
struct ExpectedSiginfo {
  std::optional<int> signo;
  std::optional<int> code;
  std::optional<int> error;
  std::optional<std::uint64_t> call_addr;
  std::optional<std::int32_t> syscall;
  std::optional<std::uint32_t> arch;
};

/// What becomes of a call. Unlike siginfo, `logged` and `core` are always meant: no where not said.
struct ExpectedOutcome {
  OutcomeKind kind = OutcomeKind::Executes;
  /// Returns: the value; Sigsys and deaths: the signal; TracerDecides: the message
  std::int64_t number = 0;
};

/// An input, and what is expected of it.
struct VectorCase {
  SeccompData data;
  // run
  std::optional<std::uint32_t> returns;
  bool undefined = false;  ///< the kernel leaves it open what the program returns
  std::optional<std::size_t> executed;
  // stack
  std::optional<Verdict> verdict;
  // outcome; `logged` of stack vectors too
  std::optional<ExpectedOutcome> outcome;
  std::optional<bool> logged;
  std::optional<bool> core;
  ExpectedSiginfo siginfo;
};

/// A vector file, read.
struct Vector {
  VectorKind kind = VectorKind::Check;
  std::string story;  ///< the comment at its top
  KernelModel kernel;
  std::vector<Feature> features;        ///< whose before or after it shows
  std::vector<VectorProgram> programs;  ///< oldest first; of check vectors the last is looked at
  std::vector<VectorCase> cases;        ///< none in check vectors
  std::optional<InstallError> refused;  ///< check: the errno; nothing: accepted
  Diagnostics diagnostics;              ///< check: all that is said of a refused program
  std::optional<std::size_t> length;    ///< check: instructions after conversion
  std::optional<LimitCost> counts;      ///< check: towards the limit
  std::optional<std::uint32_t> value;   ///< outcome: what the filters returned
  Surroundings around;                  ///< outcome
  bool strict = false;                  ///< outcome: strict mode instead of a filter
};

/// The vector that a text stands for. Strict: an unknown key, one in a vector of another kind, one
/// that stands twice, a number that does not fit, is an error.
[[nodiscard]] std::expected<Vector, VectorError> parse_vector(std::string_view text,
                                                              VectorKind kind);

}  // namespace callgate::suite
