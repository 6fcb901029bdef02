// Patterns of calls: what they mean, by running and by diagram, and what is wrong with others.

#include "harness/suite/call_pattern.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "harness/random/generator.hpp"
#include "vm/syscalls.hpp"

namespace callgate::suite {
namespace {

using random::Source;

constexpr std::uint64_t kAll = ~std::uint64_t{0};
constexpr std::array kMachines{Arch::X86_64, Arch::X32,   Arch::X86,  Arch::AArch64,
                               Arch::Arm,    Arch::S390x, Arch::Mips, Arch::Mips64n32};
constexpr std::array kHalves{HighHalf::Any, HighHalf::Extended, HighHalf::Exact};

CallPattern pattern(std::string_view text, HighHalf high = HighHalf::Extended,
                    Arch machine = Arch::X86_64) {
  auto out = parse_pattern(text, machine, machine, high);
  EXPECT_TRUE(out.has_value()) << text << ": " << out.error().error.message;
  return out ? *out : CallPattern{};
}

SeccompData call_of(const CallPattern& of, std::vector<std::uint64_t> arguments,
                    std::uint64_t pointer = 0) {
  SeccompData data{};
  data.arch = of.token;
  data.nr = static_cast<std::int32_t>(of.numbers.at(0).first);
  for (std::size_t i = 0; i < arguments.size(); ++i) data.args[i] = arguments[i];
  data.instruction_pointer = pointer;
  return data;
}

// Whether a pattern holds for a call with these arguments, which its diagram must say too.
bool holds(std::string_view text, const std::vector<std::uint64_t>& arguments,
           HighHalf high = HighHalf::Extended, Arch machine = Arch::X86_64,
           std::uint64_t pointer = 0) {
  const CallPattern read = pattern(text, high, machine);
  const SeccompData data = call_of(read, arguments, pointer);
  const bool out = read.holds(data);
  verifier::Space space;
  EXPECT_EQ(space.holds(read.condition(space), data), out) << text;
  return out;
}

TEST(CallPattern, a_name_is_every_call_of_it) {
  const CallPattern read = pattern("openat");
  EXPECT_EQ(read.call, "openat");
  EXPECT_TRUE(read.one_number());
  EXPECT_EQ(read.numbers[0].first, 257U);
  EXPECT_EQ(read.token, 0xc000003eU);
  EXPECT_TRUE(holds("openat", {1, kAll, 3}));
  EXPECT_TRUE(holds("openat()", {1, kAll, 3}));
  SeccompData other = call_of(read, {});
  other.nr = 256;
  EXPECT_FALSE(read.holds(other));
  other.nr = 257;
  other.arch = 0x40000003U;
  EXPECT_FALSE(read.holds(other));
}

TEST(CallPattern, arguments_stand_at_their_places_or_behind_their_names) {
  EXPECT_TRUE(holds("read(3, *, 5)", {3, 77, 5}));
  EXPECT_FALSE(holds("read(3, *, 5)", {3, 77, 6}));
  EXPECT_TRUE(holds("read(arg2 == 5, arg0 == 3)", {3, 77, 5}));
  EXPECT_FALSE(holds("read(arg2 == 5, arg0 == 3)", {5, 77, 3}));
  EXPECT_TRUE(holds("read(fd == 3)", {3}));
  EXPECT_FALSE(holds("read(fd == 3)", {4}));
  EXPECT_TRUE(holds("read(arg1 >= 5 and arg1 < 9)", {0, 8}));
  EXPECT_FALSE(holds("read(arg1 >= 5 and arg1 < 9)", {0, 9}));
  EXPECT_TRUE(holds("read(ip == 0x1000)", {}, HighHalf::Any, Arch::X86_64, 0x1000));
  EXPECT_FALSE(holds("read(ip == 0x1000)", {}, HighHalf::Any, Arch::X86_64, 0x100001000U));
}

TEST(CallPattern, values_are_alternatives_ranges_and_their_opposites) {
  EXPECT_TRUE(holds("read(arg1 == 1 | 5)", {0, 5}));
  EXPECT_FALSE(holds("read(arg1 == 1 | 5)", {0, 4}));
  EXPECT_TRUE(holds("read(*, {1, 4..6})", {0, 5}));
  EXPECT_FALSE(holds("read(*, {1, 4..6})", {0, 7}));
  EXPECT_FALSE(holds("read(*, !{1, 4..6})", {0, 6}));
  EXPECT_TRUE(holds("read(*, !{1, 4..6})", {0, 7}));
  EXPECT_TRUE(holds("read(arg1 != 4)", {0, 5}));
  EXPECT_FALSE(holds("read(arg1 != 4)", {0, 4}));
  EXPECT_TRUE(holds("read(arg1 in {4})", {0, 4}));
}

TEST(CallPattern, numbers_are_those_of_C) {
  for (const char* const each : {"chmod(*, 04755)", "chmod(*, 0x9ed)", "chmod(*, (04000|0755))"}) {
    const auto read = pattern(each);
    ASSERT_EQ(read.tests.size(), 1U) << each;
    EXPECT_EQ(read.tests[0].atoms[0].first, 04755U) << each;
  }
  EXPECT_EQ(pattern("chmod(*, 0)").tests[0].atoms[0].first, 0U);
  for (const char* const each :
       {"kill(~0)", "kill((0-1))", "kill((-1|0))", "kill(-1)", "kill({1, ~0})"}) {
    const auto read = pattern(each);
    EXPECT_TRUE(read.tests[0].low) << each;
    EXPECT_EQ(read.tests[0].atoms.back().first, 0xffffffffU) << each;
  }
  EXPECT_FALSE(pattern("kill(0x100000001)").tests[0].low) << "a register that no int fills";
}

TEST(CallPattern, a_mask_asks_for_some_bit_or_for_a_value_below_it) {
  EXPECT_TRUE(holds("read(arg1 & 0x6)", {0, 2}));
  EXPECT_FALSE(holds("read(arg1 & 0x6)", {0, 9}));
  EXPECT_TRUE(holds("read(arg1 & 0x6 == 4)", {0, 0xc}));
  EXPECT_FALSE(holds("read(arg1 & 0x6 == 4)", {0, 6}));
  EXPECT_TRUE(holds("read(arg1 & 0x6 != 4)", {0, 6}));
  EXPECT_FALSE(holds("read(arg1 & 0x6 != 4)", {0, 4}));
  EXPECT_FALSE(holds("read(arg1 & 0x100000001 == 1)", {0, 0x100000001U}));
  EXPECT_TRUE(holds("read(arg1 & ~0xfff == 0x1000)", {0, 0x1fff}));
  EXPECT_FALSE(holds("read(arg1 & ~0xfff == 0x1000)", {0, 0x100001fffU}));
}

TEST(CallPattern, bounds_below_0_are_in_the_order_of_signed_numbers) {
  EXPECT_TRUE(holds("read(arg1 >= -5)", {0, kAll}));
  EXPECT_TRUE(holds("read(arg1 >= -5)", {0, 7}));
  EXPECT_FALSE(holds("read(arg1 >= -5)", {0, kAll - 5}));
  EXPECT_TRUE(holds("read(arg1 <= -5)", {0, kAll - 4}));
  EXPECT_FALSE(holds("read(arg1 <= -5)", {0, 3}));
  EXPECT_TRUE(holds("read(arg1 > -1)", {0, 0}));
  EXPECT_TRUE(holds("read(arg1 > -1)", {0, kAll >> 1U}));
  EXPECT_FALSE(holds("read(arg1 > -1)", {0, kAll}));
  EXPECT_TRUE(holds("read(arg1 < -1)", {0, kAll - 1}));
  EXPECT_FALSE(holds("read(arg1 < -1)", {0, kAll}));
  EXPECT_FALSE(holds("read(arg1 < -1)", {0, 0}));
  EXPECT_TRUE(holds("read(*, -2..2)", {0, kAll}));
  EXPECT_TRUE(holds("read(*, -2..2)", {0, 2}));
  EXPECT_FALSE(holds("read(*, -2..2)", {0, 3}));
  // Without a sign they are unsigned.
  EXPECT_TRUE(holds("read(arg1 > 1)", {0, kAll}));
  EXPECT_TRUE(holds("read(arg1 >= 0x8000000000000000)", {0, kAll}));
}

TEST(CallPattern, what_the_kernel_takes_32_bits_of_is_compared_below_and_the_rest_by_mode) {
  constexpr std::uint64_t kDirty = 0x100000000U;
  const auto all_of = [](std::string_view text, std::uint64_t value) {
    std::array<bool, 3> out{};
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = holds(text, {value}, kHalves[i]);
    return out;
  };
  using Three = std::array<bool, 3>;  // any, extended, exact
  EXPECT_EQ(all_of("socket(2)", 2), (Three{true, true, true}));
  EXPECT_EQ(all_of("socket(2)", kDirty | 2), (Three{true, false, false}));
  EXPECT_EQ(all_of("socket(-1)", 0xffffffffU), (Three{true, true, false}));
  EXPECT_EQ(all_of("socket(-1)", kAll), (Three{true, true, true}));
  EXPECT_EQ(all_of("socket(-1)", 0x1ffffffffU), (Three{true, false, false}));
  EXPECT_EQ(all_of("socket(!2)", kDirty | 2), (Three{false, false, true}));
  EXPECT_EQ(all_of("socket(domain > 2)", kDirty | 2), (Three{false, false, true}));
}

TEST(CallPattern, registers_of_32_bit_machines_have_no_upper_half_but_of_i386_and_mips) {
  for (const HighHalf high : kHalves) {
    EXPECT_TRUE(holds("read", {1, 2, 3}, high, Arch::Arm));
    EXPECT_FALSE(holds("read", {1, 0x100000002U, 3}, high, Arch::Arm));
    EXPECT_TRUE(holds("read", {1, 0x100000002U, 3}, high, Arch::X86));
    EXPECT_TRUE(holds("read", {1, kAll, 3}, high, Arch::Mips));
  }
}

TEST(CallPattern, x86_64_and_x32_share_a_token_and_part_the_numbers) {
  const CallPattern own = pattern("*");
  const CallPattern x32 = pattern("x32:*");
  EXPECT_EQ(own.token, x32.token);
  Source source(1);
  for (int i = 0; i < 1000; ++i) {
    SeccompData data{};
    data.arch = own.token;
    data.nr = static_cast<std::int32_t>(random::edge_word(source));
    EXPECT_NE(own.holds(data), x32.holds(data)) << data.nr;
  }
}

TEST(CallPattern, known_and_unknown_numbers_are_all_of_an_abi) {
  for (const Arch machine : kMachines) {
    const CallPattern all = pattern("*", HighHalf::Any, machine);
    const CallPattern known = pattern("@known", HighHalf::Any, machine);
    const CallPattern unknown = pattern("@unknown", HighHalf::Any, machine);
    const auto check = [&](std::uint32_t number) {
      SeccompData data{};
      data.arch = all.token;
      data.nr = static_cast<std::int32_t>(number);
      const bool named = syscall_name(machine, number).has_value();
      if (!all.holds(data)) {
        EXPECT_FALSE(known.holds(data) || unknown.holds(data)) << number;
        return;
      }
      EXPECT_EQ(known.holds(data), named) << number;
      EXPECT_EQ(unknown.holds(data), !named) << number;
    };
    for (const SyscallRow& row : syscalls(machine)) {
      for (const std::uint32_t each : {row.nr - 1, row.nr, row.nr + 1}) check(each);
    }
    for (const std::uint32_t each : {0U, 1U, 0x3fffffffU, 0x40000000U, 0x7fffffffU, 0x80000000U,
                                     0xbfffffffU, 0xc0000000U, 0xffffffffU}) {
      check(each);
    }
  }
}

TEST(CallPattern, numbers_stand_for_calls_without_a_name) {
  const CallPattern range = pattern("500..510");
  EXPECT_EQ(range.numbers[0].first, 500U);
  EXPECT_EQ(range.numbers[0].last, 510U);
  EXPECT_EQ(pattern("39").call, "getpid");
  EXPECT_EQ(pattern("-1").numbers[0].first, 0xffffffffU);
  EXPECT_EQ(pattern("0x40000003:4").call, "write");
  EXPECT_EQ(pattern("0x12345678:4").token, 0x12345678U);
}

struct WrongText {
  std::string_view text;
  std::size_t offset;
  std::string_view words;
};

TEST(CallPattern, what_is_malformed_is_said_at_its_place) {
  constexpr WrongText kWrong[] = {
      {"", 0, "the name of a call is missing"},
      {"read(", 5, "a value is missing"},
      {"read(1", 6, "`,` or `)` is missing"},
      {"read(1 2)", 7, "`,` or `)` is missing"},
      {"read) ", 4, "the pattern ends before `)`"},
      {"reed", 0, "is read meant?"},
      {"read(fd)", 7, "after the name of an argument comes"},
      {"read(nothing == 1)", 5, "no argument of it; there are"},
      {"read(1 and arg1 == 2)", 0, "before `and` the argument must be named"},
      {"read(arg0 == 1 and 2)", 19, "after `and` comes the name of an argument"},
      {"read(1, 2, 3, 4)", 14, "read has 3 arguments"},
      {"600(1, 2, 3, 4, 5, 6, 7)", 22, "6 arguments at most"},
      {"read(arg1 < 0)", 13, "nothing is below 0"},
      {"read(arg1 < -0x8000000000000000)", 31, "nothing is below that"},
      {"read(arg1 > 0xffffffffffffffff)", 30, "nothing is above that"},
      {"read(arg1 & 0)", 13, "a mask of 0 has no bits"},
      {"read(arg1 & 1 == 2)", 18, "under the mask 0x1 nothing is 0x2"},
      {"read(*, 5..4)", 12, "the range ends before it begins"},
      {"read(*, {1, 2)", 13, "`}` is missing"},
      {"5..4", 4, "the range ends before it begins"},
      {"0x1ffffffff", 0, "32 bits"},
      {"@nothing", 1, "@known or @unknown"},
      {"nowhere:read", 0, "no architecture"},
      {"0x1ffffffff:read", 0, "token has 32 bits"},
      {"read(O_NOTHING)", 5, "O_NOTHING"},
      {"chmod(*, 0855)", 9, "0855: no number"},
      {"kill({1, 0x100000001})", 21, "some have more and some do not"},
      {"read(12x)", 5, "no number"},
      {"read(0x10000000000000000)", 5, "no number"},
      {"read((1)", 8, "`,` or `)` is missing"},
      {"read((1", 7, "`)` is missing"},
      {"openat(*, *, O_CREAT | O_EXCL)", 29, "write (O_CREAT|O_EXCL)"},
      {"openat(flags == O_CREAT | O_EXCL)", 32, "for one or the other"},
      {"read\n(1)\x01", 8, "the pattern ends before"},
  };
  for (const WrongText& each : kWrong) {
    const auto read = parse_pattern(each.text, Arch::X86_64, Arch::X86_64, HighHalf::Extended);
    ASSERT_FALSE(read.has_value()) << each.text;
    EXPECT_EQ(read.error().kind, PatternError::Kind::Malformed) << each.text;
    EXPECT_NE(read.error().error.message.find(each.words), std::string::npos)
        << each.text << ": " << read.error().error.message;
    if (each.offset != 0) {
      EXPECT_EQ(read.error().error.offset, each.offset)
          << each.text << ": " << read.error().error.message;
    }
  }
}

TEST(CallPattern, nesting_has_an_end) {
  for (const char* const opening : {"(", "-", "~"}) {
    std::string text = "read(";
    for (int i = 0; i < 100'000; ++i) text += opening;
    const auto read = parse_pattern(text, Arch::X86_64, Arch::X86_64, HighHalf::Any);
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().error.message, "parentheses are nested too deeply");
  }
  std::string many = "read(1";
  for (int i = 0; i < 10'001; ++i) many += "|1";
  EXPECT_FALSE(parse_pattern(many + ")", Arch::X86_64, Arch::X86_64, HighHalf::Any).has_value());
}

TEST(CallPattern, what_another_architecture_has_is_absent_and_no_mistake) {
  const auto kind = [](std::string_view text, Arch machine) {
    const auto read = parse_pattern(text, machine, machine, HighHalf::Any);
    EXPECT_FALSE(read.has_value()) << text;
    return read.error().kind;
  };
  using enum PatternError::Kind;
  EXPECT_EQ(kind("open", Arch::AArch64), Absent);
  EXPECT_EQ(kind("socketcall", Arch::X86_64), Absent);
  EXPECT_EQ(kind("opeen", Arch::AArch64), Malformed);
  EXPECT_EQ(kind("open(", Arch::AArch64), Absent);  // what comes first is said
  EXPECT_EQ(kind("read(", Arch::AArch64), Malformed);
}

TEST(CallPattern, alternatives_of_flags_are_refused_but_not_of_other_constants) {
  const auto is_read = [](std::string_view text) {
    return parse_pattern(text, Arch::X86_64, Arch::X86_64, HighHalf::Any).has_value();
  };
  EXPECT_TRUE(is_read("socket(AF_INET | AF_INET6)"));
  EXPECT_FALSE(is_read("openat(*, *, O_CREAT | O_EXCL)"));
  EXPECT_TRUE(is_read("openat(*, *, (O_CREAT|O_EXCL))"));
  EXPECT_TRUE(is_read("openat(*, *, {O_CREAT, O_EXCL})"));
  EXPECT_TRUE(is_read("openat(*, *, 1 | 2)"));
  EXPECT_TRUE(is_read("socket(*, SOCK_STREAM | SOCK_DGRAM)"));
  EXPECT_FALSE(is_read("socket(*, SOCK_STREAM|SOCK_CLOEXEC)"));
  EXPECT_FALSE(is_read("accept4(*, *, *, SOCK_CLOEXEC|SOCK_NONBLOCK)"));
  EXPECT_FALSE(is_read("fcntl(*, F_SETFL, O_NONBLOCK|O_APPEND)"));
  EXPECT_TRUE(is_read("futex(*, FUTEX_WAIT | FUTEX_WAKE)"));
  EXPECT_FALSE(is_read("futex(*, FUTEX_WAIT|FUTEX_PRIVATE_FLAG)"));
  EXPECT_TRUE(is_read("ioctl(*, TIOCSTI | TCGETS)"));
}

// A value as an author may write it.
std::string value_text(Source& source) {
  std::uint64_t value = random::edge_word(source);
  if (source.one_in(4)) value |= std::uint64_t{random::edge_word(source)} << 32U;
  switch (source.below(6)) {
    case 0:
      return fmt::format("{}", value & 0xffU);
    case 1:
      return fmt::format("-{}", 1 + (value & 0xffU));
    case 2:
      return fmt::format("-{}", value >> 1U | 1U);
    case 3:
      return fmt::format("~{:#x}", value);
    default:
      return fmt::format("{:#x}", value);
  }
}

// A text that may be a test of an argument; not all of them are.
std::string test_text(Source& source, bool named, unsigned index) {
  const std::string name = named ? fmt::format("arg{} ", index) : "";
  const auto some = [&] { return value_text(source); };
  switch (source.below(named ? 9 : 5)) {
    case 0:
      return fmt::format("{}{}{}", name, named ? "== " : "", some());
    case 1:
      return fmt::format("{}{} {}", name, named ? "!=" : "!", some());
    case 2:
      return fmt::format("{}{}{}..{}", name, named ? "in " : "", some(), some());
    case 3:
      return fmt::format("{}{}{{{}, {}, {}..{}}}", name, named ? "in " : "", some(), some(), some(),
                         some());
    case 4:
      return fmt::format("{}{}{} | {}", name, named ? "!= " : "!", some(), some());
    case 5:
      return fmt::format("{}& {}", name, some());
    case 6: {
      const std::uint32_t mask = random::edge_word(source);
      return fmt::format("{}& {:#x} {} {:#x}", name, mask,
                         source.one_in(2) ? "==" : "!=", mask & random::edge_word(source));
    }
    default:
      static constexpr const char* kSigns[] = {"<", "<=", ">", ">="};
      return fmt::format("{}{} {}", name, kSigns[source.below(4)], some());
  }
}

std::string pattern_text(Source& source, Arch abi) {
  std::string out;
  switch (source.below(8)) {
    case 0:
      out = "*";
      break;
    case 1:
      out = source.one_in(2) ? "@known" : "@unknown";
      break;
    case 2:
      out = fmt::format("{}..{:#x}", source.below(300), 300 + source.below(0x80000000U));
      break;
    default: {
      const auto rows = syscalls(abi);
      out = rows[source.below(static_cast<std::uint32_t>(rows.size()))].name;
    }
  }
  const std::uint32_t tests = source.below(4);
  for (std::uint32_t i = 0; i < tests; ++i) {
    out += i == 0 ? "(" : ", ";
    if (source.one_in(3)) {
      out += source.one_in(3) ? "*" : test_text(source, false, 0);
      continue;
    }
    out += test_text(source, true, source.below(6));
    if (source.one_in(4)) out += " and " + test_text(source, true, source.below(6));
  }
  return tests == 0 ? out : out + ")";
}

TEST(CallPattern, thousands_of_them_hold_for_the_same_calls_by_running_and_by_diagram) {
  Source source(7);
  std::size_t read_patterns = 0;
  std::size_t held = 0;
  std::size_t compared = 0;
  for (int round = 0; round < 40; ++round) {
    verifier::Space space;
    for (int i = 0; i < 100; ++i) {
      const Arch abi = kMachines[source.below(kMachines.size())];
      const HighHalf high = kHalves[source.below(3)];
      const std::string text = pattern_text(source, abi);
      const auto read = parse_pattern(text, abi, abi, high);
      if (!read) continue;
      ++read_patterns;
      const auto condition = read->condition(space);
      std::vector<SeccompData> calls = edge_calls(*read, {39, 0x1000}, 24);
      for (const SeccompData& each : calls) EXPECT_TRUE(read->holds(each)) << text;
      const std::size_t edges = calls.size();
      for (std::size_t j = 0; j < edges; ++j) {
        SeccompData near = calls[j];
        near.args[source.below(6)] += source.one_in(2) ? 1 : kAll;
        near.args[source.below(6)] ^= std::uint64_t{1} << source.below(64);
        if (source.one_in(8)) near.nr = static_cast<std::int32_t>(random::edge_word(source));
        if (source.one_in(8)) near.arch ^= 1U << source.below(32);
        calls.push_back(near);
      }
      if (const auto found = space.find(condition)) {
        EXPECT_TRUE(read->holds(*found)) << text;
        calls.push_back(*found);
      }
      for (const SeccompData& each : calls) {
        ++compared;
        if (read->holds(each)) ++held;
        ASSERT_EQ(read->holds(each), space.holds(condition, each))
            << text << " on " << info(abi).name << ", " << to_string(high);
      }
    }
  }
  EXPECT_GT(read_patterns, 2000U);
  EXPECT_GT(held, 10'000U);
  EXPECT_GT(compared - held, 10'000U);
}

}  // namespace
}  // namespace callgate::suite
