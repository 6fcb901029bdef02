// The languages of assemblers: how they are told apart, and what is said about what is wrong.

#include "harness/front_ends/assembler_test.hpp"

#include <chrono>

namespace callgate::front_ends {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Assembler, takes_words_of_the_given_architecture) {
  EXPECT_EQ(one(InputFormat::SeccompTools, "A = args[0]", Arch::S390x).k, 20U);
  EXPECT_EQ(one(InputFormat::Ceccomp, "$A = $low_pc", Arch::S390x).k, 12U);
  EXPECT_EQ(one(InputFormat::SeccompTools, "A = openat", Arch::AArch64).k, 56U);
}

TEST(Listing, reads_the_columns_and_nothing_else) {
  EXPECT_EQ(read({},
                 "# a filter\n0000  20 00 00 00000004  A = nr\n\n"
                 "0001  1234 ff fe 00000001  .code 0x1234  # refused: it is none\n"
                 "# refused: too long\n"),
            (Program{{0x20, 0, 0, 4}, {0x1234, 255, 254, 1}}));
  EXPECT_THAT(refused({}, "0000  20 00 00 00000004  A = arch\n0002  06 00 00 00000000  return"),
              HasSubstr("line 2, column 1: 0001 is expected here, not `0002`"));
  EXPECT_THAT(refused({}, "0000  06 00 00 00000000  return\n0001  06 000 00 00000000  return"),
              HasSubstr("line 2, column 10: jt is expected here"));
}

TEST(Assembler, tells_the_languages_apart_by_the_strongest_sign) {
  const auto told = [](const std::string& text) {
    const auto got = assemble(text, options_for({}, Arch::X86_64));
    EXPECT_TRUE(got.has_value()) << text << ": " << to_string(got.error());
    return got ? got->format : InputFormat::Raw;
  };
  EXPECT_EQ(told("return ALLOW"), InputFormat::SeccompTools);
  EXPECT_EQ(told("goto x\nx: return KILL\n"), InputFormat::SeccompTools);
  EXPECT_EQ(told("goto x\nx: $A = 1\nreturn KILL\n"), InputFormat::Ceccomp);
  EXPECT_EQ(told("return NOTIFY"), InputFormat::Ceccomp);
  EXPECT_EQ(told("jmp xx\nxx: ret #0"), InputFormat::BpfAsm);
  EXPECT_EQ(told("jmp x\nx: return 0"), InputFormat::SeccompTools);
  EXPECT_EQ(told("/* A = 1 */ ld [0]\n ret a"), InputFormat::BpfAsm);
  EXPECT_EQ(told("tax\ntxa\nret a"), InputFormat::BpfAsm);
  EXPECT_EQ(told("0000  06 00 00 00000000  return"), InputFormat::Listing);
  EXPECT_EQ(told("L0: 0x06 0x00 0x00 0x00000000  return KILL"), InputFormat::Ceccomp);
  EXPECT_EQ(told("0000: 0x06 0x00 0x00 0x00000000  return KILL"), InputFormat::SeccompTools);
}

TEST(Assembler, leaves_other_formats_theirs) {
  const auto format = [](const std::string& text) {
    const auto got = read_program(text, options_for({}, Arch::X86_64));
    EXPECT_TRUE(got.has_value()) << text << ": " << to_string(got.error());
    return got ? got->format : InputFormat::Listing;
  };
  EXPECT_EQ(format("/* A = arch */\nstruct sock_filter f[] = {\n{ 6, 0, 0, 0 },\n};\n"),
            InputFormat::CRows);
  EXPECT_EQ(format("// ld [4]\nBPF_STMT(BPF_RET|BPF_K,\n 0)"), InputFormat::CMacros);
  EXPECT_EQ(format("0600000000000000"), InputFormat::Hex);
  EXPECT_EQ(format("add0add0add0add0"), InputFormat::Hex);
  EXPECT_EQ(format("0000  06 00 00 00000000  0000 0000000000"), InputFormat::Hex);
  EXPECT_EQ(format("1\n6 0 0 0\n"), InputFormat::Decimal);
  EXPECT_EQ(format(std::string("A = arch\0\0\0\0\0\0\0\0", 16)), InputFormat::Raw);
  EXPECT_THAT(to_string(read_program("Dear kernel, please return.", {}).error()),
              HasSubstr("none of the forms"));
}

TEST(Assembler, gives_the_line_of_each_instruction) {
  const auto got =
      assemble("# no\nA = arch\n\nx:\ny: return A\n if (\nA == 1)\ngoto z\nz: return 0");
  ASSERT_TRUE(got.has_value()) << to_string(got.error());
  EXPECT_THAT(got->lines, ElementsAre(2, 5, 6, 9));
}

