// Rows in braces: `{ 0x20, 0, 0, 0x00000004 },` or `{ .code = BPF_LD|BPF_W|BPF_ABS, .k = 4 },`.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/front_ends/c_expression.hpp"
#include "harness/front_ends/c_list.hpp"

namespace callgate::front_ends {
namespace {

struct Field {
  std::string_view name;
  std::uint32_t most;
};
constexpr std::array kFields = {Field{"code", 0xffff}, Field{"jt", 0xff}, Field{"jf", 0xff},
                                Field{"k", 0xffffffff}};

}  // namespace

std::expected<Instruction, ReadError> parse_brace_row(Lexer& lexer, Arch arch) {
  const std::size_t opener = lexer.next().offset;
  std::array<std::uint32_t, 4> values{};
  std::array<bool, 4> given{};
  std::size_t next = 0;
  bool designators = false;
  while (!lexer.peek().is("}")) {
    if (lexer.accept(".")) {
      designators = true;
      const auto field = std::ranges::find(kFields, lexer.peek().text, &Field::name);
      if (field == kFields.end()) return lexer.fail("an instruction has code, jt, jf and k");
      next = static_cast<std::size_t>(field - kFields.begin());
      lexer.next();
      if (const auto equals = lexer.expect("="); !equals) return std::unexpected(equals.error());
    }
    if (next >= kFields.size())
      return lexer.fail("an instruction has four fields: code, jt, jf, k");
    if (given[next]) return lexer.fail(fmt::format("{} is given twice", kFields[next].name));
    const auto value = parse_field(lexer, arch, kFields[next].name, kFields[next].most);
    if (!value) return std::unexpected(value.error());
    values[next] = *value;
    given[next] = true;
    ++next;
    if (!lexer.accept(",") && !lexer.peek().is("}"))
      return lexer.fail("a comma or } is expected here");
  }
  lexer.next();
  // With names, C makes what is left out 0; without them a short row is a slip.
  if (!designators && !given[3]) {
    return fail_at(lexer.text(), opener,
                   "fields are missing: an instruction has code, jt, jf and k");
  }
  return Instruction{static_cast<std::uint16_t>(values[0]), static_cast<std::uint8_t>(values[1]),
                     static_cast<std::uint8_t>(values[2]), values[3]};
}

bool detect_c_rows(std::string_view bytes) {
  const auto list = find_rows(bytes);
  return list && list->shape == RowShape::Braces;
}

Parsed parse_c_rows(std::string_view bytes, const ReadOptions& options) {
  return parse_rows(bytes, options.arch);
}

}  // namespace callgate::front_ends
