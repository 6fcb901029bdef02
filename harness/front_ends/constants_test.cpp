#include "harness/front_ends/constants.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/socket.h>

namespace callgate::front_ends {
namespace {

TEST(Constants, have_the_values_of_the_headers) {
  EXPECT_EQ(find_constant("AF_VSOCK", Arch::X86_64), AF_VSOCK);
  EXPECT_EQ(find_constant("CLONE_NEWUSER", Arch::S390x), CLONE_NEWUSER);
  EXPECT_EQ(find_constant("O_CREAT", Arch::X86_64), O_CREAT);
  EXPECT_EQ(find_constant("O_DIRECTORY", Arch::X86_64), O_DIRECTORY);
  EXPECT_EQ(find_constant("AT_FDCWD", Arch::AArch64), 0xffffffffffffff9cU);
}

TEST(Constants, whose_value_another_architecture_changes_are_refused_there) {
  EXPECT_TRUE(find_constant("O_CREAT", Arch::X86).has_value());
  EXPECT_FALSE(find_constant("O_DIRECTORY", Arch::AArch64).has_value());
  EXPECT_FALSE(find_constant("MAP_ANONYMOUS", Arch::Mips).has_value());
  EXPECT_TRUE(find_constant("MAP_ANONYMOUS", Arch::AArch64).has_value());
}

TEST(Constants, that_are_unknown_say_so) {
  const auto found = find_constant("O_NONSENSE", Arch::X86_64);
  ASSERT_FALSE(found.has_value());
  EXPECT_NE(found.error().find("O_NONSENSE"), std::string::npos);
  EXPECT_FALSE(find_constant("", Arch::X86_64).has_value());
}

}  // namespace
}  // namespace callgate::front_ends
