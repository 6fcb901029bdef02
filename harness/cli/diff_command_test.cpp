// `callgate diff` and `subset` as a person meets them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/cli/command_test.hpp"

namespace callgate {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Allows read, and write to standard output; all else gets ERRNO(errno).
std::string program(int errno_number, int read, int first = 1) {
  return "{0x20, 0, 0, 0}, {0x15, 3, 0, " + std::to_string(read) +
         "}, {0x15, 0, 3, 1}, {0x20, 0, 0, 16}, {0x15, 0, 1, " + std::to_string(first) +
         "}, {0x06, 0, 0, 0x7fff0000}, {0x06, 0, 0, " + std::to_string(0x50000 + errno_number) +
         "}";
}

class DiffCommand : public CommandFixture {
 protected:
  [[nodiscard]] Ended of(const std::string& command, const std::string& a, const std::string& b,
                         std::vector<std::string> more = {}) const {
    std::vector<std::string> words{command, file("a", a), file("b", b), "--arch", "x86_64"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
};

TEST_F(DiffCommand, proves_that_two_orders_mean_the_same) {
  const std::string other =
      "{0x20, 0, 0, 0}, {0x25, 4, 0, 1}, {0x15, 2, 0, 0}, {0x20, 0, 0, 16}, {0x15, 0, 1, 1}, "
      "{0x06, 0, 0, 0x7fff0000}, {0x06, 0, 0, 0x00050001}";
  const Ended ended = of("diff", program(1, 0), other);
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, StartsWith("equal (verdict, Linux 6.18 x86_64)"));
  EXPECT_THAT(ended.out, HasSubstr("proved for all inputs: the same decision diagram of "));
  EXPECT_THAT(ended.out, HasSubstr("tried out on 20000 inputs"));
}

TEST_F(DiffCommand, shows_each_change_with_a_call_that_can_be_run) {
  const Ended ended = of("diff", program(1, 0), program(1, 39));
  EXPECT_EQ(ended.code, 1) << ended.err;
  EXPECT_THAT(ended.out, StartsWith("different (verdict, Linux 6.18 x86_64)"));
  EXPECT_THAT(ended.out, HasSubstr("1 call: from ALLOW to ERRNO(EPERM): stricter\n  read\n"));
  EXPECT_THAT(ended.out, HasSubstr("1 call: from ERRNO(EPERM) to ALLOW: laxer\n  getpid\n"));
  const std::string example = "callgate run -f " + (folder_ / "b").string() + " --arch x86_64 read";
  EXPECT_THAT(ended.out, HasSubstr(example));
  const Ended run_a = run({"run", "-f", (folder_ / "a").string(), "--arch", "x86_64", "read"});
  const Ended run_b = run({"run", "-f", (folder_ / "b").string(), "--arch", "x86_64", "read"});
  EXPECT_THAT(run_a.out, HasSubstr("read  ALLOW"));
  EXPECT_THAT(run_b.out, HasSubstr("read  ERRNO(1)"));
}

TEST_F(DiffCommand, says_for_which_arguments) {
  const Ended ended = of("diff", program(1, 0), program(1, 0, 2));
  EXPECT_EQ(ended.code, 1) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("write if "));
  EXPECT_THAT(ended.out, HasSubstr(" write 0x1\n"));
  EXPECT_THAT(ended.out, HasSubstr(" write 0x2\n"));
}

TEST_F(DiffCommand, is_json_too) {
  const Ended ended = of("diff", program(1, 0), program(13, 0), {"--format", "json"});
  EXPECT_EQ(ended.code, 1) << ended.err;
  const auto document = nlohmann::json::parse(ended.out);
  EXPECT_EQ(document.at("callgate"), 1);
  EXPECT_EQ(document.at("answer"), "different");
  EXPECT_TRUE(document.at("proof").is_null());
  ASSERT_EQ(document.at("changes").size(), 1U);
  const auto& change = document.at("changes")[0];
  EXPECT_EQ(change.at("from"), "ERRNO(EPERM)");
  EXPECT_EQ(change.at("to"), "ERRNO(EACCES)");
  EXPECT_EQ(change.at("which"), "only the data differ");
  for (const auto& calls : change.at("calls")) {
    EXPECT_EQ(calls.at("a").at("value"), "0x00050001");
    EXPECT_EQ(calls.at("b").at("value"), "0x0005000d");
  }
  const auto same = nlohmann::json::parse(
      of("diff", program(1, 0), program(1, 0), {"--format", "json", "--inputs", "100"}).out);
  EXPECT_EQ(same.at("answer"), "equal");
  EXPECT_EQ(same.at("proof"), "the same instructions");
  EXPECT_EQ(same.at("tried"), 100);
}

TEST_F(DiffCommand, at_the_outcome_does_not_see_what_a_process_does_not_see) {
  const std::string allow = "{0x06, 0, 0, 0x7fff0000}";
  const std::string log = "{0x06, 0, 0, 0x7ffc0000}";
  EXPECT_EQ(of("diff", allow, log).code, 1);
  EXPECT_EQ(of("diff", allow, log, {"--level", "outcome"}).code, 0);
}

TEST_F(DiffCommand, compares_stacks) {
  const std::string no_read =
      file("no_read", "{0x20,0,0,0},{0x15,0,1,0},{6,0,0,0},{6,0,0,0x7fff0000}");
  const std::string no_write =
      file("no_write", "{0x20,0,0,0},{0x15,0,1,1},{6,0,0,0},{6,0,0,0x7fff0000}");
  const std::string neither =
      file("neither", "{0x20,0,0,0},{0x25,1,0,1},{6,0,0,0},{6,0,0,0x7fff0000}");
  const Ended ended =
      run({"diff", "--a", no_read, "--a", no_write, "--b", neither, "--arch", "x86_64"});
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  const Ended raw =
      run({"diff", "--a", no_read, "--a", no_write, "--b", neither, "--level", "raw"});
  EXPECT_EQ(raw.code, 2);
  EXPECT_THAT(raw.err, HasSubstr("compares two programs"));
}

TEST_F(DiffCommand, between_architectures_goes_by_names) {
  const auto no_write = [](const char* token, int nr) {
    return std::string("{0x20,0,0,4},{0x15,0,4,") + token + "},{0x20,0,0,0},{0x15,0,1," +
           std::to_string(nr) + "},{6,0,0,0x50001},{6,0,0,0x7fff0000},{6,0,0,0}";
  };
  const auto between = [&](int nr) {
    return run({"diff", file("a", no_write("0xc000003e", 1)), file("b", no_write("0xc00000b7", nr)),
                "--arch-a", "x86_64", "--arch-b", "aarch64"});
  };
  const Ended same = between(64);
  EXPECT_EQ(same.code, 0) << same.out << same.err;
  EXPECT_THAT(same.out, HasSubstr("only x86_64 has them: "));
  const Ended other = between(63);
  EXPECT_EQ(other.code, 1);
  EXPECT_THAT(other.out, HasSubstr("--arch aarch64 read"));
}

// A square is never 2 in its lowest bits, which no diagram shows.
constexpr const char* kSquare =
    "{0x20,0,0,16},{7,0,0,0},{0x2c,0,0,0},{0x54,0,0,3},{0x15,0,1,2},{6,0,0,0x50001},"
    "{6,0,0,0x7fff0000}";

TEST_F(DiffCommand, that_cannot_be_decided_says_what_is_left) {
  // Z3 gets no time.
  const Ended ended = of("diff", kSquare, "{6,0,0,0x7fff0000}", {"--solver-seconds", "0"});
  EXPECT_EQ(ended.code, 3) << ended.out;
  EXPECT_THAT(ended.out, StartsWith("undecided"));
  EXPECT_THAT(ended.out, HasSubstr("not known: "));
}

#ifdef CALLGATE_Z3_SONAME
TEST_F(DiffCommand, asks_Z3_where_its_library_can_be_loaded_and_else_says_why_not) {
  const std::vector<std::string> words = {"diff", file("a", kSquare),
                                          file("b", "{6,0,0,0x7fff0000}")};
  const Ended asked = run(words);
  EXPECT_EQ(asked.code, 0) << asked.out << asked.err;
  file(CALLGATE_Z3_SONAME, "no library");
  const Ended not_asked = run(words, {}, {"LD_LIBRARY_PATH=" + folder_.string()});
  EXPECT_EQ(not_asked.code, 3) << not_asked.out << not_asked.err;
  EXPECT_THAT(not_asked.out, HasSubstr("Z3 was not asked: "));
  EXPECT_THAT(not_asked.out, HasSubstr(CALLGATE_Z3_SONAME));
}
#endif

TEST_F(DiffCommand, of_what_cannot_be_compared_is_wrong_use) {
  EXPECT_EQ(run({"diff", file("a", program(1, 0))}).code, 2);
  EXPECT_EQ(of("diff", program(1, 0), "{0x20, 0, 0, 1}").code, 2) << "a filter is refused";
}

TEST_F(DiffCommand, subset_holds_one_way) {
  const std::string stricter = program(1, 0, 1);
  const std::string laxer = "{0x06, 0, 0, 0x7fff0000}";
  const Ended yes = of("subset", laxer, stricter);
  EXPECT_EQ(yes.code, 0) << yes.out;
  EXPECT_THAT(yes.out, StartsWith("subset: B allows nothing that A does not"));
  const Ended no = of("subset", stricter, laxer);
  EXPECT_EQ(no.code, 1);
  EXPECT_THAT(no.out, HasSubstr("from ERRNO(EPERM) to ALLOW: laxer"));
  EXPECT_THAT(no.out, Not(HasSubstr("stricter\n")));
  // TRACE is laxer than KILL_THREAD, and executes nothing by itself.
  EXPECT_EQ(of("subset", "{6,0,0,0}", "{6,0,0,0x7ff00000}").code, 1);
  EXPECT_EQ(of("subset", "{6,0,0,0}", "{6,0,0,0x7ff00000}", {"--allow-only"}).code, 0);
}

}  // namespace
}  // namespace callgate
