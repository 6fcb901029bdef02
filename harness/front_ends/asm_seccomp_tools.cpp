// The language of `seccomp-tools asm`, and the listings of `seccomp-tools disasm`: rows with the
// four fields in columns, which alone count there.

#include <fmt/format.h>

#include "harness/front_ends/asm_dialects.hpp"
#include "harness/front_ends/asm_pseudo_c.hpp"
#include "harness/front_ends/formats.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate::front_ends {
namespace {

constexpr AsmStyle kStyle{.newlines = true,
                          .hash_comments = true,
                          .other_comments = false,
                          .digit_labels = true,
                          .go = "goto"};
constexpr NumberForms kForms{.binary_and_octal = false, .wraps = true};

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
      } else if (!statement() || !end_of_statement()) {
        break;
      }
    }
    return builder_.finish(InputFormat::SeccompTools);
  }

 private:
  [[nodiscard]] bool is_a() const override { return peek().is_word("a"); }
  [[nodiscard]] bool is_x() const override { return peek().is_word("x"); }
  [[nodiscard]] bool merges() const override { return true; }
  [[nodiscard]] bool is_next(std::string_view name) const override { return name == "next"; }

  // ` line  CODE  JT   JF      K` and the rule below it.
  [[nodiscard]] bool is_header() const {
    return builder_.size() == 0 && (peek().is("line") || peek().is("=="));
  }

  // A number, in brackets or not, or a name that stands for one.
  bool value(std::uint32_t& out) override {
    std::size_t open = 0;
    while (accept("(")) ++open;
    if (peek().kind == AsmToken::Kind::Word) {
      const auto named = asm_name(peek().text, options_.arch);
      if (!named) return unknown_name();
      out = *named;
      lexer_.next();
    } else if (!number(out, forms_)) {
      return false;
    }
    for (; open > 0; --open) {
      if (!expect(")")) return false;
    }
    return true;
  }

  bool unknown_name() {
    return fail_here(
        fmt::format("{} is no syscall of {}, no architecture and no number; "
                    "`arch.name` asks for another architecture's",
                    quoted(peek().text), info(options_.arch).name));
  }

  bool statement() {
    std::vector<AsmToken> columns;
    if (skip_columns(lexer_, &columns)) return row(columns);
    if (accept_word("return")) return give_back();
    if (accept_word("if")) return if_statement();
    if (accept_word("goto") || accept_word("jmp") || accept_word("jump")) {
      AsmTarget to;
      if (!target(to)) return false;
      builder_.jump(to, offset_);
      return !builder_.failed();
    }
    if (accept_word("mem")) {
      std::uint32_t slot = 0;
      if (!index(slot, kMemoryWords, 1, "mem", forms_) || !expect("=")) return false;
      if (accept_a()) return put(Opcode::St, slot);
      return accept_x() ? put(Opcode::Stx, slot) : expected("A or X");
    }
    if (accept_x()) return expect("=") && load_x();
    if (!accept_a()) return expected("a statement (A = ..., if (...), goto, return)");
    if (accept("=")) return load_a();
    if (const auto comparison = asm_comparison(peek().text)) {
      lexer_.next();
      return question(*comparison);
    }
    return operation();
  }

  // A row of a listing: the columns are the instruction, what follows them says it in words.
  bool row(const std::vector<AsmToken>& columns) {
    constexpr std::uint32_t kMost[] = {0xffff, 0xff, 0xff, 0xffffffff};
    std::uint32_t values[4] = {};
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const auto value = asm_number(columns[i].text, {.binary_and_octal = false, .wraps = false});
      if (!value) return builder_.fail(columns[i].offset, value.error());
      if (*value > kMost[i]) {
        return builder_.fail(columns[i].offset,
                             fmt::format("{} is out of range: 0x{:x} is the most",
                                         quoted(columns[i].text), kMost[i]));
      }
      values[i] = *value;
    }
    builder_.add({static_cast<std::uint16_t>(values[0]), static_cast<std::uint8_t>(values[1]),
                  static_cast<std::uint8_t>(values[2]), values[3]},
                 offset_);
    lexer_.skip_line();
    return !builder_.failed();
  }

  bool load_x() {
    skip_newlines();
    if (accept_a()) return put(Opcode::Tax);
    std::uint32_t k = 0;
    if (accept_word("mem")) {
      return index(k, kMemoryWords, 1, "mem", forms_) && put(Opcode::LdxMem, k);
    }
    return value(k) && put(Opcode::LdxImm, k);
  }

  bool load_a() {
    skip_newlines();
    if (accept_x()) return put(Opcode::Txa);
    std::uint32_t k = 0;
    if (accept_word("mem")) {
      return index(k, kMemoryWords, 1, "mem", forms_) && put(Opcode::LdMem, k);
    }
    if (accept_word("len")) return put(Opcode::LdLen);
    if (accept_word("sys_number")) return put(Opcode::LdAbs, 0);
    if (accept_word("arch")) return put(Opcode::LdAbs, 4);
    if (accept_word("data")) {
      return index(k, kSeccompDataSize, 4, "data", forms_) && put(Opcode::LdAbs, k);
    }
    if (accept_word("args")) return argument(false);
    if (accept_word("args_h")) return argument(true);
    if (accept_word("instruction_pointer")) return half_of(kInstructionPointer, false);
    if (accept("-")) {
      if (accept_a()) return put(Opcode::Neg);
      if (!number(k, forms_)) return false;
      return put(Opcode::LdImm, 0U - k);
    }
    return value(k) && put(Opcode::LdImm, k);
  }

  bool argument(bool high) {
    std::uint32_t i = 0;
    return index(i, 6, 1, high ? "args_h" : "args", forms_) && half_of(kArguments + 8 * i, high);
  }

  // A shift asks for the other half.
  bool half_of(std::uint32_t offset, bool high) {
    if (accept(">>")) {
      std::uint32_t bits = 0;
      const std::size_t at = peek().offset;
      if (!number(bits, forms_)) return false;
      if (bits != 32) return builder_.fail(at, "32 is the only shift of a word that is loaded");
      high = !high;
    }
    return put(Opcode::LdAbs, half(offset, high));
  }
};

}  // namespace

