// Calls as texts, and back; verbs and verdicts.

#include "harness/suite/explicit_call.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness/random/generator.hpp"
#include "harness/suite/vector_writer.hpp"
#include "harness/suite/verb.hpp"
#include "verifier/levels.hpp"
#include "vm/actions.hpp"
#include "vm/syscalls.hpp"

namespace callgate::suite {
namespace {

using random::Source;
using testing::HasSubstr;

SeccompData call(std::string_view text, Arch machine = Arch::X86_64) {
  const auto read = parse_explicit_call(text, machine);
  EXPECT_TRUE(read.has_value()) << text << ": " << read.error().message;
  return read.value_or(SeccompData{});
}

TEST(ExplicitCall, what_is_left_out_is_0) {
  const SeccompData data = call("read(3, 0x1000)");
  EXPECT_EQ(data.nr, 0);
  EXPECT_EQ(data.arch, 0xc000003eU);
  EXPECT_EQ(data.args, (std::array<std::uint64_t, 6>{3, 0x1000, 0, 0, 0, 0}));
  EXPECT_EQ(data.instruction_pointer, 0U);
  EXPECT_EQ(call("read"), call("read()"));
  EXPECT_EQ(call("39()").nr, 39);
  EXPECT_EQ(call("-1").nr, -1);
}

TEST(ExplicitCall, values_are_whole_registers) {
  EXPECT_EQ(call("read(-1)").args[0], ~std::uint64_t{0});
  EXPECT_EQ(call("openat(AT_FDCWD)").args[0], ~std::uint64_t{99});
  EXPECT_EQ(call("read((1 << 3) , ~0x0, (1|2^3&5-1+1))").args,
            (std::array<std::uint64_t, 6>{8, ~std::uint64_t{0}, 1 | (2 ^ (3 & 5)), 0, 0, 0}));
  EXPECT_EQ(call("read(ip=0x1000)").instruction_pointer, 0x1000U);
  EXPECT_EQ(call("read(1, ip = 5)").args[0], 1U);
}

TEST(ExplicitCall, another_abi_stands_before_a_colon) {
  EXPECT_EQ(call("i386:read").nr, 3);
  EXPECT_EQ(call("i386:read").arch, 0x40000003U);
  EXPECT_EQ(call("x32:read").nr, 0x40000000);
  EXPECT_EQ(call("0x12345678:39(1)").arch, 0x12345678U);
}

TEST(ExplicitCall, what_is_wrong_is_said_at_its_place) {
  const struct {
    std::string_view text;
    std::size_t offset;
    std::string_view words;
  } kWrong[] = {
      {"", 0, "the name of a call is missing"},
      {"reed(1)", 0, "is read meant?"},
      {"open(1", 6, "`)` is missing"},
      {"open(1,", 7, "a value is missing"},
      {"read(1, 2, 3, 4, 5, 6, 7)", 23, "6 arguments at most"},
      {"read(ip 5)", 8, "`=` is missing"},
      {"read(ip=5, 1)", 9, "`)` is missing"},
      {"read 1", 5, "`(` is missing"},
      {"read() x", 7, "the call ends before"},
      {"0x1ffffffff", 0, "32 bits"},
      {"arm:socketcall", 4, "has no call socketcall"},
  };
  for (const auto& each : kWrong) {
    const auto read = parse_explicit_call(each.text, Arch::X86_64);
    ASSERT_FALSE(read.has_value()) << each.text;
    EXPECT_THAT(read.error().message, HasSubstr(std::string(each.words)));
    EXPECT_EQ(read.error().offset, each.offset) << each.text << ": " << read.error().message;
  }
}

TEST(ExplicitCall, every_call_of_every_abi_is_read_as_it_is_written) {
  Source source(11);
  for (const ArchInfo& abi : arches()) {
    for (const ArchInfo& machine : {abi, info(Arch::X86_64)}) {
      for (int i = 0; i < 300; ++i) {
        SeccompData data = random::input(source, {}, abi.token);
        if (source.one_in(20)) data.arch = random::edge_word(source);
        const auto rows = syscalls(abi.arch);
        if (!rows.empty() && !source.one_in(4)) {
          data.nr = static_cast<std::int32_t>(
              rows[source.below(static_cast<std::uint32_t>(rows.size()))].nr);
        }
        for (std::uint64_t& each : data.args) {
          if (source.one_in(3)) each = source.one_in(2) ? 0 : source.below(64);
        }
        const std::string text = explicit_call_text(data, machine.arch);
        const auto again = parse_explicit_call(text, machine.arch);
        ASSERT_TRUE(again.has_value()) << text << ": " << again.error().message;
        EXPECT_EQ(*again, data) << text << " on " << machine.name;
        EXPECT_EQ(explicit_call_text(*again, machine.arch), text);
      }
    }
  }
}

Verb verb(std::string_view text, Arch machine = Arch::X86_64) {
  auto read = parse_verb(text, machine);
  EXPECT_TRUE(read.has_value()) << text << ": " << read.error();
  return read ? *read : Verb{};
}

TEST(Verb, one_of_a_verdict_names_its_words) {
  EXPECT_TRUE(verb("allow").fits(0x7fff0000U));
  EXPECT_FALSE(verb("allow").fits(0x7ffc0000U));
  EXPECT_TRUE(verb("errno EPERM").fits(0x00050001U));
  EXPECT_FALSE(verb("errno EPERM").fits(0x00050002U));
  EXPECT_TRUE(verb("errno").fits(0x00050002U));
  EXPECT_TRUE(verb("errno 0").fits(0x00050000U));
  EXPECT_FALSE(verb("errno 0").fits(0x00050001U));
  EXPECT_TRUE(verb("trap").fits(0x00030007U));
  EXPECT_FALSE(verb("trap 6").fits(0x00030007U));
  EXPECT_TRUE(verb("trace 7").fits(0x7ff00007U));
  EXPECT_TRUE(verb("log").fits(0x7ffc0005U));
  EXPECT_TRUE(verb("notify").fits(0x7fc00000U));
  EXPECT_TRUE(verb("kill").fits(0x00000000U));
  EXPECT_TRUE(verb("kill").fits(0x80000000U));
  EXPECT_FALSE(verb("kill_thread").fits(0x80000000U));
  EXPECT_FALSE(verb("kill_process").fits(0x00000000U));
  EXPECT_TRUE(verb("never allow").fits(0x00050001U));
  EXPECT_FALSE(verb("never allow").fits(0x7fff0000U));
  EXPECT_TRUE(verb("sometimes allow").fits(0x7fff0000U));
  // An errno is the machine's.
  EXPECT_TRUE(verb("errno ENOSYS", Arch::Mips).fits(0x00050059U));
  EXPECT_TRUE(verb("errno ENOSYS").fits(0x00050026U));
}

TEST(Verb, one_of_an_outcome_asks_at_its_level) {
  using verifier::Level;
  for (const char* const each : {"executes", "sigsys", "dies", "tracer decides", "listener decides",
                                 "returns 0", "returns -1 EPERM"}) {
    EXPECT_EQ(verb(each).level, Level::Outcome) << each;
  }
  EXPECT_EQ(verb("deny").level, Level::Executes);
  EXPECT_TRUE(verb("returns -1 EPERM").fits(verifier::outcome_number(OutcomeKind::Returns, 1)));
  EXPECT_FALSE(verb("returns -1 EPERM").fits(verifier::outcome_number(OutcomeKind::Returns, 0)));
  for (const char* const each :
       {"returns -1 13", "returns -13", "returns -EACCES", "returns -1 EACCES"}) {
    EXPECT_TRUE(verb(each).fits(verifier::outcome_number(OutcomeKind::Returns, 13))) << each;
  }
  EXPECT_TRUE(verb("returns -11").fits(verifier::outcome_number(OutcomeKind::Returns, 11)));
  EXPECT_TRUE(verb("returns 0").fits(verifier::outcome_number(OutcomeKind::Returns, 0)));
  EXPECT_TRUE(verb("dies").fits(verifier::outcome_number(OutcomeKind::ThreadDies)));
  EXPECT_TRUE(verb("dies").fits(verifier::outcome_number(OutcomeKind::ProcessDies)));
}

TEST(Verb, what_is_permitted_is_asked_as_programs_send_it_what_is_refused_whatever_they_send) {
  for (const char* const each :
       {"allow", "log", "notify", "trace", "executes", "tracer decides", "never errno EPERM",
        "never deny", "never kill", "sometimes deny"}) {
    EXPECT_EQ(verb(each).high, HighHalf::Extended) << each;
  }
  for (const char* const each : {"errno EPERM", "kill", "trap", "deny", "never allow", "dies",
                                 "never trace", "returns -1 EPERM"}) {
    EXPECT_EQ(verb(each).high, HighHalf::Any) << each;
  }
}

TEST(Verb, what_is_none_is_said) {
  for (const char* const each :
       {"", "allowed", "allow it", "errno ENOTHING", "errno 65536", "errno -1", "errno 1 2",
        "returns", "returns 1", "returns -1", "returns -1 5000", "returns -1EPERM", "returns -1 0",
        "returns -0", "returns -5000", "never", "sometimes", "never never allow", "same as x"}) {
    const auto read = parse_verb(each, Arch::X86_64);
    ASSERT_FALSE(read.has_value()) << each;
    EXPECT_FALSE(read.error().empty());
  }
}

TEST(Verb, a_recorded_verdict_is_read_as_it_is_written) {
  Source source(5);
  for (int i = 0; i < 2000; ++i) {
    std::uint32_t value = random::edge_word(source);
    if (source.one_in(2)) {
      const auto rows = actions();
      value = static_cast<std::uint32_t>(
                  rows[source.below(static_cast<std::uint32_t>(rows.size()))].action) |
              source.below(40);
    }
    EXPECT_EQ(parse_recorded_verdict(result_text(value), Arch::X86_64), value)
        << result_text(value);
  }
  EXPECT_EQ(parse_recorded_verdict("ERRNO(EPERM)", Arch::X86_64), 0x00050001U);
  EXPECT_EQ(parse_recorded_verdict("ERRNO(ENOSYS)", Arch::Mips), 0x00050059U);
  for (const char* const each : {"", "ALLOWED", "ERRNO(", "ERRNO(ENOTHING)", "ERRNO(65536)",
                                 "ERRNO(-1)", "allow", "0x1ffffffff"}) {
    EXPECT_EQ(parse_recorded_verdict(each, Arch::X86_64), std::nullopt) << each;
  }
}

}  // namespace
}  // namespace callgate::suite
