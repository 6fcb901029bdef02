#include "harness/front_ends/c_list.hpp"

#include <fmt/format.h>

#include <array>
#include <vector>

namespace callgate::front_ends {
namespace {

// A bracket that is open at the place that a search has come to.
struct Open {
  char bracket = 0;
  std::size_t offset = 0;
  bool may_be_row = false;  // by what stands before it, and what it holds so far
  bool designators = false;
  int elements = 0;
  bool after_comma = true;
};

bool starts_row_value(const Token& token) {
  return token.kind == TokenKind::Number || token.kind == TokenKind::Identifier || token.is("(") ||
         token.is("~") || token.is("-") || token.is(".");
}

bool opens(const Token& token) { return token.is("{") || token.is("[") || token.is("("); }
bool closes(const Token& token) { return token.is("}") || token.is("]") || token.is(")"); }

class Search {
 public:
  Search(std::string_view text, std::size_t from) : lexer_(text, from), from_(from) {}

  std::optional<RowList> run() {
    Token before;
    for (Token token = lexer_.next(); token.kind != TokenKind::End; token = lexer_.next()) {
      if (is_row_macro(token) && lexer_.peek().is("(")) return found(RowShape::Macro);
      if (token.is("len") && lexer_.peek().is("=")) {
        lexer_.next();
        if (lexer_.peek().kind == TokenKind::Number) length_ = lexer_.peek().value;
      }
      if (closes(token)) {
        if (close(token)) return found(RowShape::Braces);
      } else {
        look_at(token, before);
      }
      before = token;
    }
    return std::nullopt;
  }

 private:
  void look_at(const Token& token, const Token& before) {
    if (!open_.empty()) {
      Open& inner = open_.back();
      if (token.is(",")) {
        inner.after_comma = true;
      } else if (inner.after_comma) {
        inner.after_comma = false;
        ++inner.elements;
        inner.may_be_row = inner.may_be_row && starts_row_value(token);
        inner.designators = inner.designators || token.is(".");
      }
      if (token.is("{") || token.is(";")) inner.may_be_row = false;
    }
    if (opens(token)) {
      const bool after_list =
          before.kind == TokenKind::End || before.is("{") || before.is(",") || before.is(")");
      open_.push_back({token.text[0], token.offset, token.is("{") && after_list, false, 0, true});
    }
  }

  // True where what is closed is a row; it is then no longer among what is open.
  bool close(const Token& token) {
    if (open_.empty()) return false;
    const Open closed = open_.back();
    open_.pop_back();
    return token.is("}") && closed.may_be_row && (closed.elements == 4 || closed.designators);
  }

  RowList found(RowShape shape) const {
    RowList list{from_, std::nullopt, shape, length_};
    for (auto open = open_.rbegin(); open != open_.rend(); ++open) {
      if (open->bracket == '(') continue;
      list.opener = open->offset;
      list.first = open->offset + 1;
      break;
    }
    return list;
  }

  Lexer lexer_;
  std::size_t from_;
  std::vector<Open> open_;
  std::optional<std::uint64_t> length_;
};

std::expected<Instruction, ReadError> parse_row(Lexer& lexer, Arch arch) {
  // A compound literal has the type before it.
  if (lexer.peek().is("(")) {
    for (const std::string_view part : {"(", "struct", "sock_filter", ")"}) {
      if (const auto taken = lexer.expect(part); !taken) return std::unexpected(taken.error());
    }
  }
  const Token& token = lexer.peek();
  if (is_row_macro(token)) return parse_macro_row(lexer, arch);
  if (token.is("{")) return parse_brace_row(lexer, arch);
  if (token.is(".")) {
    return lexer.fail("the program has been cut short here; strace -v prints all of it");
  }
  if (token.kind == TokenKind::Directive) {
    return lexer.fail("a line for the preprocessor in the program: give the output of cpp -P");
  }
  return lexer.fail(
      "an instruction is expected here: BPF_STMT(...), BPF_JUMP(...) or {code, jt, jf, k}");
}

}  // namespace

std::optional<RowList> find_rows(std::string_view text, std::size_t from) {
  return Search(text, from).run();
}

bool may_follow_list(const Token& token) noexcept {
  return token.kind == TokenKind::End || token.is(";") || token.is(",") || closes(token);
}

Parsed parse_rows(std::string_view text, Arch arch) {
  const auto list = find_rows(text);
  if (!list) return fail_at(text, text.size(), "there is no instruction in it");
  const std::string_view closer = !list->opener ? "" : text[*list->opener] == '{' ? "}" : "]";
  Lexer lexer(text, list->first);
  Program program;
  while (lexer.peek().kind != TokenKind::End && !(list->opener && lexer.peek().is(closer))) {
    if (program.size() == kMaxReadLength) return lexer.fail(too_long_message());
    const auto row = parse_row(lexer, arch);
    if (!row) return std::unexpected(row.error());
    program.push_back(*row);
    if (lexer.accept(",") || (!list->opener && lexer.accept(";"))) continue;
    const bool ends =
        lexer.peek().kind == TokenKind::End || (list->opener && lexer.peek().is(closer));
    if (!ends) return lexer.fail("a comma or the end of the program is expected here");
  }
  if (list->length && *list->length != program.size()) {
    return fail_at(
        text, list->first,
        fmt::format("len says {}, and {} instructions follow", *list->length, program.size()));
  }
  if (!list->opener) return program;
  if (!lexer.accept(closer)) {
    return fail_at(text, *list->opener, fmt::format("this bracket is not closed by {}", closer));
  }
  if (!may_follow_list(lexer.peek())) return lexer.fail("something follows the program");
  if (const auto second = find_rows(text, lexer.peek().offset)) {
    return fail_at(text, second->first, "a second program begins here; give one at a time");
  }
  return program;
}

}  // namespace callgate::front_ends
