// Reads patterns of calls.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "harness/audit/argument_kinds.hpp"
#include "harness/front_ends/constants.hpp"
#include "harness/report/arguments.hpp"
#include "harness/suite/call_pattern.hpp"
#include "harness/suite/explicit_call.hpp"
#include "vm/syscalls.hpp"

namespace callgate::suite {
namespace {

constexpr std::uint64_t kAll = ~std::uint64_t{0};
constexpr std::uint64_t kLow = 0xffffffffU;
constexpr std::size_t kMostAtoms = 10'000;

// Thrown inside; parse_pattern() returns it.
struct Wrong {
  PatternError error;
};

bool is_mips(Arch abi) { return info(abi).numbers.enosys == kMipsNumbers.enosys; }

// Numbers of one ABI, which x86_64 and x32 share a token for.
std::vector<NumberRange> numbers_of(Arch abi) {
  constexpr std::uint32_t kHalf = 0x80000000U;
  if (abi == Arch::X86_64) return {{0, kX32Bit - 1}, {kHalf, kHalf + kX32Bit - 1}};
  if (abi == Arch::X32) return {{kX32Bit, kHalf - 1}, {kHalf + kX32Bit, 0xffffffffU}};
  return {{0, 0xffffffffU}};
}

std::vector<NumberRange> known_numbers(Arch abi) {
  std::vector<NumberRange> out;
  for (const SyscallRow& row : syscalls(abi)) {
    if (!out.empty() && row.nr <= out.back().last + 1) {
      out.back().last = std::max(out.back().last, row.nr);
    } else {
      out.push_back({row.nr, row.nr});
    }
  }
  return out;
}

std::vector<NumberRange> unknown_numbers(Arch abi) {
  std::vector<NumberRange> out;
  const std::vector<NumberRange> known = known_numbers(abi);
  for (const NumberRange& all : numbers_of(abi)) {
    std::uint64_t next = all.first;
    for (const NumberRange& range : known) {
      if (range.last < next || range.first > all.last) continue;
      if (range.first > next) {
        out.push_back({static_cast<std::uint32_t>(next), range.first - 1});
      }
      next = std::uint64_t{range.last} + 1;
    }
    if (next <= all.last) out.push_back({static_cast<std::uint32_t>(next), all.last});
  }
  return out;
}

class Reader {
 public:
  Reader(std::string_view text, Arch machine, Arch abi, HighHalf high)
      : scanner_(text), machine_(machine), high_(high) {
    pattern_.text = std::string(text);
    pattern_.abi = abi;
    pattern_.token = info(abi).token;
  }

  CallPattern read() {
    auto head = read_abi(scanner_, machine_);
    if (!head) fail(std::move(head.error()));
    if (head->named_abi) {
      pattern_.token = head->token;
      pattern_.abi = head->abi;
    }
    read_who();
    if (scanner_.accept("(")) read_arguments();
    if (!scanner_.at_end()) {
      fail_here(fmt::format("the pattern ends before {}", scanner_.next_words()));
    }
    registers_of_32_bits();
    return std::move(pattern_);
  }

 private:
  [[noreturn]] static void fail(TextError error,
                                PatternError::Kind kind = PatternError::Kind::Malformed) {
    throw Wrong{{kind, std::move(error)}};
  }
  [[noreturn]] void fail_here(std::string message,
                              PatternError::Kind kind = PatternError::Kind::Malformed) {
    fail(scanner_.error(std::move(message)).error(), kind);
  }

  void read_who() {
    if (scanner_.accept("*")) {
      pattern_.numbers = numbers_of(pattern_.abi);
      return;
    }
    if (scanner_.accept("@")) {
      const std::size_t start = scanner_.at();
      const std::string_view set = scanner_.word();
      if (set == "known") {
        pattern_.numbers = known_numbers(pattern_.abi);
      } else if (set == "unknown") {
        pattern_.numbers = unknown_numbers(pattern_.abi);
      } else {
        scanner_.go_back(start);
        fail_here("a set of calls is @known or @unknown");
      }
      return;
    }
    const char first = scanner_.peek();
    if ((first >= '0' && first <= '9') || first == '-' || first == '(') {
      read_numbers();
      return;
    }
    const std::size_t start = scanner_.at();
    const std::string_view name = scanner_.word();
    if (name.empty()) {
      fail_here(fmt::format("the name of a call is missing, and {} comes; * is every call",
                            scanner_.next_words()));
    }
    const auto number = syscall_number(pattern_.abi, name);
    if (!number) {
      scanner_.go_back(start);
      fail_here(no_such_call(name, pattern_.abi), is_call_anywhere(name)
                                                      ? PatternError::Kind::Absent
                                                      : PatternError::Kind::Malformed);
    }
    pattern_.call = std::string(name);
    pattern_.numbers = {{*number, *number}};
  }