TEST(Assembler, says_what_is_wrong_with_labels) {
  EXPECT_THAT(refused(InputFormat::BpfAsm, "aa: ret #0\naa: ret #1"),
              AllOf(HasSubstr("line 2, column 1"), HasSubstr("`aa` is there already, in line 1")));
  EXPECT_THAT(refused(InputFormat::BpfAsm, "jmp bb\nret #0"),
              AllOf(HasSubstr("line 1, column 5"), HasSubstr("no label `bb`: write `bb:`")));
  EXPECT_THAT(refused(InputFormat::SeccompTools, "a1: A = 1\ngoto a1\nreturn 0"),
              AllOf(HasSubstr("line 2, column 6"), HasSubstr("`a1` lies behind, in line 1")));
  EXPECT_THAT(refused(InputFormat::Ceccomp, "me: goto me\nreturn 0"), HasSubstr("lies behind"));
  EXPECT_THAT(refused(InputFormat::Ceccomp, "goto end\nend:\n"),
              AllOf(HasSubstr("line 2, column 1"), HasSubstr("no statement follows")));
  EXPECT_THAT(refused(InputFormat::BpfAsm, "jmp x\n"), HasSubstr("`x` is a word of bpf_asm"));
  EXPECT_THAT(refused(InputFormat::BpfAsm, "jmp b\n"), HasSubstr("two or more letters"));
  EXPECT_THAT(refused(InputFormat::SeccompTools, "goto 99999999999\nreturn 0"),
              HasSubstr("no label"));
}

TEST(Assembler, says_the_way_out_where_a_conditional_jump_is_too_long) {
  for (const auto& [format, first, filler, last, advice] :
       {std::tuple(InputFormat::BpfAsm, "jeq #1, bad", "tax", "bad: ret #0", "`jmp bad`"),
        std::tuple(InputFormat::SeccompTools, "if (A == 1) goto bad", "X = A", "bad: return 0",
                   "`goto bad`"),
        std::tuple(InputFormat::Ceccomp, "if ($A == 1) goto bad", "$X = $A", "bad: return 0",
                   "`goto bad`")}) {
    std::string text = std::string(first) + "\n";
    for (int i = 0; i < 255; ++i) text += std::string(filler) + "\n";
    EXPECT_EQ(read(format, text + last).front().jt, 255);
    EXPECT_THAT(refused(format, text + filler + "\n" + last),
                AllOf(HasSubstr("line 1, column"), HasSubstr("256 instructions long"),
                      HasSubstr("reaches 255: jump to a nearer " + std::string(advice))));
    // Without a condition it reaches as far as a program is long.
    std::string far = format == InputFormat::BpfAsm ? "jmp bad\n" : "goto bad\n";
    for (int i = 0; i < 300; ++i) far += std::string(filler) + "\n";
    EXPECT_EQ(read(format, far + last).front().k, 300U);
  }
}

