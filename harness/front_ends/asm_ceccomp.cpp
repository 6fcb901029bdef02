// The language of `ceccomp asm`, which `ceccomp disasm` writes too. The columns with the fields
// that a listing has after its labels are passed over: the statement counts.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/front_ends/asm_dialects.hpp"
#include "harness/front_ends/asm_pseudo_c.hpp"
#include "harness/front_ends/formats.hpp"

namespace callgate::front_ends {
namespace {

constexpr AsmStyle kStyle{.newlines = true,
                          .hash_comments = true,
                          .other_comments = false,
                          .digit_labels = false,
                          .go = "goto"};
constexpr NumberForms kForms{.binary_and_octal = true, .wraps = false};

constexpr std::uint32_t kInstructionPointer = 8;
constexpr std::uint32_t kArguments = 16;

class Parser final : PseudoCParser {
 public:
  Parser(std::string_view text, const ReadOptions& options)
      : PseudoCParser(text, kStyle, options, kForms) {}

  std::expected<Assembled, ReadError> parse() {
    while (labels() && peek().kind != AsmToken::Kind::End) {
      offset_ = peek().offset;
      if (is_header()) {
        lexer_.skip_line();
        continue;
      }
      static_cast<void>(skip_columns(lexer_, nullptr));
      offset_ = peek().offset;
      if (!statement() || !end_of_statement()) break;
    }
    return builder_.finish(InputFormat::Ceccomp);
  }

 private:
  [[nodiscard]] bool is_a() const override { return peek().is("$A"); }
  [[nodiscard]] bool is_x() const override { return peek().is("$X"); }
  [[nodiscard]] bool merges() const override { return false; }
  [[nodiscard]] bool is_next(std::string_view /*name*/) const override { return false; }

  // ` Label  CODE  JT   JF      K` and the rule below it.
  [[nodiscard]] bool is_header() const {
    const bool words = peek().is("Label") || peek().is("Line") || peek().is("label") ||
                       peek().is("line") || peek().is("CODE");
    return builder_.size() == 0 && (words || peek().is("-") || peek().is("=="));
  }

  // Names stand in conditions only.
  bool value(std::uint32_t& out) override {
    if (peek().kind != AsmToken::Kind::Word) return number(out, forms_);
    const auto named = asm_name(peek().text, options_.arch);
    if (!named) {
      return fail_here(
          fmt::format("{} is no syscall of {}, no architecture and no number; "
                      "`arch.name` asks for another architecture's",
                      quoted(peek().text), info(options_.arch).name));
    }
    out = *named;
    lexer_.next();
    return true;
  }

  bool statement() {
    if (accept("return")) return give_back();
    if (accept("if")) return if_statement();
    if (accept("goto")) {
      AsmTarget to;
      if (!target(to)) return false;
      builder_.jump(to, offset_);
      return !builder_.failed();
    }
    if (accept("$mem")) {
      std::uint32_t slot = 0;
      if (!index(slot, kMemoryWords, 1, "$mem", forms_) || !expect("=")) return false;
      if (accept_a()) return put(Opcode::St, slot);
      return accept_x() ? put(Opcode::Stx, slot) : expected("$A or $X");
    }
    if (accept_x()) return expect("=") && load_x();
    if (!accept_a()) return expected("a statement ($A = ..., if (...), goto, return)");
    if (accept("=")) return load_a();
    return operation();
  }

  bool load_x() {
    if (accept_a()) return put(Opcode::Tax);
    if (accept("$scmp_data_len")) return put(Opcode::LdxLen);
    std::uint32_t k = 0;
    if (accept("$mem")) {
      return index(k, kMemoryWords, 1, "$mem", forms_) && put(Opcode::LdxMem, k);
    }
    return number(k, forms_) && put(Opcode::LdxImm, k);
  }

  bool load_a() {
    if (accept_x()) return put(Opcode::Txa);
    if (accept("$scmp_data_len")) return put(Opcode::LdLen);
    if (accept("$syscall_nr")) return put(Opcode::LdAbs, 0);
    if (accept("$arch")) return put(Opcode::LdAbs, 4);
    if (accept("$low_pc")) return put(Opcode::LdAbs, half(kInstructionPointer, false));
    if (accept("$high_pc")) return put(Opcode::LdAbs, half(kInstructionPointer, true));
    std::uint32_t k = 0;
    if (accept("$mem")) {
      return index(k, kMemoryWords, 1, "$mem", forms_) && put(Opcode::LdMem, k);
    }
    const bool high = peek().is("$high_args");
    if (high || peek().is("$low_args")) {
      const AsmToken name = lexer_.next();
      return index(k, 6, 1, name.text, forms_) &&
             put(Opcode::LdAbs, half(kArguments + 8 * k, high));
    }
    if (accept("-")) {
      if (accept_a()) return put(Opcode::Neg);
      if (!number(k, forms_)) return false;
      return put(Opcode::LdImm, 0U - k);
    }
    return number(k, forms_) && put(Opcode::LdImm, k);
  }
};

}  // namespace

AsmSign ceccomp_sign(std::string_view statement) {
  AsmLexer lexer(statement, kStyle);
  const AsmToken first = lexer.next();
  const auto is_variable = [](const AsmToken& token) {
    constexpr std::array<std::string_view, 10> kVariables = {
        "$A",       "$X",        "$arch",      "$syscall_nr",    "$low_pc",
        "$high_pc", "$low_args", "$high_args", "$scmp_data_len", "$mem"};
    return std::ranges::find(kVariables, token.text) != kVariables.end();
  };
  AsmToken token = first;
  if (first.is("return") || first.is("if")) {
    do token = lexer.next();
    while (token.is("(") || token.is("!"));
    if (first.is("return") && token.is("NOTIFY")) return AsmSign::Strong;
  }
  return is_variable(token) ? AsmSign::Strong : AsmSign::None;
}

std::expected<Assembled, ReadError> assemble_ceccomp(std::string_view text,
                                                     const ReadOptions& options) {
  return Parser(text, options).parse();
}

}  // namespace callgate::front_ends
