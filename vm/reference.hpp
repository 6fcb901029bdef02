#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"
#include "vm/seccomp_data.hpp"

/// The reference interpreter: written plainly from the kernel's rules (kernel-semantics section 3),
/// with the codes spelled out. It shares nothing with opcodes.def on purpose: a wrong row there
/// must not be able to make both wrong.
namespace callgate::reference {

/// Why a program that nobody checked could not be run to a return.
enum class Fault : std::uint8_t {
  None,
  UnknownCode,     ///< no instruction that seccomp takes
  RanOffTheEnd,    ///< went past the last instruction
  LoadOutOfRange,  ///< offset beyond seccomp_data, or no multiple of 4
  SlotOutOfRange,  ///< no such memory slot
  SlotNotStored,   ///< read of a slot that this run has not written
  DivisionByZero,  ///< by the constant 0
  ShiftTooLarge,   ///< by a constant of 32 and more
  UndefinedShift,  ///< by an X of 32 and more, where this kernel leaves the result undefined
};

/// "ran off the end", and so on.
[[nodiscard]] std::string_view to_string(Fault fault) noexcept;

/// How a run ended.
struct Result {
  std::uint32_t value = 0;  ///< what the program returned; 0 with a fault
  Fault fault = Fault::None;
  std::size_t last = 0;      ///< the instruction that ended the run
  std::size_t executed = 0;  ///< how many instructions ran
};

/// The registers after an instruction, for an observer.
struct Step {
  std::size_t at = 0;    ///< the instruction
  std::size_t next = 0;  ///< where control goes; its own place for a return
  std::uint32_t a = 0;
  std::uint32_t x = 0;
};

/// Watches nothing, and costs nothing.
struct NoObserver {
  void step(const Step& /*step*/) const noexcept {}
};

/// Runs any instructions at all; never reads or writes outside, always ends (jumps go forward).
/// Programs that verifier::check() accepts have no fault, but for UndefinedShift.
template <typename Observer>
[[nodiscard]] Result run(std::span<const Instruction> program, const SeccompData& data,
                         const KernelModel& model, Observer&& observer) noexcept {
  std::uint32_t a = 0;
  std::uint32_t x = 0;
  std::array<std::uint32_t, kMemoryWords> memory{};
  std::uint32_t stored = 0;  // a bit for each slot written
  const ByteOrder order = byte_order(model.arch);

  std::size_t executed = 0;
  std::size_t pc = 0;
  // Sums of a place and a distance are made in 64 bits: k may be any 32-bit number.
  std::uint64_t next = 0;
  const auto fault = [&](Fault why) { return Result{0, why, pc, executed}; };
  for (;;) {
    if (next >= program.size()) return fault(Fault::RanOffTheEnd);
    pc = static_cast<std::size_t>(next);
    const Instruction& i = program[pc];
    ++executed;
    ++next;
    const auto branch = [&](bool taken) { next += taken ? i.jt : i.jf; };
    const auto returns = [&](std::uint32_t value) {
      observer.step(Step{pc, pc, a, x});
      return Result{value, Fault::None, pc, executed};
    };
    switch (i.code) {
      case 0x00:  // A = k
        a = i.k;
        break;
      case 0x01:  // X = k
        x = i.k;
        break;
      case 0x02:  // M[k] = A
      case 0x03:  // M[k] = X
        if (i.k >= kMemoryWords) return fault(Fault::SlotOutOfRange);
        memory[i.k] = i.code == 0x02 ? a : x;
        stored |= 1U << i.k;
        break;
      case 0x60:  // A = M[k]
      case 0x61:  // X = M[k]
        if (i.k >= kMemoryWords) return fault(Fault::SlotOutOfRange);
        if ((stored >> i.k & 1U) == 0) return fault(Fault::SlotNotStored);
        (i.code == 0x60 ? a : x) = memory[i.k];
        break;
      case 0x20:  // A = the word of seccomp_data at k
        if (i.k >= kSeccompDataSize || i.k % 4 != 0) return fault(Fault::LoadOutOfRange);
        a = load_word(data, i.k, order);
        break;
      case 0x80:  // A = the size of seccomp_data
        a = 64;
        break;
      case 0x81:
        x = 64;
        break;
      case 0x07:
        x = a;
        break;
      case 0x87:
        a = x;
        break;
      case 0x04:
        a += i.k;
        break;
      case 0x0c:
        a += x;
        break;
      case 0x14:
        a -= i.k;
        break;
      case 0x1c:
        a -= x;
        break;
      case 0x24:
        a *= i.k;
        break;
      case 0x2c:
        a *= x;
        break;
      case 0x34:
        if (i.k == 0) return fault(Fault::DivisionByZero);
        a /= i.k;
        break;
      case 0x3c:  // by X; X == 0 ends the program, returning 0
        if (x == 0) return returns(0);
        a /= x;
        break;
      case 0x44:
        a |= i.k;
        break;
      case 0x4c:
        a |= x;
        break;
      case 0x54:
        a &= i.k;
        break;
      case 0x5c:
        a &= x;
        break;
      case 0xa4:
        a ^= i.k;
        break;
      case 0xac:
        a ^= x;
        break;
      case 0x84:
        a = 0U - a;
        break;
      case 0x64:
      case 0x74: {
        // Before 4.5 such a program was accepted, and what it did was left to the machine.
        if (i.k >= 32) return fault(Fault::ShiftTooLarge);
        a = i.code == 0x64 ? a << i.k : a >> i.k;
        break;
      }
      case 0x6c:
      case 0x7c: {
        const ShiftCount shift = shift_count(model, x);
        if (!shift.defined) return fault(Fault::UndefinedShift);
        const std::uint32_t shifted = i.code == 0x6c ? a << shift.count : a >> shift.count;
        a = shift.gives_zero ? 0 : shifted;
        break;
      }
      case 0x05:
        next += i.k;
        break;
      case 0x15:
        branch(a == i.k);
        break;
      case 0x1d:
        branch(a == x);
        break;
      case 0x25:
        branch(a > i.k);
        break;
      case 0x2d:
        branch(a > x);
        break;
      case 0x35:
        branch(a >= i.k);
        break;
      case 0x3d:
        branch(a >= x);
        break;
      case 0x45:
        branch((a & i.k) != 0);
        break;
      case 0x4d:
        branch((a & x) != 0);
        break;
      case 0x06:
        return returns(i.k);
      case 0x16:
        return returns(a);
      default:
        return fault(Fault::UnknownCode);
    }
    observer.step(Step{pc, static_cast<std::size_t>(next), a, x});
  }
}

/// The same, watched by nobody.
[[nodiscard]] Result run(std::span<const Instruction> program, const SeccompData& data,
                         const KernelModel& model) noexcept;

}  // namespace callgate::reference
