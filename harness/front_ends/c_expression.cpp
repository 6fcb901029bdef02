#include "harness/front_ends/c_expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "harness/front_ends/c_constants.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate::front_ends {
namespace {

using Value = std::expected<std::uint64_t, ReadError>;

struct Operator {
  std::string_view spelling;
  int strength;
};

// Binary operators, as C binds them.
constexpr std::array kOperators = {
    Operator{"|", 1}, Operator{"^", 2}, Operator{"&", 3}, Operator{"<<", 4}, Operator{">>", 4},
    Operator{"+", 5}, Operator{"-", 5}, Operator{"*", 6}, Operator{"/", 6},  Operator{"%", 6},
};

const Operator* binary_operator(const Token& token) {
  if (token.kind != TokenKind::Punctuator) return nullptr;
  const auto found = std::ranges::find(kOperators, token.text, &Operator::spelling);
  return found == kOperators.end() ? nullptr : found;
}

struct TypeWord {
  std::string_view word;
  unsigned bits;  // 0: the word alone does not say
  bool is_unsigned;
};

constexpr std::array kTypeWords = {
    TypeWord{"unsigned", 0, true},  TypeWord{"signed", 0, false},   TypeWord{"const", 0, false},
    TypeWord{"char", 8, false},     TypeWord{"short", 16, false},   TypeWord{"int", 0, false},
    TypeWord{"long", 64, false},    TypeWord{"size_t", 64, true},   TypeWord{"uint8_t", 8, true},
    TypeWord{"uint16_t", 16, true}, TypeWord{"uint32_t", 32, true}, TypeWord{"uint64_t", 64, true},
    TypeWord{"int8_t", 8, false},   TypeWord{"int16_t", 16, false}, TypeWord{"int32_t", 32, false},
    TypeWord{"int64_t", 64, false}, TypeWord{"__u8", 8, true},      TypeWord{"__u16", 16, true},
    TypeWord{"__u32", 32, true},    TypeWord{"__u64", 64, true},    TypeWord{"__s32", 32, false},
    TypeWord{"__s64", 64, false},   TypeWord{"u8", 8, true},        TypeWord{"u16", 16, true},
    TypeWord{"u32", 32, true},      TypeWord{"u64", 64, true},
};

const TypeWord* type_word(const Token& token) {
  if (token.kind != TokenKind::Identifier) return nullptr;
  const auto found = std::ranges::find(kTypeWords, token.text, &TypeWord::word);
  return found == kTypeWords.end() ? nullptr : found;
}

struct Type {
  unsigned bits = 0;
  bool is_unsigned = false;
};

Type parse_type(Lexer& lexer) {
  Type type;
  while (const TypeWord* word = type_word(lexer.peek())) {
    if (word->bits != 0) type.bits = word->bits;
    type.is_unsigned = type.is_unsigned || word->is_unsigned;
    lexer.next();
  }
  if (type.bits == 0) type.bits = 32;
  return type;
}

std::uint64_t cast(std::uint64_t value, Type type) {
  if (type.bits == 64) return value;
  const std::uint64_t mask = (std::uint64_t{1} << type.bits) - 1U;
  value &= mask;
  const bool negative = !type.is_unsigned && ((value >> (type.bits - 1U)) & 1U) != 0;
  return negative ? value | ~mask : value;
}

class Expression {
 public:
  Expression(Lexer& lexer, Arch arch) : lexer_(lexer), arch_(arch) {}

  // Operators of at least this strength; each level of brackets and each sign goes one deeper.
  Value binary(int strength, int depth) {
    Value left = unary(depth);
    while (left) {
      const Operator* found = binary_operator(lexer_.peek());
      if (found == nullptr || found->strength < strength) break;
      const Token token = lexer_.next();
      const Value right = binary(found->strength + 1, depth + 1);
      if (!right) return right;
      left = apply(token, *left, *right);
    }
    return left;
  }

 private:
  Value apply(const Token& token, std::uint64_t left, std::uint64_t right) const {
    const std::string_view name = token.text;
    if ((name == "<<" || name == ">>") && right >= 64) {
      return fail_at(lexer_.text(), token.offset, "a shift by 64 bits or more");
    }
    if ((name == "/" || name == "%") && right == 0) {
      return fail_at(lexer_.text(), token.offset, "a division by 0");
    }
    if (name == "|") return left | right;
    if (name == "^") return left ^ right;
    if (name == "&") return left & right;
    if (name == "<<") return left << right;
    if (name == ">>") return left >> right;
    if (name == "+") return left + right;
    if (name == "-") return left - right;
    if (name == "*") return left * right;
    if (name == "/") return left / right;
    return left % right;
  }

