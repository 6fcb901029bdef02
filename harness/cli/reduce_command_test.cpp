// `callgate reduce` as a person meets it.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "harness/cli/command_test.hpp"

namespace callgate {
namespace {

using testing::HasSubstr;

class Reduce : public CommandFixture {
 protected:
  // 0 to 3 and 5 are allowed, number by number; a load again, and an end that nothing leads to.
  [[nodiscard]] std::string numbers() const {
    return file("numbers.txt",
                "10\n32 0 0 0\n21 6 0 0\n21 5 0 1\n21 4 0 2\n32 0 0 0\n21 2 0 3\n21 1 0 5\n"
                "6 0 0 327681\n6 0 0 2147418112\n6 0 0 0\n");
  }
};

TEST_F(Reduce, writes_a_shorter_program_and_says_what_was_done) {
  const Ended ended = run({"reduce", "--arch", "x86_64", numbers()});
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.err, HasSubstr("10 instructions, 5 now; the same for every call"));
  EXPECT_THAT(ended.err, HasSubstr("compared ranges"));
  const std::string shorter = file("shorter.txt", ended.out);
  for (const char* nr : {"0", "3", "4", "5", "6"}) {
    EXPECT_EQ(run({"run", "-f", shorter, "--arch", "x86_64", "--format", "raw", nr}).out,
              run({"run", "-f", numbers(), "--arch", "x86_64", "--format", "raw", nr}).out);
  }
}

TEST_F(Reduce, a_program_that_cannot_be_shorter_stays_as_it_is) {
  const std::string one = file("one.txt", "1\n6 0 0 0\n");
  const Ended ended = run({"reduce", "--to", "decimal", "--arch", "x86_64", one});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.out, "1\n6 0 0 0\n");
  EXPECT_THAT(ended.err, HasSubstr("1 instructions, 1 now\n"));
}

TEST_F(Reduce, json_has_the_steps_and_the_program) {
  const Ended ended = run({"reduce", "--format", "json", "--arch", "x86_64", numbers()});
  const nlohmann::json document = nlohmann::json::parse(ended.out);
  EXPECT_EQ(document["before"], 10);
  EXPECT_EQ(document["after"], 5);
  EXPECT_EQ(document["instructions"].size(), 5U);
  EXPECT_GE(document["steps"].size(), 1U);
}

TEST_F(Reduce, wrong_use_says_what_to_do) {
  const Ended form = run({"reduce", "--to", "nothing", numbers()});
  EXPECT_EQ(form.code, 2);
  EXPECT_THAT(form.err, HasSubstr("not a form of a program; these are: raw"));
  const Ended refused = run({"reduce", file("bad.txt", "1\n32 0 0 0\n")});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("EINVAL"));
}

}  // namespace
}  // namespace callgate
