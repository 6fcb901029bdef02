#include "vm/jit/aarch64.hpp"

#include <asmjit/arm/a64utils.h>

#include <bit>

namespace callgate::jit {

using asmjit::Imm;
using asmjit::a64::Gp;
using asmjit::a64::Mem;
using asmjit::a64::regs::w0;
using asmjit::a64::regs::w1;
using asmjit::a64::regs::w2;
using asmjit::a64::regs::w3;
using asmjit::a64::regs::w4;
using asmjit::a64::regs::wzr;
using asmjit::a64::regs::x0;
using asmjit::a64::regs::x1;
using asmjit::a64::regs::x2;
using asmjit::a64::regs::x3;
using asmjit::a64::regs::x4;
using asmjit::a64::regs::x5;

namespace {

constexpr std::int32_t kSlots = 4 * static_cast<std::int32_t>(kMemoryWords);

Mem slot_at(std::uint32_t slot) {
  return asmjit::arm::ptr(asmjit::a64::regs::sp, 4 * static_cast<std::int32_t>(slot));
}

// What add, sub and cmp take as a constant.
bool is_short(Value value) { return !value.is_x && value.k < 0x1000; }

// What and, orr, eor and tst take as a constant.
bool is_mask(Value value) { return !value.is_x && asmjit::a64::Utils::isLogicalImm(value.k, 32); }

}  // namespace

void Arm64Emitter::load_constant(const Gp& to, std::uint32_t k) {
  const std::uint32_t low = k & 0xffffU;
  const std::uint32_t high = k >> 16U;
  if (high == 0) {
    a_.movz(to, Imm(low));
  } else if (low == 0) {
    a_.movz(to, Imm(high), Imm(16));
  } else if (high == 0xffff) {
    a_.movn(to, Imm(low ^ 0xffffU));
  } else if (low == 0xffff) {
    a_.movn(to, Imm(high ^ 0xffffU), Imm(16));
  } else {
    a_.movz(to, Imm(low));
    a_.movk(to, Imm(high), Imm(16));
  }
}

Gp Arm64Emitter::in_register(Value value) {
  if (value.is_x) return w2;
  load_constant(w3, value.k);
  return w3;
}

void Arm64Emitter::begin(bool uses_memory, bool zero_a, bool zero_x) {
  uses_memory_ = uses_memory;
  if (uses_memory) {
    a_.sub(asmjit::a64::regs::sp, asmjit::a64::regs::sp, Imm(kSlots));
  }
  if (zero_a) a_.mov(w1, wzr);
  if (zero_x) a_.mov(w2, wzr);
}

void Arm64Emitter::leave() {
  if (uses_memory_) a_.add(asmjit::a64::regs::sp, asmjit::a64::regs::sp, Imm(kSlots));
  a_.ret(asmjit::a64::regs::x30);
}

void Arm64Emitter::load_word(std::uint32_t offset) {
  a_.ldr(w1, asmjit::arm::ptr(x0, static_cast<std::int32_t>(offset)));
}

void Arm64Emitter::load_slot(std::uint32_t slot, bool a) { a_.ldr(a ? w1 : w2, slot_at(slot)); }

void Arm64Emitter::store(std::uint32_t slot, bool a) { a_.str(a ? w1 : w2, slot_at(slot)); }

void Arm64Emitter::set(std::uint32_t k, bool a) { load_constant(a ? w1 : w2, k); }

void Arm64Emitter::copy_a_to_x() { a_.mov(w2, w1); }

void Arm64Emitter::copy_x_to_a() { a_.mov(w1, w2); }

void Arm64Emitter::compute(Alu alu, Value value) {
  switch (alu) {
    case Alu::Add:
      if (is_short(value)) {
        a_.add(w1, w1, Imm(value.k));
      } else {
        a_.add(w1, w1, in_register(value));
      }
      break;
    case Alu::Sub:
      if (is_short(value)) {
        a_.sub(w1, w1, Imm(value.k));
      } else {
        a_.sub(w1, w1, in_register(value));
      }
      break;
    case Alu::Mul:
      a_.mul(w1, w1, in_register(value));
      break;
    case Alu::Or:
      if (is_mask(value)) {
        a_.orr(w1, w1, Imm(value.k));
      } else {
        a_.orr(w1, w1, in_register(value));
      }
      break;
    case Alu::And:
      if (is_mask(value)) {
        a_.and_(w1, w1, Imm(value.k));
      } else {
        a_.and_(w1, w1, in_register(value));
      }
      break;
    case Alu::Xor:
      if (is_mask(value)) {
        a_.eor(w1, w1, Imm(value.k));
      } else {
        a_.eor(w1, w1, in_register(value));
      }
      break;
    case Alu::Neg:
      a_.neg(w1, w1);
      break;
    case Alu::Div:
    case Alu::Lsh:
    case Alu::Rsh:
      break;
  }
}

void Arm64Emitter::shift_by_constant(bool left, std::uint32_t k) {
  if (k == 0) return;
  if (left) {
    a_.lsl(w1, w1, Imm(k));
  } else {
    a_.lsr(w1, w1, Imm(k));
  }
}

void Arm64Emitter::shift_by_x(bool left, ShiftRule rule) {
  // The upper half of x1 is 0 after every 32-bit operation: a 64-bit shift masks with 63, and what
  // leaves the lower half is gone.
  const bool wide = rule == ShiftRule::Mask6Zero;
  const Gp a = wide ? Gp(x1) : Gp(w1);
  const Gp count = wide ? Gp(x2) : Gp(w2);
  if (left) {
    a_.lsl(a, a, count);
  } else {
    a_.lsr(a, a, count);
  }
  if (wide && left) a_.mov(w1, w1);
  if (rule == ShiftRule::Mask8Zero) {
    a_.tst(w2, Imm(0xe0));
    a_.csel(w1, w1, wzr, Imm(asmjit::a64::CondCode::kEQ));
  }
}

void Arm64Emitter::divide(Value value) {
  if (!value.is_x && std::has_single_bit(value.k)) {
    return shift_by_constant(false, static_cast<std::uint32_t>(std::countr_zero(value.k)));
  }
  a_.udiv(w1, w1, in_register(value));
}

void Arm64Emitter::return_constant(std::uint32_t k) {
  load_constant(w0, k);
  leave();
}

void Arm64Emitter::return_a() {
  a_.mov(w0, w1);
  leave();
}

void Arm64Emitter::compare(Test test, std::optional<std::uint32_t> word, Value value) {
  if (word) load_word(*word);
  if (test == Test::AnyBit) {
    if (is_mask(value)) {
      a_.tst(w1, Imm(value.k));
    } else {
      a_.tst(w1, in_register(value));
    }
  } else if (is_short(value)) {
    a_.cmp(w1, Imm(value.k));
  } else {
    a_.cmp(w1, in_register(value));
  }
}

void Arm64Emitter::jump_if(Test test, std::uint32_t to) {
  const asmjit::Label label(to);
  switch (test) {
    case Test::Equal:
      a_.b_eq(label);
      break;
    case Test::Greater:
      a_.b_hi(label);
      break;
    case Test::GreaterOrEqual:
      a_.b_hs(label);
      break;
    case Test::AnyBit:
      a_.b_ne(label);
      break;
  }
}

void Arm64Emitter::jump_if_not(Test test, std::uint32_t to) {
  const asmjit::Label label(to);
  switch (test) {
    case Test::Equal:
      a_.b_ne(label);
      break;
    case Test::Greater:
      a_.b_ls(label);
      break;
    case Test::GreaterOrEqual:
      a_.b_lo(label);
      break;
    case Test::AnyBit:
      a_.b_eq(label);
      break;
  }
}

void Arm64Emitter::go_if_x_is_0(std::uint32_t to) { a_.cbz(w2, asmjit::Label(to)); }

void Arm64Emitter::go_if_x_above_31(std::uint32_t to) {
  a_.cmp(w2, Imm(31));
  a_.b_hi(asmjit::Label(to));
}

void Arm64Emitter::look_up(std::uint32_t base, std::size_t size, std::uint32_t table,
                           bool of_results, std::uint32_t miss) {
  Gp index = x1;
  if (base != 0) {
    const Value first{false, base};
    if (is_short(first)) {
      a_.sub(w4, w1, Imm(base));
    } else {
      a_.sub(w4, w1, in_register(first));
    }
    index = x4;
  }
  const Value length{false, static_cast<std::uint32_t>(size)};
  if (is_short(length)) {
    a_.cmp(index.w(), Imm(length.k));
  } else {
    a_.cmp(index.w(), in_register(length));
  }
  a_.b_hs(asmjit::Label(miss));
  a_.adr(x5, asmjit::Label(table));
  const Mem entry = asmjit::arm::ptr(x5, index, asmjit::arm::lsl(2));
  if (of_results) {
    a_.ldr(w0, entry);
    return leave();
  }
  a_.ldrsw(x3, entry);
  a_.add(x3, x3, x5);
  a_.br(x3);
}

void Arm64Emitter::align_and_bind(std::uint32_t table) { bind(table); }

void Arm64Emitter::words(std::span<const std::uint32_t> words) {
  a_.embed(words.data(), words.size_bytes());
}

}  // namespace callgate::jit
