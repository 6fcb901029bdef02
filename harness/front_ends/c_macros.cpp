// The kernel's macros: `BPF_STMT(code, k)` and `BPF_JUMP(code, k, jt, jf)`, in C and from strace.

#include "harness/front_ends/c_expression.hpp"
#include "harness/front_ends/c_list.hpp"

namespace callgate::front_ends {

std::expected<Instruction, ReadError> parse_macro_row(Lexer& lexer, Arch arch) {
  const bool jump = lexer.next().text == "BPF_JUMP";
  ReadError error;
  const auto separator = [&](std::string_view spelling) {
    const auto taken = lexer.expect(spelling);
    if (!taken) error = taken.error();
    return taken.has_value();
  };
  const auto field = [&](std::string_view name, std::uint32_t most, std::uint32_t& out) {
    const auto value = parse_field(lexer, arch, name, most);
    if (!value) error = value.error();
    out = value.value_or(0);
    return value.has_value();
  };
  std::uint32_t code = 0;
  std::uint32_t k = 0;
  std::uint32_t jt = 0;
  std::uint32_t jf = 0;
  bool read =
      separator("(") && field("code", 0xffff, code) && separator(",") && field("k", 0xffffffff, k);
  if (jump) {
    read =
        read && separator(",") && field("jt", 0xff, jt) && separator(",") && field("jf", 0xff, jf);
  }
  if (!read || !separator(")")) return std::unexpected(error);
  return Instruction{static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(jt),
                     static_cast<std::uint8_t>(jf), k};
}

bool detect_c_macros(std::string_view bytes) {
  const auto list = find_rows(bytes);
  return list && list->shape == RowShape::Macro;
}

Parsed parse_c_macros(std::string_view bytes, const ReadOptions& options) {
  return parse_rows(bytes, options.arch);
}

}  // namespace callgate::front_ends
