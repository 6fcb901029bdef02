#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "harness/corpus/corpus.hpp"
#include "vm/actions.hpp"
#include "vm/opcodes.hpp"

/// What the makers of cases share: constants at edges, instructions by their operation, names.
namespace callgate::corpus {

/// Words at which 32-bit arithmetic, shifts and comparisons go wrong.
inline constexpr std::array<std::uint32_t, 16> kEdges = {
    0,      1,       2,          31,         32,         33,         64,         0xff,
    0xffff, 0x10000, 0x12345678, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff};

/// Those of them that programs made of constants alone use, where each is combined with each.
inline constexpr std::array<std::uint32_t, 10> kPairEdges = {
    0, 1, 31, 32, 33, 0x12345678, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};

inline constexpr std::uint32_t kAllowValue = static_cast<std::uint32_t>(Action::Allow);

/// An instruction of an operation.
[[nodiscard]] constexpr Instruction op(Opcode code, std::uint32_t k = 0, std::uint8_t jt = 0,
                                       std::uint8_t jf = 0) {
  return {static_cast<std::uint16_t>(code), jt, jf, k};
}

[[nodiscard]] constexpr Instruction ret(std::uint32_t value) { return op(Opcode::RetK, value); }
[[nodiscard]] constexpr Instruction ret_a() { return op(Opcode::RetA); }

/// The words of seccomp_data that hold the low halves of arguments 0 and 1 of a little-endian call.
inline constexpr std::uint32_t kArgument0 = 16;
inline constexpr std::uint32_t kArgument1 = 24;

/// "0x0000001f"
[[nodiscard]] std::string hex(std::uint32_t value);

/// How ids spell an operation: "add-k", "ldx-mem", by the enumerator of opcodes.def.
[[nodiscard]] std::string slug(const OpcodeInfo& row);

/// The row of an operation.
[[nodiscard]] const OpcodeInfo& row_of(Opcode code);

/// How ids and reasons spell an action: "kill_process", or "unknown-0x0004" for what is none.
[[nodiscard]] std::string action_slug(std::uint32_t value);

/// An x86_64 call of number 110 (getppid, which does no harm anywhere) with six arguments that all
/// differ in both halves, and an instruction pointer likewise.
[[nodiscard]] SeccompData plain_call();

/// The same with the low half of argument 0.
[[nodiscard]] SeccompData call_with(std::uint32_t argument0);

/// Actions of the table, and values around and between them that no kernel knows.
[[nodiscard]] std::vector<std::uint32_t> known_actions();
[[nodiscard]] std::vector<std::uint32_t> unknown_actions();

/// A case of the checker; whether it is accepted is left to expect(). Neither id has the "check/".
[[nodiscard]] CheckCase check_case(const std::string& id, std::string reason, Program program,
                                   const std::string& neighbour);

// The makers, one a file. They leave what is expected to expect().
void add_value_cases(Corpus& corpus);  ///< arithmetic, loads, memory
void add_jump_cases(Corpus& corpus);   ///< branches and jumps
void add_check_cases(Corpus& corpus);  ///< the rules of single instructions and lengths
void add_flow_cases(Corpus& corpus);   ///< jumps at limits, stores before loads
void add_stack_cases(Corpus& corpus);  ///< several filters
void add_outcome_cases(Corpus& corpus);
void add_limit_cases(Corpus& corpus);

/// Fills in what the reference, the checker and the model say.
void expect(Corpus& corpus);

/// Adds the hand-written vectors, with what they expect themselves.
void add_vectors(Corpus& corpus);

/// Fills in the kernels for which the cases hold.
void find_versions(Corpus& corpus);

/// The kernels around `model` of which `holds` is true.
template <typename Holds>
[[nodiscard]] Versions versions_where(const KernelModel& model, const Holds& holds);

/// The versions at which anything changes, by rising version.
[[nodiscard]] std::span<const Version> turning_points();

template <typename Holds>
Versions versions_where(const KernelModel& model, const Holds& holds) {
  Versions found{.from = model.version, .before = {}};
  const auto at = [&](const Version& version) {
    KernelModel there = model;
    there.version = version;
    return holds(there);
  };
  const std::span<const Version> points = turning_points();
  for (std::size_t i = points.size(); i-- > 0;) {
    if (points[i] > model.version) continue;
    if (!at(points[i])) break;
    found.from = points[i];
  }
  for (const Version& point : points) {
    if (point <= model.version) continue;
    if (!at(point)) {
      found.before = point;
      break;
    }
  }
  return found;
}

}  // namespace callgate::corpus
