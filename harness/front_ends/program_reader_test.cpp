#include "harness/front_ends/program_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "harness/random/generator.hpp"
#include "harness/report/disassembly.hpp"

namespace callgate::front_ends {
namespace {

using ::testing::HasSubstr;

constexpr std::uint32_t kAllow = 0x7fff0000U;

const Program kSmall = {
    {0x20, 0, 0, 4}, {0x15, 1, 0, 0xc000003eU}, {0x06, 0, 0, 0}, {0x06, 0, 0, kAllow}};

ReadProgram read(const std::string& text, ReadOptions options = {}) {
  options.arch = Arch::X86_64;
  options.order = ByteOrder::Little;
  auto program = read_program(text, options);
  EXPECT_TRUE(program.has_value()) << to_string(program.error()) << "\n" << text.substr(0, 200);
  return program ? std::move(*program) : ReadProgram{};
}

ReadError refused(const std::string& text, std::optional<InputFormat> format = {}) {
  ReadOptions options;
  options.format = format;
  options.arch = Arch::X86_64;
  options.order = ByteOrder::Little;
  auto program = read_program(text, options);
  EXPECT_FALSE(program.has_value()) << text.substr(0, 200);
  return program ? ReadError{} : program.error();
}

TEST(ProgramReader, reads_what_each_writer_writes) {
  random::Source source(11);
  for (int round = 0; round < 200; ++round) {
    Program program = random::valid_program(source);
    if (round % 2 == 1) program = random::mutated(source, program, kSmall);
    if (program.empty()) continue;
    for (const ByteOrder order : {ByteOrder::Little, ByteOrder::Big}) {
      ReadOptions options;
      options.order = order;
      const auto same = [&](const std::string& text, InputFormat format, bool by_content) {
        options.format.reset();
        if (!by_content) options.format = format;
        const auto got = read_program(text, options);
        ASSERT_TRUE(got.has_value()) << to_string(got.error()) << "\n" << text;
        EXPECT_EQ(got->program, program) << text;
        EXPECT_EQ(got->format, format) << text;
      };
      same(report::raw_bytes(program, order), InputFormat::Raw, false);
      same(report::hex_text(program, order), InputFormat::Hex, true);
      same(report::c_string(program, order), InputFormat::CString, true);
      same(report::c_rows(program), InputFormat::CRows, true);
      same(report::decimal(program), InputFormat::Decimal, true);
    }
  }
}

TEST(ProgramReader, tells_raw_bytes_from_text) {
  EXPECT_EQ(read(report::raw_bytes(kSmall, ByteOrder::Little)).format, InputFormat::Raw);
  EXPECT_EQ(read(std::string("\x06\0\0\0\0\0\xff\x7f", 8)).format, InputFormat::Raw);
}

TEST(ProgramReader, reads_hexadecimal_with_and_without_spaces) {
  EXPECT_EQ(read("06000000 0000ff7f").program, (Program{{0x06, 0, 0, kAllow}}));
  EXPECT_EQ(read("06 00 00 00 00 00 ff 7f\n").program, (Program{{0x06, 0, 0, kAllow}}));
  EXPECT_EQ(read("060000000000FF7F").program, (Program{{0x06, 0, 0, kAllow}}));
}

TEST(ProgramReader, reads_c_literals) {
  EXPECT_EQ(read(R"("\x06\x00\0\0\000\x00\xff\x7f")").program, (Program{{0x06, 0, 0, kAllow}}));
  EXPECT_EQ(read("char f[] = \"\\x06\\x00\\x00\\x00\"\n  \"\\x00\\x00\\xff\\x7f\";").program,
            (Program{{0x06, 0, 0, kAllow}}));
  EXPECT_EQ(read("unsigned char bpf[] = {6, 0, 0, 0, 0, 0, 255, 0x7f};").program,
            (Program{{0x06, 0, 0, kAllow}}));
}

TEST(ProgramReader, reads_rows_with_comments_and_names) {
  EXPECT_EQ(
      read("/* one */ { 0x20, 0, 0, 0x00000004 },\n{ 0x06, 0, 0, 0x7fff0000 }, // two\n").program,
      (Program{{0x20, 0, 0, 4}, {0x06, 0, 0, kAllow}}));
  EXPECT_EQ(read("{ BPF_RET|BPF_K, 0, 0, SECCOMP_RET_ALLOW },").program,
            (Program{{0x06, 0, 0, kAllow}}));
  EXPECT_EQ(read("{ .code = 0x15, .jt = 1, .jf = 2, .k = 59 },{6,0,0,0},{6,0,0,0},{6,0,0,0}")
                .program.front(),
            (Instruction{0x15, 1, 2, 59}));
}

TEST(ProgramReader, reads_macros_as_sources_have_them) {
  const std::string source =
      "struct sock_filter filter[] = {\n"
      "  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),\n"
      "  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),\n"
      "  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),\n"
      "  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offsetof(struct seccomp_data, args[1]) + 4)),\n"
      "  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_openat, 0, 1), /* the call */\n"
      "  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (EPERM & SECCOMP_RET_DATA)),\n"
      "  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),\n"
      "};\n";
  const ReadProgram got = read(source);
  EXPECT_EQ(got.format, InputFormat::CMacros);
  EXPECT_EQ(got.program, (Program{{0x20, 0, 0, 4},
                                  {0x15, 1, 0, 0xc000003eU},
                                  {0x06, 0, 0, 0x80000000U},
                                  {0x20, 0, 0, 28},
                                  {0x15, 0, 1, 257},
                                  {0x06, 0, 0, 0x00050001U},
                                  {0x06, 0, 0, kAllow}}));
}

TEST(ProgramReader, reads_macros_as_strace_shows_them) {
  const ReadProgram got = read(
      "prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, {len=4, filter=[BPF_STMT(BPF_LD|BPF_W|BPF_ABS, "
      "0x4), BPF_JUMP(BPF_JMP|BPF_K|BPF_JEQ, 0xc000003e, 0x1, 0), BPF_STMT(BPF_RET|BPF_K, "
      "SECCOMP_RET_KILL_THREAD), BPF_STMT(BPF_RET|BPF_K, SECCOMP_RET_ALLOW)]}) = 0\n");
  EXPECT_EQ(got.program, kSmall);
}

TEST(ProgramReader, reads_what_the_preprocessor_leaves) {
  EXPECT_EQ(
      read("struct sock_filter f[] = {\n# 3 \"a.c\"\n"
           "  { (unsigned short)(0x00+0x00+0x20), 0, 0,\n"
           "    __builtin_offsetof(struct seccomp_data, args[2]) + sizeof(__u32)},\n"
           "  { (unsigned short)(0x06), 0, 0, 0x7fff0000U },\n};\nint main(void) { return 0; }\n")
          .program,
      (Program{{0x20, 0, 0, 36}, {0x06, 0, 0, kAllow}}));
}

TEST(ProgramReader, reads_constants_of_arguments_and_negative_numbers) {
  EXPECT_EQ(read("BPF_JUMP(BPF_JMP|BPF_JSET|BPF_K, CLONE_NEWUSER, 0, 1),\n"
                 "BPF_STMT(BPF_ALU|BPF_AND|BPF_K, ~7U), BPF_STMT(BPF_LD|BPF_IMM, -1)")
                .program,
            (Program{{0x45, 0, 1, 0x10000000U}, {0x54, 0, 0, 0xfffffff8U}, {0x00, 0, 0, ~0U}}));
}

TEST(ProgramReader, reads_strings_as_ruby_and_python_print_them) {
  // A letter that is a hexadecimal digit follows an escape.
  const Program program{{0x06, 0, 0, 0x7fff0041U}};
  EXPECT_EQ(read(R"("\x06\x00\x00\x00A\x00\xFF\x7F")").program, program);
  EXPECT_EQ(read(R"(b'\x06\x00\x00\x00A\x00\xff\x7f')").program, program);
  EXPECT_EQ(read(R"(\x06\x00\x00\x00A\x00\xff\x7f)").program, program);
}

TEST(ProgramReader, reads_a_text_that_begins_with_a_byte_order_mark) {
  EXPECT_EQ(read("\xef\xbb\xbf{ 0x06, 0, 0, 0x7fff0000 },\r\n").program,
            (Program{{0x06, 0, 0, kAllow}}));
}

TEST(ProgramReader, takes_printable_bytes_as_raw_where_nothing_else_fits) {
  EXPECT_EQ(read("ABCDEFGH").format, InputFormat::Raw);
  EXPECT_THAT(refused("ABCDEFGHI").message, HasSubstr("none of the forms"));
  EXPECT_THAT(refused(std::string(8 * 65536, '~')).message, HasSubstr("none of the forms"));
}

TEST(ProgramReader, refuses_a_program_that_strace_cut_short) {
  const std::string head = "prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, {len=5, filter=[";
  EXPECT_THAT(refused(head + "BPF_STMT(BPF_RET|BPF_K, 0), ...]}) = 0").message,
              HasSubstr("strace -v"));
  EXPECT_THAT(refused(head + "BPF_STMT(BPF_RET|BPF_K, 0)]}) = 0").message, HasSubstr("len says 5"));
}

TEST(ProgramReader, refuses_what_only_the_preprocessor_can_settle) {
  const ReadError error =
      refused("{\n BPF_STMT(6, 0),\n#ifdef X\n BPF_STMT(6, 1),\n#endif\n BPF_STMT(6, 2) }");
  EXPECT_EQ(error.line, 3U);
  EXPECT_THAT(error.message, HasSubstr("preprocessor"));
}

TEST(ProgramReader, refuses_what_follows_the_program) {
  const ReadError garbage = refused("{ BPF_STMT(BPF_RET|BPF_K, 0) } x");
  EXPECT_EQ(garbage.column, 32U);
  EXPECT_THAT(refused("{ BPF_STMT(6, 0) };\n{ BPF_STMT(6, 1) };").message, HasSubstr("second"));
  EXPECT_EQ(refused(R"("\6\0\0\0\0\0\377\177" x)").column, 24U);
}

TEST(ProgramReader, refuses_nesting_beyond_all_reason_quickly) {
  for (const char* const deep : {"(", "-", "~", "{", "["}) {
    std::string text = "BPF_STMT(6, ";
    for (int i = 0; i < 100000; ++i) text += deep;
    EXPECT_FALSE(refused(text).message.empty());
  }
}

TEST(ProgramReader, reads_decimals_of_tcpdump_and_of_bpf_asm) {
  EXPECT_EQ(read("2\n32 0 0 4\n6 0 0 2147418112\n").program,
            (Program{{0x20, 0, 0, 4}, {0x06, 0, 0, kAllow}}));
  EXPECT_EQ(read("2,32 0 0 4,6 0 0 2147418112,\n").program,
            (Program{{0x20, 0, 0, 4}, {0x06, 0, 0, kAllow}}));
}

TEST(ProgramReader, reads_raw_bytes_in_the_order_of_the_architecture) {
  ReadOptions options;
  options.order = ByteOrder::Big;
  const auto got = read_program(report::raw_bytes(kSmall, ByteOrder::Big), options);
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->program, kSmall);
}

TEST(ProgramReader, refuses_an_instruction_cut_short_with_its_byte) {
  const std::string raw = report::raw_bytes(kSmall, ByteOrder::Little) + "\x06\x01\x02";
  const ReadError error = refused(raw);
  EXPECT_EQ(error.offset, 32U);
  EXPECT_THAT(error.message, HasSubstr("3"));
  EXPECT_EQ(refused("0600000000").line, 1U);
}

TEST(ProgramReader, refuses_what_is_empty) {
  EXPECT_THAT(refused("").message, HasSubstr("empty"));
  EXPECT_FALSE(refused(" \n\t").message.empty());
  EXPECT_FALSE(refused("/* nothing */").message.empty());
  for (const InputFormatRow& row : input_formats()) {
    EXPECT_FALSE(refused("", row.format).message.empty()) << row.name;
  }
}

TEST(ProgramReader, refuses_numbers_out_of_range_with_their_place) {
  const ReadError row = refused("{ 0x06, 0, 0, 0 },\n{ 0x06, 256, 0, 0 },\n");
  EXPECT_EQ(row.line, 2U);
  EXPECT_EQ(row.column, 9U);
  EXPECT_EQ(refused("{ 0x10000, 0, 0, 0 },").line, 1U);
  EXPECT_EQ(refused("{ 6, 0, 0, 0x100000000 },").line, 1U);
  EXPECT_EQ(refused("1\n6 0 0 4294967296\n").line, 2U);
  EXPECT_EQ(refused("unsigned char f[] = {6, 0, 0, 0, 0, 0, 256, 0};").line, 1U);
}

TEST(ProgramReader, refuses_a_count_that_does_not_fit) {
  EXPECT_FALSE(refused("3\n6 0 0 0\n6 0 0 0\n").message.empty());
  EXPECT_FALSE(refused("1\n6 0 0 0\n6 0 0 0\n").message.empty());
}

TEST(ProgramReader, refuses_unknown_names_with_their_place) {
  const ReadError error = refused("BPF_STMT(BPF_RET|BPF_K,\n  SECCOMP_RET_NONSENSE),");
  EXPECT_EQ(error.line, 2U);
  EXPECT_EQ(error.column, 3U);
  EXPECT_THAT(error.message, HasSubstr("SECCOMP_RET_NONSENSE"));
}

TEST(ProgramReader, refuses_brackets_that_do_not_match) {
  EXPECT_FALSE(refused("BPF_STMT(BPF_RET|BPF_K, 0").message.empty());
  EXPECT_FALSE(refused("{ 0x06, 0, 0, 0x7fff0000 ").message.empty());
  EXPECT_FALSE(refused("\"\\x06\\x00").message.empty());
}

TEST(ProgramReader, refuses_more_instructions_than_a_length_can_say) {
  const std::string raw = report::raw_bytes(Program(65536, {0x06, 0, 0, 0}), ByteOrder::Little);
  const ReadError error = refused(raw);
  EXPECT_THAT(error.message, HasSubstr("65535"));
  EXPECT_EQ(read(raw.substr(8)).program.size(), 65535U);
  EXPECT_THAT(refused(report::c_rows(Program(65536, {0x06, 0, 0, 0}))).message, HasSubstr("65535"));
}

TEST(ProgramReader, says_what_it_reads_when_nothing_fits) {
  const ReadError error = refused("Dear kernel, please allow everything.");
  for (const InputFormatRow& row : input_formats()) {
    EXPECT_THAT(error.message, HasSubstr(std::string(row.name)));
  }
}

TEST(ProgramReader, knows_its_formats_by_name) {
  for (const InputFormatRow& row : input_formats()) {
    EXPECT_EQ(input_format_from_name(row.name), row.format);
  }
  EXPECT_EQ(input_format_from_name("tea-leaves"), std::nullopt);
}

TEST(ProgramReader, says_why_a_file_cannot_be_read) {
  EXPECT_FALSE(read_file("/nonexistent/file").has_value());
  EXPECT_FALSE(read_file("/").has_value());
  EXPECT_FALSE(read_file("/proc/self/exe", 16).has_value());
}

}  // namespace
}  // namespace callgate::front_ends
