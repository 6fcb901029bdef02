#include <callgate/testing/gtest.hpp>

using namespace callgate::testing;

TEST(Filter, refuses_what_it_is_made_to_refuse) {
  const Filter filter = Filter::from_program({{0x06, 0, 0, 0x00050001}}, {.arch = "x86_64"});
  EXPECT_THAT(filter, ReturnsErrno("EPERM", "read"));
}

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
