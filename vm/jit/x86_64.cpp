#include "vm/jit/x86_64.hpp"

#include <bit>

namespace callgate::jit {

using asmjit::x86::eax;
using asmjit::x86::ecx;
using asmjit::x86::edx;
using asmjit::x86::esi;
using asmjit::x86::rax;
using asmjit::x86::rdi;
using asmjit::x86::rdx;
using asmjit::x86::rsi;

namespace {

asmjit::x86::Mem slot_at(std::uint32_t slot) {
  return asmjit::x86::dword_ptr(asmjit::x86::rsp, -64 + 4 * static_cast<std::int32_t>(slot));
}

asmjit::x86::Mem word_at(std::uint32_t offset) {
  return asmjit::x86::dword_ptr(rdi, static_cast<std::int32_t>(offset));
}

// The 32 bits as a signed number: what an immediate of a 32-bit operation is.
std::int32_t immediate(std::uint32_t k) { return static_cast<std::int32_t>(k); }

}  // namespace

void X86Emitter::begin(bool /*uses_memory*/, bool zero_a, bool zero_x) {
  if (zero_a) a_.xor_(eax, eax);
  if (zero_x) a_.xor_(ecx, ecx);
}

void X86Emitter::load_word(std::uint32_t offset) { a_.mov(eax, word_at(offset)); }

void X86Emitter::load_slot(std::uint32_t slot, bool a) { a_.mov(a ? eax : ecx, slot_at(slot)); }

void X86Emitter::store(std::uint32_t slot, bool a) { a_.mov(slot_at(slot), a ? eax : ecx); }

void X86Emitter::set(std::uint32_t k, bool a) {
  const asmjit::x86::Gp to = a ? eax : ecx;
  if (k == 0) {
    a_.xor_(to, to);
  } else {
    a_.mov(to, immediate(k));
  }
}

void X86Emitter::copy_a_to_x() { a_.mov(ecx, eax); }

void X86Emitter::copy_x_to_a() { a_.mov(eax, ecx); }

void X86Emitter::compute(Alu alu, Value value) {
  const std::int32_t k = immediate(value.k);
  switch (alu) {
    case Alu::Add:
      if (value.is_x) {
        a_.add(eax, ecx);
      } else {
        a_.add(eax, k);
      }
      break;
    case Alu::Sub:
      if (value.is_x) {
        a_.sub(eax, ecx);
      } else {
        a_.sub(eax, k);
      }
      break;
    case Alu::Mul:
      if (value.is_x) {
        a_.imul(eax, ecx);
      } else {
        a_.imul(eax, eax, k);
      }
      break;
    case Alu::Or:
      if (value.is_x) {
        a_.or_(eax, ecx);
      } else {
        a_.or_(eax, k);
      }
      break;
    case Alu::And:
      if (value.is_x) {
        a_.and_(eax, ecx);
      } else {
        a_.and_(eax, k);
      }
      break;
    case Alu::Xor:
      if (value.is_x) {
        a_.xor_(eax, ecx);
      } else {
        a_.xor_(eax, k);
      }
      break;
    case Alu::Neg:
      a_.neg(eax);
      break;
    case Alu::Div:
    case Alu::Lsh:
    case Alu::Rsh:
      break;
  }
}

void X86Emitter::shift_by_constant(bool left, std::uint32_t k) {
  if (k == 0) return;
  if (left) {
    a_.shl(eax, immediate(k));
  } else {
    a_.shr(eax, immediate(k));
  }
}

void X86Emitter::shift_by_x(bool left, ShiftRule rule) {
  // The upper half of rax is 0 after every 32-bit operation: a 64-bit shift masks with 63, and what
  // leaves the lower half is gone.
  const asmjit::x86::Gp& of =
      rule == ShiftRule::Mask6Zero ? static_cast<const asmjit::x86::Gp&>(rax) : eax;
  if (left) {
    a_.shl(of, asmjit::x86::cl);
  } else {
    a_.shr(of, asmjit::x86::cl);
  }
  if (rule == ShiftRule::Mask6Zero && left) a_.mov(eax, eax);
  if (rule == ShiftRule::Mask8Zero) {
    a_.mov(edx, 0);
    a_.test(asmjit::x86::cl, 0xe0);
    a_.cmovnz(eax, edx);
  }
}

void X86Emitter::divide(Value value) {
  if (!value.is_x && std::has_single_bit(value.k)) {
    return shift_by_constant(false, static_cast<std::uint32_t>(std::countr_zero(value.k)));
  }
  if (!value.is_x) a_.mov(esi, immediate(value.k));
  a_.xor_(edx, edx);
  a_.div(value.is_x ? ecx : esi);
}

void X86Emitter::return_constant(std::uint32_t k) {
  set(k, true);
  a_.ret();
}

void X86Emitter::return_a() { a_.ret(); }

void X86Emitter::compare(Test test, std::optional<std::uint32_t> word, Value value) {
  const std::int32_t k = immediate(value.k);
  const bool bits = test == Test::AnyBit;
  if (word) {
    if (bits) {
      a_.test(word_at(*word), k);
    } else {
      a_.cmp(word_at(*word), k);
    }
  } else if (value.is_x) {
    if (bits) {
      a_.test(eax, ecx);
    } else {
      a_.cmp(eax, ecx);
    }
  } else if (bits) {
    a_.test(eax, k);
  } else if (k == 0 && test == Test::Equal) {
    a_.test(eax, eax);
  } else {
    a_.cmp(eax, k);
  }
}

void X86Emitter::jump_if(Test test, std::uint32_t to) {
  const asmjit::Label label(to);
  switch (test) {
    case Test::Equal:
      a_.je(label);
      break;
    case Test::Greater:
      a_.ja(label);
      break;
    case Test::GreaterOrEqual:
      a_.jae(label);
      break;
    case Test::AnyBit:
      a_.jnz(label);
      break;
  }
}

void X86Emitter::jump_if_not(Test test, std::uint32_t to) {
  const asmjit::Label label(to);
  switch (test) {
    case Test::Equal:
      a_.jne(label);
      break;
    case Test::Greater:
      a_.jbe(label);
      break;
    case Test::GreaterOrEqual:
      a_.jb(label);
      break;
    case Test::AnyBit:
      a_.jz(label);
      break;
  }
}

void X86Emitter::go_if_x_is_0(std::uint32_t to) {
  a_.test(ecx, ecx);
  a_.jz(asmjit::Label(to));
}

void X86Emitter::go_if_x_above_31(std::uint32_t to) {
  a_.cmp(ecx, 31);
  a_.ja(asmjit::Label(to));
}

void X86Emitter::look_up(std::uint32_t base, std::size_t size, std::uint32_t table, bool of_results,
                         std::uint32_t miss) {
  asmjit::x86::Gp index = rax;
  if (base != 0) {
    a_.lea(esi, asmjit::x86::dword_ptr(rax, immediate(0U - base)));
    index = rsi;
  }
  a_.cmp(index.r32(), immediate(static_cast<std::uint32_t>(size)));
  a_.jae(asmjit::Label(miss));
  a_.lea(rdx, asmjit::x86::ptr(asmjit::Label(table)));
  const asmjit::x86::Mem entry = asmjit::x86::dword_ptr(rdx, index, 2);
  if (of_results) {
    a_.mov(eax, entry);
    a_.ret();
    return;
  }
  a_.movsxd(rsi, entry);
  a_.add(rsi, rdx);
  a_.jmp(rsi);
}

void X86Emitter::align_and_bind(std::uint32_t table) {
  a_.align(asmjit::AlignMode::kZero, 4);
  bind(table);
}

void X86Emitter::words(std::span<const std::uint32_t> words) {
  a_.embed(words.data(), words.size_bytes());
}

}  // namespace callgate::jit
