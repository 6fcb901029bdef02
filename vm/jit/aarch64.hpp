#pragma once

#include <asmjit/arm.h>
#include <asmjit/arm/a64assembler.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "vm/jit/translate.hpp"

namespace callgate::jit {

/// Writes for AArch64: x0 points to the data, w1 is A, w2 is X; x3 to x5 are scratch; slots lie on
/// the stack.
class Arm64Emitter {
 public:
  explicit Arm64Emitter(asmjit::CodeHolder& code) : code_(code), a_(&code) {}

  std::uint32_t label() { return a_.newLabel().id(); }
  void bind(std::uint32_t label) { a_.bind(asmjit::Label(label)); }
  [[nodiscard]] bool is_bound(std::uint32_t label) const { return code_.isLabelBound(label); }
  [[nodiscard]] std::size_t offset() const { return a_.offset(); }

  void begin(bool uses_memory, bool zero_a, bool zero_x);
  void load_word(std::uint32_t offset);
  void load_slot(std::uint32_t slot, bool a);
  void store(std::uint32_t slot, bool a);
  void set(std::uint32_t k, bool a);
  void copy_a_to_x();
  void copy_x_to_a();
  void compute(Alu alu, Value value);  // all but shifts and divisions
  void shift_by_constant(bool left, std::uint32_t k);
  void shift_by_x(bool left, ShiftRule rule);
  void divide(Value value);
  void return_constant(std::uint32_t k);
  void return_a();

  void compare(Test test, std::optional<std::uint32_t> word, Value value);
  void jump(std::uint32_t to) { a_.b(asmjit::Label(to)); }
  void jump_if(Test test, std::uint32_t to);
  void jump_if_not(Test test, std::uint32_t to);
  void go_if_x_is_0(std::uint32_t to);
  void go_if_x_above_31(std::uint32_t to);

  /// A less `base` is looked up in a table of `size` words: of results, or of distances of code
  /// from the table. A itself stays. Goes to `miss` where it is not below `size`.
  void look_up(std::uint32_t base, std::size_t size, std::uint32_t table, bool of_results,
               std::uint32_t miss);
  void align_and_bind(std::uint32_t table);
  void words(std::span<const std::uint32_t> words);

 private:
  void load_constant(const asmjit::a64::Gp& to, std::uint32_t k);
  asmjit::a64::Gp in_register(Value value);
  void leave();

  asmjit::CodeHolder& code_;
  asmjit::a64::Assembler a_;
  bool uses_memory_ = false;
};

}  // namespace callgate::jit
