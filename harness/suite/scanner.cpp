#include "harness/suite/scanner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <utility>
#include <vector>

#include "harness/front_ends/constants.hpp"
#include "harness/front_ends/policy_text.hpp"
#include "harness/report/arguments.hpp"

namespace callgate::suite {
namespace {

constexpr unsigned kMostDepth = 50;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A value, or an expression of several: C's operators, the loosest first.
class Expression {
 public:
  Expression(Scanner& scanner, Arch arch) : scanner_(scanner), arch_(arch) {}

  std::expected<Value, TextError> primary(unsigned depth) {
    if (depth > kMostDepth) return scanner_.error("parentheses are nested too deeply");
    if (scanner_.accept("-")) {
      return changed(primary(depth + 1), [](Value value) {
        const std::uint64_t bits = 0 - value.bits;
        return Value{bits, !value.negative && (bits >> 63U) != 0, value.computed, {}};
      });
    }
    if (scanner_.accept("~")) {
      return changed(primary(depth + 1),
                     [](Value value) { return Value{~value.bits, false, true, {}}; });
    }
    if (scanner_.accept("(")) {
      auto inside = any_of(0, depth + 1);
      if (inside && !scanner_.accept(")")) {
        return scanner_.error(fmt::format("`)` is missing, and {} comes", scanner_.next_words()));
      }
      return inside;
    }
    return single();
  }

 private:
  using Result = std::expected<Value, TextError>;

  template <typename Change>
  static Result changed(Result value, Change change) {
    if (!value) return value;
    return change(*value);
  }

  Result single() {
    const char first = scanner_.peek();
    const std::size_t start = scanner_.at();
    if (is_digit(first)) return number(start);
    const std::string_view name = scanner_.word();
    if (name.empty()) {
      return scanner_.error(fmt::format("a value is missing, and {} comes", scanner_.next_words()));
    }
    const auto value = front_ends::find_constant(name, arch_);
    if (!value) {
      scanner_.go_back(start);
      return scanner_.error(value.error());
    }
    return Value{*value, (*value >> 63U) != 0, false, name};
  }

  Result number(std::size_t start) {
    std::size_t end = start;
    while (end < scanner_.text().size() && is_word(scanner_.text()[end])) ++end;
    const std::string_view digits = scanner_.text().substr(start, end - start);
    const auto value = c_number_of(digits);
    if (!value) {
      return scanner_.error(
          fmt::format("{}: no number; numbers are decimal, hexadecimal (0x…) or octal (0…), of 64 "
                      "bits at most",
                      front_ends::shown(digits)));
    }
    scanner_.go_back(end);
    return Value{*value, false, false, {}};
  }

  struct Operator {
    std::string_view sign;
    int level;
    std::uint64_t (*apply)(std::uint64_t a, std::uint64_t b);
  };
  static constexpr int kLevels = 5;

  static std::uint64_t shifted(std::uint64_t a, std::uint64_t b, bool left) {
    if (b > 63) return 0;
    return left ? a << b : a >> b;
  }

  // The operator that comes next, of a level or none.
  const Operator* next_operator(int level) {
    static constexpr Operator kOperators[] = {
        {"<<", 3, [](std::uint64_t a, std::uint64_t b) { return shifted(a, b, true); }},
        {">>", 3, [](std::uint64_t a, std::uint64_t b) { return shifted(a, b, false); }},
        {"|", 0, [](std::uint64_t a, std::uint64_t b) { return a | b; }},
        {"^", 1, [](std::uint64_t a, std::uint64_t b) { return a ^ b; }},
        {"&", 2, [](std::uint64_t a, std::uint64_t b) { return a & b; }},
        {"+", 4, [](std::uint64_t a, std::uint64_t b) { return a + b; }},
        {"-", 4, [](std::uint64_t a, std::uint64_t b) { return a - b; }},
    };
    for (const Operator& each : kOperators) {
      if (each.level == level && scanner_.accept(each.sign)) return &each;
    }
    return nullptr;
  }

  Result any_of(int level, unsigned depth) {
    if (level == kLevels) return primary(depth);
    Result left = any_of(level + 1, depth);
    while (left) {
      const Operator* const op = next_operator(level);
      if (op == nullptr) break;
      const Result right = any_of(level + 1, depth);
      if (!right) return right;
      left = Value{op->apply(left->bits, right->bits), false, true, {}};
    }
    return left;
  }

  Scanner& scanner_;
  Arch arch_;
};

}  // namespace

bool Scanner::at_end() noexcept { return peek() == '\0' && at_ >= text_.size(); }

char Scanner::peek() noexcept {
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  return at_ < text_.size() ? text_[at_] : '\0';
}

bool Scanner::accept(std::string_view sign) noexcept {
  static_cast<void>(peek());
  if (!text_.substr(at_).starts_with(sign)) return false;
  at_ += sign.size();
  return true;
}

bool Scanner::accept_word(std::string_view wanted) noexcept {
  static_cast<void>(peek());
  const std::size_t before = at_;
  if (word() == wanted) return true;
  at_ = before;
  return false;
}

std::string_view Scanner::word() noexcept {
  const char first = peek();
  if (!is_word(first) || is_digit(first)) return {};
  const std::size_t start = at_;
  while (at_ < text_.size() && is_word(text_[at_])) ++at_;
  return text_.substr(start, at_ - start);
}

std::string Scanner::next_words() noexcept {
  if (at_end()) return "the end";
  std::size_t end = at_;
  while (end < text_.size() && is_word(text_[end])) ++end;
  if (end == at_) {
    // A character of several bytes is shown whole.
    ++end;
    while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xc0U) == 0x80U) ++end;
  }
  return fmt::format("`{}`", front_ends::shown(text_.substr(at_, end - at_)));
}

namespace {

std::optional<std::uint64_t> digits_of(std::string_view text, int base) noexcept {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc{} || at != end) return std::nullopt;
  return value;
}

bool is_hexadecimal(std::string_view text) noexcept {
  return text.starts_with("0x") || text.starts_with("0X");
}

}  // namespace

std::optional<std::uint64_t> number_of(std::string_view text) noexcept {
  return is_hexadecimal(text) ? digits_of(text.substr(2), 16) : digits_of(text, 10);
}

std::optional<std::uint64_t> c_number_of(std::string_view text) noexcept {
  const bool octal = text.size() > 1 && text[0] == '0' && !is_hexadecimal(text);
  return octal ? digits_of(text, 8) : number_of(text);
}

std::size_t letters_apart(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t corner = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, corner + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      corner = above;
    }
  }
  return row[b.size()];
}

std::optional<std::string> value_words(std::uint64_t value, std::string_view call, unsigned index,
                                       Arch abi) {
  const report::ArgumentWords argument = report::argument_words(call, index, abi);
  if (argument.family == nullptr) return std::nullopt;
  std::string named = report::value_words(value, 64, argument.family, abi);
  if (named.find('|') != std::string::npos) named = fmt::format("({})", named);
  Scanner scanner(named);
  const auto again = read_value(scanner, abi);
  if (!again || !scanner.at_end() || again->bits != value) return std::nullopt;
  return named;
}

std::expected<Value, TextError> read_value(Scanner& scanner, Arch arch) {
  return Expression(scanner, arch).primary(0);
}

}  // namespace callgate::suite
