#include "harness/front_ends/asm_pseudo_c.hpp"

#include <fmt/format.h>

namespace callgate::front_ends {

bool PseudoCParser::accept_a() {
  if (!is_a()) return false;
  lexer_.next();
  return true;
}

bool PseudoCParser::accept_x() {
  if (!is_x()) return false;
  lexer_.next();
  return true;
}

bool PseudoCParser::put(Opcode opcode, std::uint32_t k) {
  builder_.add({code_of(opcode), 0, 0, k}, offset_);
  return !builder_.failed();
}

bool PseudoCParser::put_operand(Opcode with_k, Opcode with_x) {
  skip_newlines();
  if (accept_x()) return put(with_x);
  std::uint32_t k = 0;
  return value(k) && put(with_k, k);
}

bool PseudoCParser::is_label() const {
  const AsmToken::Kind kind = peek().kind;
  if (kind != AsmToken::Kind::Word && kind != AsmToken::Kind::Number) return false;
  // The colon comes next, in the same line; a look ahead that costs the space between.
  AsmLexer ahead = lexer_;
  ahead.next();
  return ahead.peek().is(":");
}

bool PseudoCParser::labels() {
  for (;;) {
    skip_newlines();
    if (!is_label()) return !builder_.failed();
    if (peek().text.find_first_of("$.") != std::string_view::npos) {
      return fail_here(fmt::format("{} is no label: letters, digits and _", quoted(peek().text)));
    }
    if (is_next(peek().text)) {
      return fail_here(fmt::format("{} means the next instruction: give the label another name",
                                   quoted(peek().text)));
    }
    builder_.label(lexer_.next());
    lexer_.next();
    if (builder_.failed()) return false;
  }
}

bool PseudoCParser::target(AsmTarget& out) {
  skip_newlines();
  const bool number = peek().kind == AsmToken::Kind::Number;
  if (peek().kind != AsmToken::Kind::Word && !number) return expected("a label");
  const AsmToken name = lexer_.next();
  out.falls_through = is_next(name.text);
  out.label = name;
  return true;
}

bool PseudoCParser::comparison_value(const AsmComparison& comparison, Test& test) {
  skip_newlines();
  if (accept_x()) {
    test.code = code_of(comparison.with_x);
  } else {
    test.code = code_of(comparison.with_k);
    if (!value(test.k)) return false;
  }
  test.inverted = test.inverted != comparison.inverted;
  return true;
}

// `(A == 1)`, `!(A == 1)`, `(!(A == 1))`: brackets are counted, so that their number needs no
// stack.
bool PseudoCParser::condition(Test& test) {
  std::size_t open = 0;
  for (;;) {
    skip_newlines();
    if (accept("!")) {
      test.inverted = !test.inverted;
      skip_newlines();
      if (!peek().is("(")) return expected("`(` after `!`");
    } else if (accept("(")) {
      ++open;
    } else {
      break;
    }
  }
  if (open == 0) return expected("`(`");
  if (!accept_a()) return expected("A, which is all that can be compared,");
  skip_newlines();
  const auto comparison = asm_comparison(peek().text);
  if (!comparison) return expected("== != > >= < <= or &");
  lexer_.next();
  if (!comparison_value(*comparison, test)) return false;
  for (; open > 0; --open) {
    skip_newlines();
    if (!expect(")")) return false;
  }
  return true;
}

bool PseudoCParser::put_branch(const Test& test, const AsmTarget& yes, const AsmTarget& no) {
  builder_.branch(test.code, test.k, test.inverted ? no : yes, test.inverted ? yes : no, merges(),
                  offset_);
  return !builder_.failed();
}

bool PseudoCParser::if_statement() {
  Test test;
  AsmTarget yes;
  AsmTarget no;
  if (!condition(test)) return false;
  skip_newlines();
  if (!accept_word("goto") && !accept_word("jmp") && !accept_word("jump")) return expected("goto");
  if (!target(yes)) return false;
  // `else` may stand in a line of its own: newlines are passed over to see whether it is there.
  const bool comma = accept(",");
  AsmLexer ahead = lexer_;
  while (ahead.peek().kind == AsmToken::Kind::Newline) ahead.next();
  if (comma || ahead.peek().is_word("else")) {
    skip_newlines();
    if (!accept_word("else")) return expected("else");
    skip_newlines();
    if (!accept_word("goto") && !accept_word("jmp") && !accept_word("jump")) {
      return expected("goto");
    }
    if (!target(no)) return false;
  }
  return put_branch(test, yes, no);
}

bool PseudoCParser::question(const AsmComparison& comparison) {
  Test test;
  AsmTarget yes;
  AsmTarget no;
  return comparison_value(comparison, test) && expect("?") && target(yes) && expect(":") &&
         target(no) && put_branch(test, yes, no);
}

bool PseudoCParser::give_back() {
  if (accept_a()) return put(Opcode::RetA);
  std::uint32_t k = 0;
  const AsmToken::Kind kind = peek().kind;
  const bool is_number = kind == AsmToken::Kind::Number || peek().is("-") || peek().is("(");
  if (is_number) return value(k) && put(Opcode::RetK, k);
  return action(k, forms_) && put(Opcode::RetK, k);
}

bool PseudoCParser::operation() {
  const auto found = asm_operation(peek().text);
  if (!found) return expected("= += -= *= /= &= |= ^= <<= or >>=");
  lexer_.next();
  return put_operand(found->with_k, found->with_x);
}

bool skip_columns(AsmLexer& lexer, std::vector<AsmToken>* columns) {
  AsmLexer ahead = lexer;
  std::vector<AsmToken> found;
  while (found.size() < 4 && ahead.peek().kind == AsmToken::Kind::Number &&
         ahead.peek().text.starts_with("0x")) {
    found.push_back(ahead.next());
  }
  if (found.size() < 4) return false;
  lexer = ahead;
  if (columns != nullptr) *columns = std::move(found);
  return true;
}

}  // namespace callgate::front_ends
