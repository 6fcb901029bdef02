// Filters of compile_seccomp_policy's policies: what stands after the semicolon is what becomes of
// calls that pass the tests.

#include "harness/front_ends/minijail_filter.hpp"

#include <fmt/format.h>

#include "harness/front_ends/constants.hpp"
#include "harness/front_ends/minijail.hpp"
#include "harness/front_ends/policy_text.hpp"

namespace callgate::front_ends {
namespace {

using Kind = MinijailToken;
using Word = MinijailWord;

constexpr std::size_t kDeepest = 64;  // of parentheses

class Reader {
 public:
  Reader(Arch arch, bool denylist) : arch_(arch), bits_(info(arch).bits), denylist_(denylist) {}

  std::vector<MinijailFilter> filter_list(MinijailWords& words) {
    std::vector<MinijailFilter> out;
    if (!words.take("{")) {
      out.push_back(filter(words));
      return out;
    }
    do {
      out.push_back(filter(words));
    } while (words.take(","));
    if (!words.take("}")) words.fail("} is missing after the actions");
    return out;
  }

 private:
  MinijailFilter filter(MinijailWords& words) {
    MinijailFilter out;
    if (!words.at(Kind::Argument)) {
      out.always = true;
      out.value = action(words);
      return out;
    }
    do {
      std::vector<ArgTest> tests;
      do {
        tests.push_back(test(words));
      } while (words.take("&&"));
      out.clauses.push_back(std::move(tests));
    } while (words.take("||"));
    out.value = words.take(";") ? action(words) : kAllowValue;
    return out;
  }

  ArgTest test(MinijailWords& words) {
    const Word argument = words.take("an argument", "write \"arg1 == 5\"");
    if (argument.kind != Kind::Argument) words.fail(argument, "no argument; write \"arg1 == 5\"");
    const auto index = argument_index(argument.text);
    if (!index) {
      words.fail(argument, argument.text == "arg6"
                               ? "the compiler takes it, but a filter has arg0 to arg5 alone: the "
                                 "kernel refuses the program"
                               : "no argument; there are arg0 to arg5");
    }
    const Word sign = words.take("an operator", "write \"arg1 == 5\"");
    if (sign.kind != Kind::Operator) {
      words.fail(sign, "no operator; there are == != < <= > >= & in");
    }
    return *minijail_test(*index, sign.text, value(words, 0));
  }

  std::uint64_t value(MinijailWords& words, std::size_t depth) {
    std::uint64_t out = 0;
    do {
      out |= constant(words, depth);
    } while (words.take("|"));
    return out;
  }

  std::uint64_t constant(MinijailWords& words, std::size_t depth) {
    const bool negate = words.take("~");
    if (negate && words.at("~")) words.fail("twice ~");
    std::uint64_t out = 0;
    if (words.at("(")) {
      if (depth == kDeepest) words.fail(fmt::format("nested more than {} levels", kDeepest));
      words.skip();
      out = value(words, depth + 1);
      if (!words.take(")")) words.fail(") is missing");
    } else {
      out = single(words, words.take("a constant", "write a number or a name"));
    }
    return negate ? ~out & word_bits() : out;
  }

  [[nodiscard]] std::uint64_t word_bits() const { return bits_ == 32 ? 0xffffffffU : kAllBits; }

  std::uint64_t single(const MinijailWords& words, const Word& word) const {
    if (word.kind == Kind::Identifier) {
      const auto named = find_constant(word.text, arch_);
      if (!named) words.source().fail(word.offset, named.error());
      return *named & word_bits();
    }
    if (word.kind != Kind::Number) words.fail(word, "no constant; write a number or a name");
    // "08" is decimal there, as no octal number is written so.
    std::string_view digits = word.text;
    const bool negative = digits.starts_with('-');
    if (negative) digits.remove_prefix(1);
    const bool octal =
        digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '7';
    while (!octal && digits.size() > 1 && digits[0] == '0' && (digits[1] | 0x20) != 'x') {
      digits.remove_prefix(1);
    }
    const auto number = c_number((negative ? "-" : "") + std::string(digits), bits_);
    if (!number) words.fail(word, fmt::format("does not fit in {} bits", bits_));
    return number->value;
  }

  std::uint32_t action(MinijailWords& words) {
    const Word word = words.take("an action", "write \"read: allow\"");
    if (denylist_ && word.kind != Kind::Return) {
      words.fail(word, "a denylist says \"return ERRNO\" for every call");
    }
    if (word.kind == Kind::Action) {
      if (word.text == "allow") return kAllowValue;
      if (word.text == "kill-process") return kKillProcessValue;
      if (word.text == "kill" || word.text == "kill-thread") return kKillThreadValue;
      if (word.text == "trap") return kTrapValue;
      if (word.text == "trace") return kTraceValue;
      if (word.text == "log") return kLogValue;
      return kUserNotifValue;
    }
    if (word.kind == Kind::Number && single(words, word) == 1) return kAllowValue;
    if (word.kind == Kind::Return) {
      const Word errno_word = words.take("the errno", "write \"return EPERM\"");
      return kErrnoValue | (static_cast<std::uint32_t>(single(words, errno_word)) & kDataMask);
    }
    words.fail(word,
               "no action; there are allow, 1, kill, kill-process, kill-thread, trap, trace, log, "
               "user-notify and return ERRNO");
  }

  Arch arch_;
  int bits_;
  bool denylist_;
};

}  // namespace

std::vector<MinijailFilter> read_minijail_filters(MinijailWords& words, Arch arch, bool denylist) {
  return Reader(arch, denylist).filter_list(words);
}

}  // namespace callgate::front_ends
