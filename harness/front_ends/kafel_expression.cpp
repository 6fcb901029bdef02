// Conditions as kafel takes them (src/parser.y, expression.c, codegen.c at 79a3ff5, 00532cc): a
// comparison is 64 bits wide where some number in it has more than 32 bits or some argument has 8
// bytes, else it is about low words. What has no effect is dropped before that is asked: | 0,
// & 0xffffffffffffffff. All comparisons are unsigned.

#include "harness/front_ends/kafel_expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace callgate::front_ends {
namespace {

constexpr std::size_t kDeepest = 64;
constexpr std::uint64_t kLowWord = 0xffffffffU;

// (argument & mask) | number, with no bit in both; a number where there is no argument.
struct Bits {
  std::optional<unsigned> argument{};
  std::uint64_t mask = 0;
  std::uint64_t number = 0;
  bool wide = false;   // more than the low word counts
  bool plain = false;  // the argument as it is
};

// What parentheses hold: a condition, or what is compared.
struct Value {
  std::optional<Boolean> condition{};
  Bits bits{};
};

class Reader {
 public:
  Reader(const std::vector<KafelWord>& words, std::size_t& at, const KafelScope& scope)
      : words_(words), at_(at), scope_(scope) {}

  Boolean read() {
    const KafelWord& first = next();
    return condition(list(0), first);
  }

 private:
  [[nodiscard]] const KafelWord& next() const { return words_[at_]; }
  bool accept(std::string_view spelling) {
    if (!next().is(spelling)) return false;
    ++at_;
    return true;
  }

  static Boolean condition(Value value, const KafelWord& at) {
    if (!value.condition) at.fail("no condition: compare it, \"fd == 1\"");
    return std::move(*value.condition);
  }
  static Bits bits(const Value& value, const KafelWord& at) {
    if (value.condition) at.fail("a condition where a number or an argument is wanted");
    return value.bits;
  }

  // Parts with a word between them; one alone stays what it is.
  template <typename Part>
  Value chain(std::string_view word, Boolean::Kind kind, const Part& part) {
    const KafelWord& first = next();
    Value out = part();
    if (!next().is(word)) return out;
    Boolean all{kind, {}, {}};
    all.parts.push_back(condition(std::move(out), first));
    while (accept(word)) {
      const KafelWord& begin = next();
      all.parts.push_back(condition(part(), begin));
    }
    return {std::move(all), {}};
  }

  Value list(std::size_t depth) {
    return chain(",", Boolean::Kind::Or, [&] {
      return chain("||", Boolean::Kind::Or,
                   [&] { return chain("&&", Boolean::Kind::And, [&] { return primary(depth); }); });
    });
  }

  Value primary(std::size_t depth) {
    const KafelWord& first = next();
    if (depth > kDeepest) first.fail(fmt::format("nested more than {} levels", kDeepest));
    if (accept("!")) {
      const KafelWord& inner = next();
      Boolean out{Boolean::Kind::Not, {}, {}};
      out.parts.push_back(condition(primary(depth + 1), inner));
      return {std::move(out), {}};
    }
    Value left = bit_or(depth);
    for (const Comparison each :
         {Comparison::Equal, Comparison::NotEqual, Comparison::LessEqual, Comparison::GreaterEqual,
          Comparison::Less, Comparison::Greater}) {
      const KafelWord& sign = next();
      if (!accept(sign_of(each))) continue;
      const Bits left_bits = bits(left, first);
      const KafelWord& begin = next();
      const Bits right_bits = bits(bit_or(depth), begin);
      return {compared(left_bits, each, right_bits, sign), {}};
    }
    return left;
  }

  Value bit_or(std::size_t depth) {
    const KafelWord& first = next();
    Value out = bit_and(depth);
    while (next().is("|")) {
      const KafelWord& sign = next();
      ++at_;
      const KafelWord& begin = next();
      out.bits = joined(bits(out, first), bits(bit_and(depth), begin), true, sign);
    }
    return out;
  }

  Value bit_and(std::size_t depth) {
    const KafelWord& first = next();
    Value out = operand(depth);
    while (next().is("&")) {
      const KafelWord& sign = next();
      ++at_;
      const KafelWord& begin = next();
      out.bits = joined(bits(out, first), bits(operand(depth), begin), false, sign);
    }
    return out;
  }

  Value operand(std::size_t depth) {
    const KafelWord& word = next();
    if (accept("(")) {
      Value inner = list(depth + 1);
      if (!accept(")")) next().fail(") is missing");
      return inner;
    }
    if (word.kind == KafelToken::Number) {
      ++at_;
      return {{}, number(word.value)};
    }
    if (word.kind != KafelToken::Identifier) {
      word.fail("a number or an argument's name is wanted here");
    }
    ++at_;
    if (const std::uint64_t* constant = scope_.constant(word.text)) return {{}, number(*constant)};
    const auto found = std::ranges::find(scope_.arguments, word.text, &KafelArgument::name);
    if (found == scope_.arguments.end()) word.fail(scope_.unknown);
    Bits out;
    out.argument = static_cast<unsigned>(found - scope_.arguments.begin());
    out.mask = argument_bits();
    out.wide = found->bytes == 8;
    out.plain = true;
    return {{}, out};
  }