  std::uint32_t read_number() {
    const std::size_t start = scanner_.at();
    const Value number = value();
    if (!fits_low(number)) {
      scanner_.go_back(start);
      fail_here("a number of a call has 32 bits");
    }
    return static_cast<std::uint32_t>(number.bits);
  }
  void read_numbers() {
    NumberRange range{};
    range.first = read_number();
    range.last = range.first;
    if (scanner_.accept("..")) range.last = read_number();
    if (range.last < range.first) fail_here("the range ends before it begins");
    pattern_.numbers = {range};
    if (range.first != range.last) return;
    if (const auto name = syscall_name(pattern_.abi, range.first)) pattern_.call = *name;
  }

  // The value that comes next.
  Value value() {
    const std::size_t start = scanner_.at();
    auto out = read_value(scanner_, pattern_.abi);
    if (out) return *out;
    // A constant that only others have is no mistake of the author's.
    Scanner word(scanner_.text());
    word.go_back(std::max(start, out.error().offset));
    const std::string_view name = word.word();
    const bool elsewhere = !name.empty() && std::ranges::any_of(arches(), [&](const ArchInfo& row) {
      return front_ends::find_constant(name, row.arch).has_value();
    });
    fail(std::move(out.error()),
         elsewhere ? PatternError::Kind::Absent : PatternError::Kind::Malformed);
  }

  void read_arguments() {
    if (scanner_.accept(")")) return;
    for (unsigned position = 0;; ++position) {
      read_argument(position);
      if (scanner_.accept(")")) return;
      if (!scanner_.accept(",")) {
        fail_here(fmt::format("`,` or `)` is missing, and {} comes", scanner_.next_words()));
      }
    }
  }

  // The argument that a name stands for, if it is one of this call.
  std::optional<unsigned> index_of(std::string_view name) const {
    if (name == "ip") return ArgumentTest::kInstructionPointer;
    for (unsigned i = 0; i < 6; ++i) {
      if (name == fmt::format("arg{}", i)) return i;
      if (!pattern_.call.empty() &&
          report::argument_words(pattern_.call, i, pattern_.abi).name == name) {
        return i;
      }
    }
    return std::nullopt;
  }
  std::optional<unsigned> read_name() {
    const std::size_t start = scanner_.at();
    const auto index = index_of(scanner_.word());
    if (!index) scanner_.go_back(start);
    return index;
  }

  void read_argument(unsigned position) {
    if (scanner_.accept("*")) {
      require_position(position);
      return;
    }
    if (auto named = read_name()) {
      read_test(*named, true);
      while (scanner_.accept_word("and")) {
        named = read_name();
        if (!named) fail_here("after `and` comes the name of an argument, such as arg0");
        read_test(*named, true);
      }
      return;
    }
    // A lower-case word is no constant: say which names there are.
    const std::size_t start = scanner_.at();
    const std::string_view word = scanner_.word();
    const bool unknown_name =
        !word.empty() && std::ranges::none_of(word, [](char c) { return c >= 'A' && c <= 'Z'; });
    if (unknown_name && word != "in") {
      scanner_.go_back(start);
      fail_here(fmt::format("{}: no argument of it; there are {}arg0 to arg5 and ip", word,
                            argument_names()));
    }
    scanner_.go_back(start);
    require_position(position);
    read_test(position, false);
    if (scanner_.accept_word("and")) fail_here("before `and` the argument must be named");
  }

  std::string argument_names() const {
    std::string out;
    for (unsigned i = 0; i < 6 && !pattern_.call.empty(); ++i) {
      const std::string name = report::argument_words(pattern_.call, i, pattern_.abi).name;
      if (!name.starts_with("arg")) out += name + ", ";
    }
    return out;
  }

  void require_position(unsigned position) {
    if (position >= 6) fail_here("a call has 6 arguments at most");
    const auto kind = kind_of(position);
    if (kind == audit::ArgumentKind::Absent) {
      fail_here(fmt::format("{} has {} argument{}; further registers are named arg{} and so on",
                            pattern_.call, position, position == 1 ? "" : "s", position));
    }
  }
  std::optional<audit::ArgumentKind> kind_of(unsigned index) const {
    if (pattern_.call.empty() || index > 5) return std::nullopt;
    return audit::argument_kind(pattern_.abi, pattern_.call, index);
  }

