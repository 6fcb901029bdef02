#include "verifier/check.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include "verifier/limits.hpp"
#include "vm/opcodes.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate::verifier {
namespace {

void check_k(const Instruction& i, std::size_t at, std::size_t length, const OpcodeInfo& row,
             const KernelModel& model, Diagnostics& out) {
  const auto say = [&](DiagnosticId id, std::uint64_t first = 0, std::uint64_t second = 0) {
    out.push_back({id, at, {first, second}});
  };
  switch (row.k_rule) {
    case KRule::Any:
      return;
    case KRule::NonZero:
      if (i.k == 0) say(DiagnosticId::DivisionByZero);
      return;
    case KRule::Shift:
      if (i.k >= 32 && model.has(Feature::ShiftKRefused)) say(DiagnosticId::ShiftTooLarge, i.k);
      return;
    case KRule::Slot:
      if (i.k >= kMemoryWords) say(DiagnosticId::SlotOutOfRange, i.k, kMemoryWords);
      return;
    case KRule::DataOffset:
      if (i.k >= kSeccompDataSize) {
        say(DiagnosticId::LoadOutOfRange, i.k, kSeccompDataSize);
      } else if (i.k % 4 != 0) {
        say(DiagnosticId::LoadMisaligned, i.k);
      }
      return;
    case KRule::Target:
      if (i.k >= length - at - 1) say(DiagnosticId::JumpOutOfRange, i.k);
      return;
  }
}

// bpf_check_classic() and seccomp_check_filter() in one pass; every failure of either is EINVAL.
void check_instruction(const Instruction& i, std::size_t at, std::size_t length,
                       const KernelModel& model, Diagnostics& out) {
  const OpcodeInfo* row = find_opcode(i.code);
  if (row == nullptr) {
    out.push_back({DiagnosticId::UnknownCode, at, {i.code, 0}});
    return;
  }
  if (row->acceptance == Acceptance::ClassicOnly) {
    out.push_back({DiagnosticId::ClassicOnlyCode, at, {i.code, 0}});
    return;
  }
  const bool is_xor = row->opcode == Opcode::XorK || row->opcode == Opcode::XorX;
  if (is_xor && !model.has(Feature::Xor))
    out.push_back({DiagnosticId::CodeTooNew, at, {i.code, 0}});
  check_k(i, at, length, *row, model, out);
  if (row->kind == OpcodeKind::Branch) {
    if (at + 1 + i.jt >= length) out.push_back({DiagnosticId::TrueOutOfRange, at, {i.jt, 0}});
    if (at + 1 + i.jf >= length) out.push_back({DiagnosticId::FalseOutOfRange, at, {i.jf, 0}});
  }
  const bool is_last = at + 1 == length;
  if (is_last && row->kind != OpcodeKind::Return) {
    out.push_back({DiagnosticId::LastNotReturn, at, {i.code, 0}});
  }
}

// check_load_and_stores(), literally: one pass, in which what a slot has been given flows on past a
// return too, and a jump alone narrows it. What it makes of unreachable code is the kernel's
// choice.
void check_slots(std::span<const Instruction> program, Diagnostics& out) {
  constexpr std::uint16_t kAll = 0xffff;
  std::vector<std::uint16_t> masks(program.size(), kAll);
  std::uint16_t valid = 0;
  const auto narrow = [&](std::size_t target) {
    if (target < masks.size()) masks[target] = static_cast<std::uint16_t>(masks[target] & valid);
  };
  for (std::size_t at = 0; at < program.size(); ++at) {
    const Instruction& i = program[at];
    valid = static_cast<std::uint16_t>(valid & masks[at]);
    const OpcodeInfo* row = find_opcode(i.code);
    if (row == nullptr) continue;
    if (row->operand == Operand::Memory && i.k < kMemoryWords) {
      const auto bit = static_cast<std::uint16_t>(1U << i.k);
      if (row->kind == OpcodeKind::Store || row->kind == OpcodeKind::StoreX) {
        valid = static_cast<std::uint16_t>(valid | bit);
      } else if ((valid & bit) == 0) {
        out.push_back({DiagnosticId::SlotNotStored, at, {i.k, 0}});
      }
    } else if (row->kind == OpcodeKind::Jump) {
      narrow(at + 1 + i.k);
      valid = kAll;
    } else if (row->kind == OpcodeKind::Branch) {
      narrow(at + 1 + i.jt);
      narrow(at + 1 + i.jf);
      valid = kAll;
    }
  }
}

std::int64_t place_of(const Diagnostic& diagnostic) {
  return diagnostic.instruction ? static_cast<std::int64_t>(*diagnostic.instruction) : -1;
}

}  // namespace

/// The one maker of checked programs.
class Checker {
 public:
  static CheckedProgram accept(std::span<const Instruction> program, const KernelModel& model) {
    return CheckedProgram(Program(program.begin(), program.end()), model,
                          limit_cost(program, model));
  }
};

std::expected<CheckedProgram, Refusal> check(std::span<const Instruction> program,
                                             const KernelModel& model) {
  Diagnostics found;
  if (!model.has(Feature::FilterMode)) {
    found.push_back({DiagnosticId::FiltersUnsupported,
                     std::nullopt,
                     {static_cast<std::uint64_t>(model.version.major),
                      static_cast<std::uint64_t>(model.version.minor)}});
    return std::unexpected(Refusal{InstallError::Invalid, std::move(found)});
  }
  if (program.empty()) found.push_back({DiagnosticId::EmptyProgram, std::nullopt, {}});
  if (program.size() > kMaxProgramLength) {
    found.push_back(
        {DiagnosticId::ProgramTooLong, std::nullopt, {program.size(), kMaxProgramLength}});
  }
  for (std::size_t at = 0; at < program.size(); ++at) {
    check_instruction(program[at], at, program.size(), model, found);
  }
  Diagnostics slots;
  check_slots(program, slots);
  if (found.empty() && slots.empty()) return Checker::accept(program, model);
  // The two passes' findings, in program order; what concerns the whole program stands first.
  Diagnostics all;
  std::ranges::merge(found, slots, std::back_inserter(all), {}, place_of, place_of);
  return std::unexpected(Refusal{InstallError::Invalid, std::move(all)});
}

}  // namespace callgate::verifier
