#include "harness/report/conditions.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "harness/report/arguments.hpp"
#include "vm/syscalls.hpp"

namespace callgate::report {
namespace {

using verifier::Diagrams;
using verifier::Field;
using verifier::Space;
using verifier::Word;

class Conditions : public testing::Test {
 protected:
  std::string said(Field field, Space::Ref values, std::string_view call,
                   Arch arch = Arch::X86_64) {
    return field_words(space_, field, values, {arch, call}).text;
  }
  Space::Ref any(std::initializer_list<Space::Ref> all) {
    Space::Ref out = Diagrams::kFalse;
    for (const Space::Ref each : all) out = space_.diagrams().either(out, each);
    return out;
  }
  Space::Ref no(Space::Ref of) { return space_.diagrams().negated(of); }
  // Of a half alone.
  Space::Ref half(callgate::Test test, Word word, std::uint32_t value) {
    return space_.compared(test, space_.terms().word(word), space_.terms().constant(value));
  }

  Space space_;
};

TEST_F(Conditions, say_values_by_the_names_of_the_argument) {
  EXPECT_EQ(said(Field::Arg0, space_.equal(Field::Arg0, 40), "socket"), "domain == AF_VSOCK");
  EXPECT_EQ(said(Field::Arg0, no(space_.equal(Field::Arg0, 40)), "socket"), "domain != AF_VSOCK");
  EXPECT_EQ(said(Field::Arg1, space_.equal(Field::Arg1, 0x5412), "ioctl"), "request == TIOCSTI");
  EXPECT_EQ(said(Field::Arg1, space_.equal(Field::Arg1, 0x80002), "socket"),
            "type == SOCK_DGRAM|SOCK_CLOEXEC");
  EXPECT_EQ(said(Field::Arg1, space_.equal(Field::Arg1, 9), "socket"), "type == 9");
  EXPECT_EQ(said(Field::Arg1, space_.equal(Field::Arg1, 0x80009), "socket"),
            "type == 9|SOCK_CLOEXEC");
  EXPECT_EQ(said(Field::Arg0, space_.equal(Field::Arg0, 7), "getcwd"), "buf == 7");
  EXPECT_EQ(said(Field::Arg0, space_.equal(Field::Arg0, 0x1234), ""), "arg0 == 0x1234");
}

TEST_F(Conditions, say_lists_of_values) {
  const auto personas = any({space_.equal(Field::Arg0, 0), space_.equal(Field::Arg0, 8),
                             space_.equal(Field::Arg0, 0x20000), space_.equal(Field::Arg0, 0x20008),
                             space_.equal(Field::Arg0, 0xffffffff)});
  EXPECT_EQ(said(Field::Arg0, personas, "personality"),
            "persona is PER_LINUX, PER_LINUX32, UNAME26, PER_LINUX32|UNAME26 or 0xffffffff");
  EXPECT_EQ(said(Field::Arg0, no(any({space_.equal(Field::Arg0, 1), space_.equal(Field::Arg0, 3)})),
                 "socket"),
            "domain is none of AF_UNIX, AF_AX25");
}

TEST_F(Conditions, list_short_ranges_of_values_that_have_names) {
  EXPECT_EQ(said(Field::Arg1, space_.between(Field::Arg1, 1, 4), "fcntl"),
            "cmd is F_GETFD, F_SETFD, F_GETFL or F_SETFL");
  EXPECT_EQ(said(Field::Arg0, space_.between(Field::Arg0, 1, 4), "read"), "fd is 1 to 4");
}

TEST_F(Conditions, say_bits_by_the_names_of_the_flags) {
  const auto clear = space_.masked_equal(Field::Arg0, 0x10000000, 0);
  EXPECT_EQ(said(Field::Arg0, clear, "clone"), "(flags & CLONE_NEWUSER) == 0");
  EXPECT_EQ(said(Field::Arg0, no(clear), "clone"), "(flags & CLONE_NEWUSER) != 0");
  EXPECT_EQ(said(Field::Arg0, space_.masked_equal(Field::Arg0, 0x30000000, 0x10000000), "unshare"),
            "(flags & (CLONE_NEWUSER|CLONE_NEWPID)) == CLONE_NEWUSER");
  EXPECT_EQ(said(Field::Arg0, clear, ""), "(arg0 & 0x10000000) == 0");
  EXPECT_EQ(said(Field::Arg1, space_.masked_equal(Field::Arg1, 0xf, 1), "socket"),
            "(type & 0xf) == SOCK_STREAM");
  EXPECT_EQ(said(Field::Arg2, space_.masked_equal(Field::Arg2, ~std::uint64_t{0x3}, 0), "mprotect"),
            "(prot & ~(PROT_READ|PROT_WRITE)) == 0");
}

TEST_F(Conditions, say_ranges_of_rejoined_words) {
  constexpr std::uint64_t kLast = ~std::uint64_t{0};
  EXPECT_EQ(said(Field::Arg0, space_.between(Field::Arg0, 8, kLast), ""), "arg0 >= 8");
  EXPECT_EQ(said(Field::Arg0, space_.between(Field::Arg0, 0, 0x123456789), ""),
            "arg0 <= 0x123456789");
  EXPECT_EQ(said(Field::Arg0,
                 any({space_.between(Field::Arg0, 5, 9), space_.equal(Field::Arg0, 20),
                      space_.between(Field::Arg0, 0x100000000, kLast)}),
                 ""),
            "arg0 is 5 to 9, 20 or at least 0x100000000");
}

TEST_F(Conditions, say_which_half_of_a_register_is_looked_at) {
  const auto low = half(callgate::Test::Equal, {Field::Arg0, false}, 40);
  EXPECT_EQ(said(Field::Arg0, low, "socket"), "(domain as 32 bits) == AF_VSOCK");
  EXPECT_EQ(said(Field::Arg0, low, "socket", Arch::X32), "(domain as 32 bits) == AF_VSOCK");
  EXPECT_EQ(said(Field::Arg0, low, "socket", Arch::X86), "domain == AF_VSOCK");
  EXPECT_EQ(said(Field::Arg0, half(callgate::Test::Greater, {Field::Arg0, false}, 40), ""),
            "(arg0 as 32 bits) >= 41");
  EXPECT_EQ(said(Field::Arg0, half(callgate::Test::Equal, {Field::Arg0, true}, 1), ""),
            "(arg0 >> 32) == 1");
  EXPECT_EQ(
      said(Field::Arg0, half(callgate::Test::Equal, {Field::Arg0, false}, 0xffffff9c), "openat"),
      "(dirfd as 32 bits) == AT_FDCWD");
}

TEST_F(Conditions, have_names_only_where_the_architecture_is_known_to_have_that_value) {
  const auto creat = space_.equal(Field::Arg1, 0x40);
  EXPECT_EQ(said(Field::Arg1, creat, "open"), "flags == O_CREAT");
  EXPECT_EQ(said(Field::Arg1, creat, "open", Arch::Mips64), "flags == 0x40");
}

TEST_F(Conditions, that_cannot_be_listed_say_how_many_values_they_have) {
  // An odd number of 16 bits is set: neither ranges nor masks are few.
  Space::Ref odd = Diagrams::kFalse;
  for (unsigned bit = 0; bit < 16; ++bit) {
    odd = space_.diagrams().unequal(odd, no(space_.masked_equal(Field::Arg0, 1ULL << bit, 0)));
  }
  const Words words = field_words(space_, Field::Arg0, odd, {});
  EXPECT_FALSE(words.whole);
  EXPECT_NE(words.text.find("2147483648 values"), std::string::npos) << words.text;
}

TEST_F(Conditions, of_several_fields_are_joined) {
  verifier::Path path;
  path.values = {{Field::Arg0, any({space_.equal(Field::Arg0, 2), space_.equal(Field::Arg0, 10)})},
                 {Field::Arg1, space_.equal(Field::Arg1, 3)}};
  EXPECT_EQ(condition_words(space_, path, {Arch::X86_64, "socket"}).text,
            "(domain is AF_INET or AF_INET6) and type == SOCK_RAW");
}

TEST_F(Conditions, that_stay_opaque_are_shown_as_formulas) {
  auto& terms = space_.terms();
  const auto first = terms.word({Field::Arg0, false});
  const auto product = terms.multiply(first, terms.word({Field::Arg1, false}));
  const auto asked = space_.compared(callgate::Test::Greater, product, terms.constant(7));
  ASSERT_TRUE(space_.has_opaque(asked));
  const auto variable = space_.diagrams().variable_of(asked);
  EXPECT_EQ(opaque_words(space_, variable, true, {Arch::X86_64, "mmap"}),
            "(addr.low * length.low) > 7");
  EXPECT_EQ(opaque_words(space_, variable, false, {}), "(arg0.low * arg1.low) <= 7");
}

TEST_F(Conditions, know_that_s390_has_the_arguments_of_clone_the_other_way_round) {
  EXPECT_EQ(argument_words("clone", 0, Arch::X86_64).name, "flags");
  EXPECT_EQ(argument_words("clone", 1, Arch::S390x).name, "flags");
  EXPECT_EQ(argument_words("clone", 0, Arch::S390x).name, "arg0");
}

TEST(Arguments, are_those_of_calls_that_there_are) {
  std::set<std::string_view> seen;
  for (const std::string_view call : calls_with_arguments()) {
    EXPECT_TRUE(seen.insert(call).second) << call << " stands twice";
    bool known = false;
    for (const ArchInfo& each : arches()) {
      known = known || syscall_number(each.arch, call).has_value();
    }
    EXPECT_TRUE(known) << call;
  }
  EXPECT_GE(seen.size(), 120U);
}

TEST(Arguments, take_constants_of_families_that_have_some) {
  std::set<std::string_view> used;
  for (const std::string_view call : calls_with_arguments()) {
    for (unsigned index = 0; index < 6; ++index) {
      if (const auto* family = argument_words(call, index, Arch::X86_64).family) {
        used.insert(family->name);
      }
    }
  }
  for (const ArgumentFamily& family : argument_families()) {
    EXPECT_FALSE(front_ends::constants_of(family.patterns, Arch::X86_64).empty()) << family.name;
    EXPECT_TRUE(used.contains(family.name)) << family.name;
  }
}

TEST(Arguments, that_take_one_of_some_values_have_one_name_for_each) {
  for (const ArgumentFamily& family : argument_families()) {
    std::set<std::uint64_t> values;
    for (const auto& each : front_ends::constants_of(family.patterns, Arch::X86_64)) {
      EXPECT_TRUE(values.insert(each.value).second) << family.name << " " << each.name;
    }
  }
}

}  // namespace
}  // namespace callgate::report