  // What is asked of an argument, as it is read: values with their signs.
  struct Asked {
    Value first;
    Value last;
    std::uint64_t mask = kAll;
    bool open_below = false;  ///< from the least
    bool open_above = false;  ///< to the largest
    bool is_signed = false;   ///< what is open ends where signed numbers do
  };

  void read_test(unsigned index, bool named) {
    std::vector<Asked> asked;
    bool none = false;
    if (scanner_.accept("==")) {
      read_alternatives(index, asked);
    } else if (scanner_.accept("!=")) {
      none = true;
      read_alternatives(index, asked);
    } else if (scanner_.accept("<=")) {
      const Value bound = value();
      asked.push_back({{}, bound, kAll, true, false, bound.negative});
    } else if (scanner_.accept(">=")) {
      const Value bound = value();
      asked.push_back({bound, {}, kAll, false, true, bound.negative});
    } else if (scanner_.accept("<")) {
      const Value bound = value();
      if (bound.bits == 0) fail_here("nothing is below 0: numbers are unsigned");
      constexpr std::uint64_t kLeast = std::uint64_t{1} << 63U;
      if (bound.negative && bound.bits == kLeast) fail_here("nothing is below that");
      asked.push_back({{},
                       {bound.bits - 1, bound.negative, bound.computed, {}},
                       kAll,
                       true,
                       false,
                       bound.negative});
    } else if (scanner_.accept(">")) {
      const Value bound = value();
      if (bound.bits == kAll && !bound.negative) fail_here("nothing is above that");
      const std::uint64_t next = bound.bits + 1;
      asked.push_back({{next, bound.negative && next != 0, bound.computed, {}},
                       {},
                       kAll,
                       false,
                       true,
                       bound.negative});
    } else if (scanner_.accept("&")) {
      none = read_mask(asked);
    } else if (scanner_.accept("!")) {
      none = true;
      read_alternatives(index, asked);
    } else {
      if (!scanner_.accept_word("in") && named) {
        fail_here(
            fmt::format("after the name of an argument comes ==, !=, <, <=, >, >=, & or in, "
                        "and not {}",
                        scanner_.next_words()));
      }
      read_alternatives(index, asked);
    }
    add_test(index, asked, none);
  }

  // `& MASK`: some bit of it; `& MASK == VALUE`, `& MASK != VALUE`. True where it is not to hold.
  bool read_mask(std::vector<Asked>& asked) {
    const Value mask = value();
    if (scanner_.accept("==") || scanner_.accept("!=")) {
      const bool unequal = scanner_.text()[scanner_.at() - 2] == '!';
      const Value wanted = value();
      if ((wanted.bits & ~mask.bits) != 0) {
        fail_here(fmt::format("under the mask {:#x} nothing is {:#x}", mask.bits, wanted.bits));
      }
      asked.push_back({wanted, wanted, mask.bits, false, false, false});
      return unequal;
    }
    if (mask.bits == 0) fail_here("a mask of 0 has no bits");
    asked.push_back({{}, {}, mask.bits, false, false, false});
    return true;  // not: all of its bits are 0
  }

  void read_alternatives(unsigned index, std::vector<Asked>& asked) {
    std::vector<Value> named;
    const auto one = [&] {
      const Value first = value();
      Value last = first;
      if (scanner_.accept("..")) {
        last = value();
        const bool rises =
            first.negative != last.negative ? first.negative : first.bits <= last.bits;
        if (!rises) fail_here("the range ends before it begins");
      } else if (!first.constant.empty()) {
        named.push_back(first);
      }
      asked.push_back({first, last, kAll, false, false, false});
      if (asked.size() > kMostAtoms) fail_here("more than 10,000 alternatives");
    };
    std::size_t bars = 0;
    do {
      if (scanner_.accept("{")) {
        do {
          one();
        } while (scanner_.accept(","));
        if (!scanner_.accept("}")) {
          fail_here(fmt::format("`}}` is missing, and {} comes", scanner_.next_words()));
        }
        named.clear();
      } else {
        one();
      }
      ++bars;
    } while (scanner_.accept("|"));
    if (bars > 1 && named.size() > 1 && may_be_bits(index, named)) {
      std::vector<std::string_view> names;
      for (const Value& each : named) names.push_back(each.constant);
      fail_here(fmt::format(
          "`|` stands between alternatives, one value or the other, and {} may be bits: write ({}) "
          "for both at once, {{{}}} for one or the other",
          fmt::join(names, " and "), fmt::join(names, "|"), fmt::join(names, ", ")));
    }
  }