  Value unary(int depth) {
    constexpr int kDeepest = 200;
    if (depth > kDeepest) return lexer_.fail("brackets and signs are nested too deep");
    if (lexer_.accept("+")) return unary(depth + 1);
    if (lexer_.accept("-")) {
      const Value value = unary(depth + 1);
      return value ? Value(std::uint64_t{0} - *value) : value;
    }
    if (lexer_.accept("~")) {
      const Value value = unary(depth + 1);
      return value ? Value(~*value) : value;
    }
    return primary(depth);
  }

  Value primary(int depth) {
    const Token token = lexer_.peek();
    if (token.kind == TokenKind::Number) return lexer_.next().value;
    if (token.kind == TokenKind::Identifier) {
      if (token.text == "offsetof" || token.text == "__builtin_offsetof") return offset_of();
      if (token.text == "sizeof") return size_of();
      const auto value = constant(token.text, arch_);
      if (!value) return lexer_.fail(value.error());
      lexer_.next();
      return *value;
    }
    // One plain character: '\x20' and its like stand in strings only.
    if (token.kind == TokenKind::Character && token.text.size() == 3) {
      return static_cast<unsigned char>(lexer_.next().text[1]);
    }
    if (!lexer_.accept("(")) return lexer_.fail("a number or a name is expected here");
    if (type_word(lexer_.peek()) != nullptr) {
      const Type type = parse_type(lexer_);
      if (const auto closed = lexer_.expect(")"); !closed) return std::unexpected(closed.error());
      const Value value = unary(depth + 1);
      return value ? Value(cast(*value, type)) : value;
    }
    const Value value = binary(1, depth + 1);
    if (!value) return value;
    if (const auto closed = lexer_.expect(")"); !closed) return std::unexpected(closed.error());
    return value;
  }

  Value size_of() {
    lexer_.next();
    if (const auto open = lexer_.expect("("); !open) return std::unexpected(open.error());
    if (type_word(lexer_.peek()) == nullptr) return lexer_.fail("the name of a type is expected");
    const Type type = parse_type(lexer_);
    if (const auto closed = lexer_.expect(")"); !closed) return std::unexpected(closed.error());
    return type.bits / 8U;
  }

  Value offset_of() {
    lexer_.next();
    for (const std::string_view part : {"(", "struct", "seccomp_data", ","}) {
      if (const auto taken = lexer_.expect(part); !taken) return std::unexpected(taken.error());
    }
    struct Field {
      std::string_view name;
      std::uint64_t offset;
    };
    constexpr std::array kFields = {Field{"nr", 0}, Field{"arch", 4},
                                    Field{"instruction_pointer", 8}, Field{"args", 16}};
    const auto field = std::ranges::find(kFields, lexer_.peek().text, &Field::name);
    if (field == kFields.end()) {
      return lexer_.fail("seccomp_data has nr, arch, instruction_pointer and args");
    }
    lexer_.next();
    std::uint64_t offset = field->offset;
    if (field->name == "args" && lexer_.accept("[")) {
      const Token index = lexer_.peek();
      if (index.kind != TokenKind::Number || index.value >= 6) {
        return lexer_.fail("seccomp_data has args[0] to args[5]");
      }
      offset += 8U * lexer_.next().value;
      if (const auto closed = lexer_.expect("]"); !closed) return std::unexpected(closed.error());
    }
    if (const auto closed = lexer_.expect(")"); !closed) return std::unexpected(closed.error());
    return offset;
  }

  Lexer& lexer_;
  Arch arch_;
};

}  // namespace

std::expected<std::uint32_t, ReadError> parse_field(Lexer& lexer, Arch arch, std::string_view field,
                                                    std::uint32_t most) {
  const std::size_t offset = lexer.peek().offset;
  const Value value = Expression(lexer, arch).binary(1, 0);
  if (!value) return std::unexpected(value.error());
  const auto number = static_cast<std::int64_t>(*value);
  const std::int64_t least = -(std::int64_t{most} + 1) / 2;
  if (*value > most && (number >= 0 || number < least)) {
    return fail_at(lexer.text(), offset,
                   fmt::format("{} is out of range: {} is the most", field, most));
  }
  return static_cast<std::uint32_t>(*value & most);
}

}  // namespace callgate::front_ends