TEST(Assembler, names_the_token_that_has_no_place) {
  using enum InputFormat;
  for (const auto& [format, text, message] : {
           std::tuple(BpfAsm, "ld [4] nonsense", "line 1, column 8: `nonsense` is no statement"),
           std::tuple(BpfAsm, "ld [4", "`]` is expected here, and the text ends"),
           std::tuple(BpfAsm, "ld (4)",
                      "line 1, column 4: [k], [x+k], #k, M[k] or #len is expected"),
           std::tuple(BpfAsm, "ldh #4", "[k] or [x+k] is expected here"),
           std::tuple(BpfAsm, "ldx 5*([4]&0xf)", "all that can be loaded"),
           std::tuple(BpfAsm, "ldx [4]", "#k, M[k], #len or 4*([k]&0xf) is expected here, not `[`"),
           std::tuple(BpfAsm, "st 4", "M[0] to M[15] is expected here, not `4`"),
           std::tuple(BpfAsm, "add [4]", "#k or x is expected here, not `[`"),
           std::tuple(BpfAsm, "ret M[0]", "#k, a or x is expected here, not `M`"),
           std::tuple(BpfAsm, "ld #0x", "`0x` is no number of base 8"),
           std::tuple(BpfAsm, "ld #08", "`08` is no number of base 8"),
           std::tuple(BpfAsm, "ld #4294967296", "`4294967296` is out of range"),
           std::tuple(BpfAsm, "ld #-2147483649", "-2147483649 is out of range"),
           std::tuple(BpfAsm, "ld #1 /* no end", "line 1, column 7: this comment has no end"),
           std::tuple(BpfAsm, "ld #1\n\x01", "line 2, column 1: `?` has no place"),
           std::tuple(BpfAsm, "jneq #1, aa, aa\naa: ret #0", "line 1, column 12"),
           std::tuple(SeccompTools, "A = mem[16]", "line 1, column 9: mem[16]: 0 to 15"),
           std::tuple(SeccompTools, "A = data[2]", "data[2]: 0 to 60 is what there is, a multiple"),
           std::tuple(SeccompTools, "A = args[6]", "args[6]: 0 to 5"),
           std::tuple(SeccompTools, "A = args[0] >> 31", "32 is the only shift"),
           std::tuple(SeccompTools, "X = len", "`len` is no syscall of x86_64"),
           std::tuple(SeccompTools, "A = nosuch", "line 1, column 5: `nosuch` is no syscall"),
           std::tuple(SeccompTools, "A %= 5", "line 1, column 3: = += -= *= /= &="),
           std::tuple(SeccompTools, "A = 1 2", "the end of the line is expected here, not `2`"),
           std::tuple(SeccompTools, "if A == 1 goto x", "`(` is expected here, not `A`"),
           std::tuple(SeccompTools, "if (X == 1) goto x", "A, which is all that can be compared"),
           std::tuple(SeccompTools, "if (A == 1 goto x", "`)` is expected here, not `goto`"),
           std::tuple(SeccompTools, "return allow", "an action (KILL, KILL_PROCESS"),
           std::tuple(Ceccomp, "return ERRNO(65536)", "65535 at most"),
           std::tuple(SeccompTools, "next: A = 1", "`next` means the next instruction"),
           std::tuple(SeccompTools, "A <= 1", "`?` is expected here"),
           std::tuple(SeccompTools, "X = sys_number", "`sys_number` is no syscall"),
           std::tuple(SeccompTools, "A = aarch64.open", "line 1, column 5: `aarch64.open` is no"),
           std::tuple(SeccompTools, "A = (5", "`)` is expected here, and the text ends"),
           std::tuple(Ceccomp, "$A = read", "a number is expected here, not `read`"),
           std::tuple(Ceccomp, "A = 1", "a statement ($A = ..., if (...), goto, return)"),
           std::tuple(Ceccomp, "$A = $mem[16]", "$mem[16]: 0 to 15"),
           std::tuple(Ceccomp, "$A %= 1", "= += -="),
           std::tuple(Ceccomp, "if ($A == 1) goto x, y", "else is expected here, not `y`"),
           std::tuple(Ceccomp, "$Q = 1", "not `$Q`"),
       }) {
    EXPECT_THAT(refused(format, text), HasSubstr(message)) << text;
  }
}

TEST(Assembler, says_what_it_reads) {
  EXPECT_THAT(refused({}, "hello"), AllOf(HasSubstr("bpf_asm"), HasSubstr("seccomp-tools"),
                                          HasSubstr("ceccomp"), HasSubstr("callgate")));
  EXPECT_THAT(refused({}, ""), HasSubstr("empty"));
  EXPECT_THAT(refused(InputFormat::Hex, "0600000000000000"), HasSubstr("none of the languages"));
  for (const InputFormat format : {InputFormat::Listing, InputFormat::BpfAsm,
                                   InputFormat::SeccompTools, InputFormat::Ceccomp}) {
    EXPECT_THAT(refused(format, "\n"), HasSubstr("no instruction"));
  }
}

TEST(Assembler, refuses_more_instructions_than_a_length_can_say) {
  std::string text;
  for (int i = 0; i < 65536; ++i) text += "ret #0\n";
  EXPECT_THAT(refused({}, text), AllOf(HasSubstr("line 65536"), HasSubstr("65535")));
  EXPECT_EQ(read({}, text.substr(7)).size(), 65535U);
}

// A reader that looked at a text again for each of its parts would need hours.
TEST(Assembler, takes_time_linear_in_the_length) {
  const auto repeated = [](const std::string& part) {
    std::string out;
    while (out.size() < 500000) out += part;
    return out;
  };
  const auto begin = std::chrono::steady_clock::now();
  for (const std::string part :
       {"(", "!(", "-", "x:", "\n", "/*", "if(", "if (A == 1) goto x\n\n", "a1: ", "A = arch # x\n",
        "0000: ", "0x0 ", "[", "\033[1m", ";\n", "jmp aa ", "return ", "1", "\xff"}) {
    const std::string text = repeated(part);
    for (const std::string& start : {std::string{}, std::string("if "), std::string("A = "),
                                     std::string("ld "), std::string("$A = ")}) {
      for (const std::optional<InputFormat> format :
           {std::optional<InputFormat>{}, std::optional(InputFormat::BpfAsm),
            std::optional(InputFormat::SeccompTools), std::optional(InputFormat::Ceccomp)}) {
        static_cast<void>(assemble(start + text, options_for(format, Arch::X86_64)));
      }
    }
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::minutes(1));
}

}  // namespace
}  // namespace callgate::front_ends