  // Whether constants with `|` between them may be meant as C means it: not where the argument is
  // known to be one value of several, and they are such.
  bool may_be_bits(unsigned index, const std::vector<Value>& named) const {
    if (pattern_.call.empty() || index > 5) return true;
    const auto* const family = report::argument_words(pattern_.call, index, pattern_.abi).family;
    if (family == nullptr) return true;
    switch (family->kind) {
      case report::FamilyKind::Flags:
        return true;
      case report::FamilyKind::Typed:
        return std::ranges::any_of(named, [](const Value& each) { return each.bits > 15; });
      case report::FamilyKind::Values:
        break;
    }
    if (family->name == "ioctl") return false;  // drivers' own are not among its constants
    return !std::ranges::all_of(named, [&](const Value& each) {
      if (each.constant.ends_with("_FLAG"))
        return false;  // as FUTEX_PRIVATE_FLAG: its value is FUTEX_WAIT_PRIVATE's too
      const std::string words = report::value_words(each.bits, 64, family, pattern_.abi);
      return !words.empty() && (words[0] < '0' || words[0] > '9') && words[0] != '-';
    });
  }

  // How wide the kernel looks at it.
  struct Width {
    bool low = false;
    bool is_signed = false;
    HighHalf high = HighHalf::Exact;
  };
  Width width_of(unsigned index) const {
    if (index == ArgumentTest::kInstructionPointer || high_ == HighHalf::Exact) return {};
    if (info(pattern_.abi).bits == 32) {
      // int 0x80 passes whole registers; of MIPS some kernels extend signs, others do not.
      return {true, is_mips(pattern_.abi), high_};
    }
    const auto kind = kind_of(index);
    if (!kind || !audit::is_32_bits(*kind)) return {};
    return {true, *kind == audit::ArgumentKind::Signed32, high_};
  }

  static bool fits_low(const Value& value) {
    return value.bits <= kLow ||
           ((value.negative || value.computed) && value.bits >= 0xffffffff80000000U);
  }

  void add_test(unsigned index, const std::vector<Asked>& asked, bool none) {
    Width width = width_of(index);
    const auto whole = std::ranges::count_if(asked, [](const Asked& each) {
      const bool wide_mask = each.mask != kAll && each.mask > kLow && (each.mask >> 32U) != kLow;
      return !fits_low(each.first) || !fits_low(each.last) || wide_mask;
    });
    if (width.low && whole != 0 && static_cast<std::size_t>(whole) != asked.size()) {
      fail_here(
          "the kernel takes 32 bits of this argument, and of these values some have more and some "
          "do not: write a pattern for each kind, or high_half: exact for whole registers");
    }
    if (whole != 0) width = {};
    ArgumentTest test{.index = index,
                      .low = width.low,
                      .high = width.high,
                      .is_signed = width.is_signed,
                      .none = none,
                      .atoms = {}};
    const std::uint64_t cut = width.low ? kLow : kAll;
    const std::uint64_t top = (cut >> 1U) + 1;
    for (const Asked& each : asked) {
      const std::uint64_t mask = each.mask == kAll ? kAll : each.mask & cut;
      std::uint64_t first = each.first.bits & cut;
      std::uint64_t last = each.last.bits & cut;
      // Below 0 the order is that of signed numbers.
      if (each.open_below) first = each.is_signed ? top : 0;
      if (each.open_above) last = each.is_signed ? top - 1 : cut;
      if (first <= last) {
        test.atoms.push_back({first, last, mask});
      } else {
        test.atoms.push_back({first, cut, mask});
        test.atoms.push_back({0, last, mask});
      }
    }
    pattern_.tests.push_back(std::move(test));
  }

  // Registers of 32-bit ABIs, where the kernel passes on no more.
  void registers_of_32_bits() {
    const Arch abi = pattern_.abi;
    if (info(abi).bits != 32 || abi == Arch::X86 || abi == Arch::X32 || is_mips(abi)) return;
    for (unsigned i = 0; i < 6; ++i) {
      ArgumentTest test;
      test.index = i;
      test.atoms = {{0, kLow, kAll}};
      pattern_.tests.push_back(std::move(test));
    }
  }

  Scanner scanner_;
  Arch machine_;
  HighHalf high_;
  CallPattern pattern_;
};

}  // namespace

std::expected<CallPattern, PatternError> parse_pattern(std::string_view text, Arch machine,
                                                       Arch abi, HighHalf high) {
  try {
    return Reader(text, machine, abi, high).read();
  } catch (Wrong& wrong) {
    return std::unexpected(std::move(wrong.error));
  }
}

}  // namespace callgate::suite
