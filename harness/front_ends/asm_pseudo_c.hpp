#pragma once

#include "harness/front_ends/asm_text.hpp"

/// What the languages of seccomp-tools and ceccomp share: statements with signs of C, `if` and
/// `goto`, `return` of actions.
namespace callgate::front_ends {

/// A parser of such a language; what differs is asked of the dialect.
class PseudoCParser : protected AsmParser {
 protected:
  PseudoCParser(std::string_view text, const AsmStyle& style, const ReadOptions& options,
                const NumberForms& forms)
      : AsmParser(text, style, options), forms_(forms) {}
  ~PseudoCParser() = default;
  PseudoCParser(const PseudoCParser&) = delete;
  PseudoCParser& operator=(const PseudoCParser&) = delete;

  [[nodiscard]] virtual bool is_a() const = 0;  ///< whether the next word is the register A
  [[nodiscard]] virtual bool is_x() const = 0;
  /// What A is compared with, or combined with.
  virtual bool value(std::uint32_t& out) = 0;
  /// Whether two sides with one target become a plain jump.
  [[nodiscard]] virtual bool merges() const = 0;
  /// Whether a target's name means the next instruction.
  [[nodiscard]] virtual bool is_next(std::string_view name) const = 0;

  bool accept_a();
  bool accept_x();
  bool put(Opcode opcode, std::uint32_t k = 0);
  /// A value or X, as the operand of one of two operations.
  bool put_operand(Opcode with_k, Opcode with_x);
  /// Labels of this statement; statements begin behind them, maybe at the end of the text. False:
  /// an error.
  bool labels();
  bool target(AsmTarget& out);

  /// After `if`.
  bool if_statement();
  /// After `A`: `== value ? L : M`.
  bool question(const AsmComparison& comparison);
  /// After `return`.
  bool give_back();
  /// After `A`, before `+=` and its like.
  bool operation();

  NumberForms forms_;
  std::size_t offset_ = 0;  ///< of the statement
 private:
  struct Test {
    std::uint16_t code = 0;
    std::uint32_t k = 0;
    bool inverted = false;
  };
  bool condition(Test& test);
  bool comparison_value(const AsmComparison& comparison, Test& test);
  bool put_branch(const Test& test, const AsmTarget& yes, const AsmTarget& no);
  bool is_label() const;
};

/// Leaves only what follows the four columns `0x20 0x00 0x00 0x00000004` that listings have before
/// a statement.
[[nodiscard]] bool skip_columns(AsmLexer& lexer, std::vector<AsmToken>* columns);

}  // namespace callgate::front_ends
