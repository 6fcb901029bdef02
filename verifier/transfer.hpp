#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vm/instruction.hpp"
#include "vm/opcodes.hpp"

/// What instructions do to registers, written once over a domain of values.
namespace callgate::verifier {

/// The registers of a program, each a value of some domain.
template <typename Value>
struct Registers {
  Value a{};
  Value x{};
  std::array<Value, kMemoryWords> memory{};

  friend auto operator<=>(const Registers&, const Registers&) = default;
};

/// The value of an instruction's operand.
template <typename Domain>
[[nodiscard]] typename Domain::Value operand_of(Domain& domain,
                                                const Registers<typename Domain::Value>& registers,
                                                const Instruction& instruction, Operand operand) {
  switch (operand) {
    case Operand::K:
      return domain.constant(instruction.k);
    case Operand::X:
      return registers.x;
    case Operand::A:
    case Operand::None:
      return registers.a;
    case Operand::Data:
      return domain.word(instruction.k);
    case Operand::Memory:
      return registers.memory[instruction.k];
    case Operand::Length:
      return domain.length();
  }
  return registers.a;
}

/// What an instruction that is no jump and no return leaves in the registers. Division by an X of 0
/// and undefined shifts end a run: the caller looks for them first.
template <typename Domain>
void transfer(Domain& domain, Registers<typename Domain::Value>& registers,
              const Instruction& instruction, const OpcodeInfo& row) {
  switch (row.kind) {
    case OpcodeKind::Load:
      registers.a = operand_of(domain, registers, instruction, row.operand);
      return;
    case OpcodeKind::LoadX:
      registers.x = operand_of(domain, registers, instruction, row.operand);
      return;
    case OpcodeKind::Store:
      registers.memory[instruction.k] = registers.a;
      return;
    case OpcodeKind::StoreX:
      registers.memory[instruction.k] = registers.x;
      return;
    case OpcodeKind::Tax:
      registers.x = registers.a;
      return;
    case OpcodeKind::Txa:
      registers.a = registers.x;
      return;
    case OpcodeKind::Alu:
      registers.a = domain.computed(row.opcode, registers.a,
                                    operand_of(domain, registers, instruction, row.operand));
      return;
    case OpcodeKind::Jump:
    case OpcodeKind::Branch:
    case OpcodeKind::Return:
      return;
  }
}

}  // namespace callgate::verifier
