#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "harness/front_ends/assembler.hpp"
#include "harness/front_ends/program_reader.hpp"
#include "vm/instruction.hpp"
#include "vm/opcodes.hpp"

/// What the dialects of assemblers share: words with their places, labels, jumps.
namespace callgate::front_ends {

/// Part of a text. Colours of a terminal, carriage returns and a byte order mark count as space.
struct AsmToken {
  enum class Kind : std::uint8_t { End, Newline, Word, Number, Sign, Bad };
  Kind kind = Kind::End;
  std::string_view text;
  std::size_t offset = 0;

  [[nodiscard]] bool is(std::string_view spelling) const noexcept {
    return kind != Kind::Bad && text == spelling;
  }
  /// Whether it is a word that is spelled like this one of lower case.
  [[nodiscard]] bool is_word(std::string_view lower) const noexcept;
  /// Whether it is what a comment without an end begins with.
  [[nodiscard]] bool is_comment() const noexcept { return kind == Kind::Bad && text == "/*"; }
};

/// How a dialect's text falls apart.
struct AsmStyle {
  bool newlines = true;         ///< they end statements; otherwise they are space
  bool hash_comments = true;    ///< `#` to the end of the line, anywhere; otherwise where it begins
                                ///< one alone
  bool other_comments = false;  ///< `;` to the end of the line, and between /* and */
  bool digit_labels = false;    ///< a label may be a number
  std::string_view go = "goto";  ///< the word for a jump, for advice
};

/// Takes a text apart: words (letters, digits, underscores, dots; a dollar before them or not),
/// numbers (what begins with a digit), signs.
class AsmLexer {
 public:
  AsmLexer(std::string_view text, const AsmStyle& style);

  [[nodiscard]] const AsmToken& peek() const noexcept { return token_; }
  AsmToken next();
  [[nodiscard]] std::string_view text() const noexcept { return text_; }

  /// Passes over the rest of the line.
  void skip_line();

 private:
  void advance();
  bool skip_space();
  [[nodiscard]] std::size_t sign_length() const noexcept;

  std::string_view text_;
  AsmStyle style_;
  std::size_t at_ = 0;
  AsmToken token_;
};

/// The length of the escape sequence for colours that text begins with, or 0.
[[nodiscard]] std::size_t colour_length(std::string_view text) noexcept;

/// A token in a message: cut where it is long, and nothing in it that a terminal would obey.
[[nodiscard]] std::string quoted(std::string_view token);

/// Where a jump leads.
struct AsmTarget {
  bool falls_through = true;  ///< to the next instruction
  AsmToken label;             ///< else here
};

/// Gathers instructions and labels; jumps find their places at the end. The first thing that is
/// wrong stays as the error; nothing is taken from then on.
class AsmBuilder {
 public:
  AsmBuilder(std::string_view text, const AsmStyle& style);

  /// A label of the next instruction.
  void label(const AsmToken& name);
  void add(const Instruction& instruction, std::size_t offset);
  void jump(const AsmTarget& target, std::size_t offset);
  /// `merges`: two sides that lead to one place become a jump without a test.
  void branch(std::uint16_t code, std::uint32_t k, const AsmTarget& taken, const AsmTarget& other,
              bool merges, std::size_t offset);

  /// Always false.
  bool fail(std::size_t offset, std::string message);
  [[nodiscard]] bool failed() const noexcept { return error_.has_value(); }
  [[nodiscard]] std::size_t size() const noexcept { return program_.size(); }

  [[nodiscard]] std::expected<Assembled, ReadError> finish(InputFormat format);

 private:
  struct Label {
    std::size_t instruction = 0;
    std::size_t offset = 0;
  };
  struct Jump {
    std::size_t from = 0;
    AsmTarget taken;
    AsmTarget other;
    bool conditional = false;
    bool merges = false;
  };

  std::optional<std::uint32_t> distance(std::size_t from, const AsmTarget& target);
  void resolve(const Jump& jump);
  std::vector<std::size_t> lines() const;

  std::string_view text_;
  AsmStyle style_;
  Program program_;
  std::vector<std::size_t> offsets_;
  std::vector<Jump> jumps_;
  std::unordered_map<std::string_view, Label> labels_;
  std::optional<AsmToken> last_label_;  // that no instruction follows so far
  std::optional<ReadError> error_;
};

/// Which spellings of numbers a dialect has.
struct NumberForms {
  bool binary_and_octal = true;  ///< 0b11, 017
  bool wraps = false;  ///< what is too long (32 bits, or 16 of an action's data) is cut; otherwise
                       ///< refused
};

/// The value of a number without its sign, or why it is none.
[[nodiscard]] std::expected<std::uint32_t, std::string> asm_number(std::string_view digits,
                                                                   const NumberForms& forms);

/// "read", "aarch64.read", "x32_read", "ARCH_X86_64", "AUDIT_ARCH_X86_64", "x86_64": a syscall of
/// `arch` or of the one that is named, or an architecture's token.
[[nodiscard]] std::optional<std::uint32_t> asm_name(std::string_view name, Arch arch);

/// A parser of statements: what the dialects' own are made of.
class AsmParser {
 public:
  AsmParser(std::string_view text, const AsmStyle& style, const ReadOptions& options)
      : lexer_(text, style), builder_(text, style), options_(options) {}

 protected:
  [[nodiscard]] const AsmToken& peek() const noexcept { return lexer_.peek(); }
  bool accept(std::string_view spelling);
  /// Without regard to case.
  bool accept_word(std::string_view word);
  bool expect(std::string_view spelling);
  void skip_newlines();
  /// False, with "X is expected here, and not `token`" as the error.
  bool expected(std::string_view what);
  bool fail_here(std::string message);
  /// Whether nothing but a newline is left of the statement.
  bool end_of_statement();

  /// A number with a sign or without.
  bool number(std::uint32_t& out, const NumberForms& forms);
  /// `[N]`, N below `bound` and a multiple of `step`.
  bool index(std::uint32_t& out, std::uint32_t bound, std::uint32_t step, std::string_view of_what,
             const NumberForms& forms);
  /// The words that both pseudo-C dialects have after `return`; KILL is KILL_THREAD.
  bool action(std::uint32_t& out, const NumberForms& forms);
  /// The offset of a half of the 64-bit word at `offset` of seccomp_data.
  [[nodiscard]] std::uint32_t half(std::uint32_t offset, bool high) const noexcept;

  AsmLexer lexer_;
  AsmBuilder builder_;
  const ReadOptions& options_;
};

/// A comparison: the code of the test, and whether its sides are exchanged.
struct AsmComparison {
  Opcode with_k;
  Opcode with_x;
  bool inverted;
};

/// Of one of == != > <= >= < &, or nothing.
[[nodiscard]] std::optional<AsmComparison> asm_comparison(std::string_view sign) noexcept;

/// The operation on A of "+=" and its like, or nothing: MOD is in none of these dialects.
struct AsmOperation {
  Opcode with_k;
  Opcode with_x;
};
[[nodiscard]] std::optional<AsmOperation> asm_operation(std::string_view sign) noexcept;

[[nodiscard]] constexpr std::uint16_t code_of(Opcode opcode) noexcept {
  return static_cast<std::uint16_t>(opcode);
}

}  // namespace callgate::front_ends
