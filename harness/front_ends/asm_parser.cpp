// What parsers of the dialects share: numbers, names, and the words of errors.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/front_ends/asm_text.hpp"
#include "harness/front_ends/formats.hpp"
#include "vm/actions.hpp"
#include "vm/syscalls.hpp"

namespace callgate::front_ends {
namespace {

std::optional<Arch> named_arch(std::string_view name) {
  if (const auto arch = arch_from_name(name)) return arch;
  constexpr std::string_view kPrefix = "ARCH_";
  if (name.starts_with(kPrefix)) return arch_from_name(name.substr(kPrefix.size()));
  return std::nullopt;
}

}  // namespace

std::expected<std::uint32_t, std::string> asm_number(std::string_view digits,
                                                     const NumberForms& forms) {
  unsigned base = 10;
  std::string_view rest = digits;
  const auto prefixed = [&](char letter) {
    return digits.size() > 2 && digits[0] == '0' &&
           (digits[1] == letter || digits[1] == letter - 32);
  };
  if (prefixed('x')) {
    base = 16;
  } else if (forms.binary_and_octal && prefixed('b')) {
    base = 2;
  } else if (forms.binary_and_octal && digits.size() > 1 && digits[0] == '0') {
    base = 8;
  }
  rest.remove_prefix(base == 16 || base == 2 ? 2 : 0);
  std::uint64_t value = 0;
  for (const char c : rest) {
    const int digit = hex_digit(c);
    if (digit < 0 || static_cast<unsigned>(digit) >= base) {
      return std::unexpected(fmt::format("{} is no number of base {}", quoted(digits), base));
    }
    value = value * base + static_cast<unsigned>(digit);
    if (value > 0xffffffffU) {
      if (!forms.wraps) {
        return std::unexpected(
            fmt::format("{} is out of range: numbers have 32 bits", quoted(digits)));
      }
      value &= 0xffffffffU;
    }
  }
  return static_cast<std::uint32_t>(value);
}

std::optional<std::uint32_t> asm_name(std::string_view name, Arch arch) {
  if (const auto number = syscall_number(arch, name)) return number;
  constexpr std::string_view kX32 = "x32_";
  if (arch == Arch::X86_64 && name.starts_with(kX32)) {
    if (const auto number = syscall_number(Arch::X32, name.substr(kX32.size()))) return number;
  }
  if (const std::size_t dot = name.find('.'); dot != std::string_view::npos) {
    const auto of = named_arch(name.substr(0, dot));
    return of ? syscall_number(*of, name.substr(dot + 1)) : std::nullopt;
  }
  if (const auto named = named_arch(name)) return info(*named).token;
  return std::nullopt;
}

bool AsmParser::accept(std::string_view spelling) {
  if (!peek().is(spelling)) return false;
  lexer_.next();
  return true;
}

bool AsmParser::accept_word(std::string_view word) {
  if (!peek().is_word(word)) return false;
  lexer_.next();
  return true;
}

bool AsmParser::expect(std::string_view spelling) {
  return accept(spelling) || expected(fmt::format("`{}`", spelling));
}

void AsmParser::skip_newlines() {
  while (peek().kind == AsmToken::Kind::Newline) lexer_.next();
}

bool AsmParser::expected(std::string_view what) {
  switch (peek().kind) {
    case AsmToken::Kind::End:
      return fail_here(fmt::format("{} is expected here, and the text ends", what));
    case AsmToken::Kind::Newline:
      return fail_here(fmt::format("{} is expected here, and the line ends", what));
    case AsmToken::Kind::Bad:
      if (peek().is_comment()) return fail_here("this comment has no end: write */ after it");
      return fail_here(fmt::format("{} has no place in this language", quoted(peek().text)));
    case AsmToken::Kind::Word:
    case AsmToken::Kind::Number:
    case AsmToken::Kind::Sign:
      break;
  }
  return fail_here(fmt::format("{} is expected here, not {}", what, quoted(peek().text)));
}

bool AsmParser::fail_here(std::string message) {
  return builder_.fail(peek().offset, std::move(message));
}

bool AsmParser::end_of_statement() {
  if (peek().kind == AsmToken::Kind::End) return true;
  if (peek().kind != AsmToken::Kind::Newline) return expected("the end of the line");
  lexer_.next();
  return true;
}

bool AsmParser::number(std::uint32_t& out, const NumberForms& forms) {
  const bool negative = accept("-");
  if (!negative) accept("+");
  if (peek().kind != AsmToken::Kind::Number) return expected("a number");
  const auto value = asm_number(peek().text, forms);
  if (!value) return fail_here(value.error());
  constexpr std::uint32_t kLeast = 0x80000000U;
  if (negative && *value > kLeast && !forms.wraps) {
    return fail_here(fmt::format("-{} is out of range: numbers have 32 bits", *value));
  }
  out = negative ? 0U - *value : *value;
  lexer_.next();
  return true;
}

bool AsmParser::index(std::uint32_t& out, std::uint32_t bound, std::uint32_t step,
                      std::string_view of_what, const NumberForms& forms) {
  if (!expect("[")) return false;
  const std::size_t offset = peek().offset;
  if (!number(out, forms)) return false;
  if (out >= bound || out % step != 0) {
    const std::string_view multiple = step == 1 ? "" : ", a multiple of 4";
    return builder_.fail(offset,
                         fmt::format("{}[{}]: 0 to {} is what there is{}", of_what,
                                     static_cast<std::int32_t>(out), bound - step, multiple));
  }
  return expect("]");
}

bool AsmParser::action(std::uint32_t& out, const NumberForms& forms) {
  const AsmToken name = peek();
  std::optional<Action> action;
  if (std::ranges::none_of(name.text, [](char c) { return c >= 'a' && c <= 'z'; })) {
    action = name.text == "NOTIFY" ? Action::UserNotif : action_from_name(name.text);
  }
  if (name.kind != AsmToken::Kind::Word || !action) {
    std::string known = "an action (KILL";
    for (const ActionInfo& row : actions()) known += fmt::format(", {}", row.name);
    return expected(known + ", with (N) or without), a number or A");
  }
  lexer_.next();
  out = static_cast<std::uint32_t>(*action);
  if (!accept("(")) return true;
  const std::size_t offset = peek().offset;
  std::uint32_t data = 0;
  if (!number(data, forms)) return false;
  if (forms.wraps) data &= kDataMask;
  if (data > kDataMask) {
    return builder_.fail(offset, fmt::format("{}({}): an action has 16 bits of data, 65535 at most",
                                             name.text, data));
  }
  out |= data;
  return expect(")");
}

std::uint32_t AsmParser::half(std::uint32_t offset, bool high) const noexcept {
  return offset + (high == (byte_order(options_.arch) == ByteOrder::Little) ? 4 : 0);
}

std::optional<AsmComparison> asm_comparison(std::string_view sign) noexcept {
  struct Row {
    std::string_view sign;
    AsmComparison comparison;
  };
  constexpr std::array kRows = {
      Row{"==", {Opcode::JeqK, Opcode::JeqX, false}}, Row{"!=", {Opcode::JeqK, Opcode::JeqX, true}},
      Row{">", {Opcode::JgtK, Opcode::JgtX, false}},  Row{"<=", {Opcode::JgtK, Opcode::JgtX, true}},
      Row{">=", {Opcode::JgeK, Opcode::JgeX, false}}, Row{"<", {Opcode::JgeK, Opcode::JgeX, true}},
      Row{"&", {Opcode::JsetK, Opcode::JsetX, false}}};
  const auto* const row = std::ranges::find(kRows, sign, &Row::sign);
  if (row == kRows.end()) return std::nullopt;
  return row->comparison;
}

std::optional<AsmOperation> asm_operation(std::string_view sign) noexcept {
  struct Row {
    std::string_view sign;
    AsmOperation operation;
  };
  constexpr std::array kRows = {
      Row{"+=", {Opcode::AddK, Opcode::AddX}},  Row{"-=", {Opcode::SubK, Opcode::SubX}},
      Row{"*=", {Opcode::MulK, Opcode::MulX}},  Row{"/=", {Opcode::DivK, Opcode::DivX}},
      Row{"&=", {Opcode::AndK, Opcode::AndX}},  Row{"|=", {Opcode::OrK, Opcode::OrX}},
      Row{"^=", {Opcode::XorK, Opcode::XorX}},  Row{"<<=", {Opcode::LshK, Opcode::LshX}},
      Row{">>=", {Opcode::RshK, Opcode::RshX}},
  };
  const auto* const row = std::ranges::find(kRows, sign, &Row::sign);
  if (row == kRows.end()) return std::nullopt;
  return row->operation;
}

}  // namespace callgate::front_ends