AsmSign seccomp_tools_sign(std::string_view statement) {
  AsmLexer lexer(statement, kStyle);
  const AsmToken first = lexer.next();
  const AsmToken second = lexer.next();
  if (first.is("line") && second.is("CODE")) return AsmSign::Weak;
  if (first.is_word("return")) {
    const bool named =
        second.kind == AsmToken::Kind::Word && second.text.find('$') == second.text.npos;
    return named || second.kind == AsmToken::Kind::Number ? AsmSign::Weak : AsmSign::None;
  }
  if (first.is_word("goto") || first.is_word("jmp") || first.is_word("jump")) {
    return second.kind == AsmToken::Kind::Word || second.kind == AsmToken::Kind::Number
               ? AsmSign::Weak
               : AsmSign::None;
  }
  if (first.is_word("mem")) return second.is("[") ? AsmSign::Strong : AsmSign::None;
  if (first.is_word("a") || first.is_word("x")) {
    const bool sign = second.is("=") || asm_comparison(second.text) || asm_operation(second.text);
    return sign ? AsmSign::Strong : AsmSign::None;
  }
  if (!first.is_word("if")) return AsmSign::None;
  AsmToken token = second;
  while (token.is("(") || token.is("!")) token = lexer.next();
  return token.is_word("a") ? AsmSign::Strong : AsmSign::None;
}

std::expected<Assembled, ReadError> assemble_seccomp_tools(std::string_view text,
                                                           const ReadOptions& options) {
  return Parser(text, options).parse();
}

}  // namespace callgate::front_ends