  // On a 32-bit machine the high words are 0.
  [[nodiscard]] std::uint64_t argument_bits() const {
    return scope_.bits == 32 ? kLowWord : kAllBits;
  }

  static Bits number(std::uint64_t value) { return {{}, 0, value, value > kLowWord, false}; }

  static Bits joined(const Bits& left, const Bits& right, bool with_or, const KafelWord& sign) {
    if (!left.argument && !right.argument) {
      return number(with_or ? left.number | right.number : left.number & right.number);
    }
    if (left.argument && right.argument && left.argument != right.argument) {
      sign.fail("it puts two arguments together; Callgate's policies test them one by one");
    }
    if (left.argument && right.argument) return same(left, right, with_or);
    const Bits& of_argument = left.argument ? left : right;
    const std::uint64_t value = left.argument ? right.number : left.number;
    if (value == (with_or ? kAllBits : 0)) return number(value);
    if (value == (with_or ? 0 : kAllBits)) return of_argument;
    return same(of_argument, number(value), with_or);
  }

  // Bit by bit, of one argument.
  static Bits same(const Bits& left, const Bits& right, bool with_or) {
    Bits out;
    out.argument = left.argument;
    if (with_or) {
      out.number = left.number | right.number;
      out.mask = (left.mask | right.mask) & ~out.number;
    } else {
      out.number = left.number & right.number;
      out.mask = (left.mask & right.mask) | (left.mask & right.number) | (left.number & right.mask);
    }
    out.wide = left.wide || right.wide;
    return out;
  }

  static Comparison mirrored(Comparison comparison) {
    switch (comparison) {
      case Comparison::Less:
        return Comparison::Greater;
      case Comparison::LessEqual:
        return Comparison::GreaterEqual;
      case Comparison::Greater:
        return Comparison::Less;
      case Comparison::GreaterEqual:
        return Comparison::LessEqual;
      case Comparison::Equal:
      case Comparison::NotEqual:
        break;
    }
    return comparison;
  }

  static bool truth(std::uint64_t left, Comparison comparison, std::uint64_t right) {
    SeccompData data;
    data.args[0] = left;
    return holds({0, comparison, right, kAllBits}, data, false);
  }

  static Boolean compared(const Bits& left, Comparison comparison, const Bits& right,
                          const KafelWord& sign) {
    if (!left.argument && !right.argument) {
      return Boolean::constant(truth(left.number, comparison, right.number));
    }
    if (!left.argument) return compared(right, mirrored(comparison), left, sign);
    if (!right.argument) return with_number(left, comparison, right.number);
    if (left.argument != right.argument) {
      sign.fail("it compares two arguments; Callgate's policies test them one by one");
    }
    if (left.plain && right.plain) return Boolean::constant(truth(0, comparison, 0));
    if (comparison != Comparison::Equal && comparison != Comparison::NotEqual) {
      sign.fail(
          "it compares bits of an argument with others of it, by order; Callgate's policies "
          "compare them with numbers");
    }
    // Equal where all bits are in which both differ: those of one side alone.
    std::uint64_t mask = left.mask ^ right.mask;
    std::uint64_t value = left.number ^ right.number;
    if (!left.wide && !right.wide) {
      mask &= kLowWord;
      value &= kLowWord;
    }
    return test({*left.argument, comparison, value, mask});
  }

  static Boolean with_number(const Bits& left, Comparison comparison, std::uint64_t value) {
    const bool wide = left.wide || value > kLowWord;
    const std::uint64_t width = wide ? kAllBits : kLowWord;
    const std::uint64_t mask = left.mask & width;
    const std::uint64_t number = left.number & width;
    if (comparison == Comparison::Equal || comparison == Comparison::NotEqual) {
      if ((value & number) != number) return Boolean::constant(comparison == Comparison::NotEqual);
      return test({*left.argument, comparison, value & ~number, mask});
    }
    // No bit is in both: the number is added.
    if (value < number) return Boolean::constant(truth(1, comparison, 0));
    return test({*left.argument, comparison, value - number, mask});
  }

  // Tests that always come to the same are constants, so that words of 32 bits need no thought.
  static Boolean test(const ArgTest& test) {
    const bool order =
        test.comparison != Comparison::Equal && test.comparison != Comparison::NotEqual;
    if (!order && (test.value & ~test.mask) != 0) {
      return Boolean::constant(test.comparison == Comparison::NotEqual);
    }
    if (order && test.value > test.mask) {
      return Boolean::constant(truth(0, test.comparison, 1));
    }
    return {Boolean::Kind::Test, test, {}};
  }

  const std::vector<KafelWord>& words_;
  std::size_t& at_;
  const KafelScope& scope_;
};

}  // namespace

Boolean read_kafel_condition(const std::vector<KafelWord>& words, std::size_t& at,
                             const KafelScope& scope) {
  return Reader(words, at, scope).read();
}

}  // namespace callgate::front_ends
