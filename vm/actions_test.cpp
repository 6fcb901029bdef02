#include "vm/actions.hpp"

#include <gtest/gtest.h>

#include <string>

namespace callgate {
namespace {

TEST(Actions, are_found_by_value_and_by_each_spelling) {
  for (const ActionInfo& row : actions()) {
    EXPECT_EQ(find_action(static_cast<std::uint32_t>(row.action)), &row);
    EXPECT_EQ(action_from_name(row.name), row.action);
    EXPECT_EQ(action_from_name("SECCOMP_RET_" + std::string(row.name)), row.action);
    EXPECT_EQ(action_from_name(row.libseccomp), row.action);
    EXPECT_EQ(action_from_name(row.sysctl), row.action);
  }
}

TEST(Actions, are_eight) { EXPECT_EQ(actions().size(), 8U); }

TEST(Actions, are_the_whole_upper_half) {
  for (std::uint32_t half = 0; half <= 0xffff; ++half) {
    const bool known = half == 0x8000 || half == 0 || half == 3 || half == 5 || half == 0x7fc0 ||
                       half == 0x7ff0 || half == 0x7ffc || half == 0x7fff;
    ASSERT_EQ(find_action(half << 16U) != nullptr, known) << half;
  }
  EXPECT_EQ(find_action(0x00050001U), nullptr) << "data are no part of an action";
}

TEST(Actions, called_kill_end_the_thread) {
  EXPECT_EQ(action_from_name("KILL"), Action::KillThread);
  EXPECT_EQ(action_from_name("SECCOMP_RET_KILL"), Action::KillThread);
  EXPECT_EQ(action_from_name("SCMP_ACT_KILL"), Action::KillThread);
}

TEST(Actions, are_not_found_by_other_words) {
  for (const char* word :
       {"", "kill", "Allow", "ALLOW ", "SECCOMP_RET_", "SCMP_ACT_", "ERRNO(1)"}) {
    EXPECT_EQ(action_from_name(word), std::nullopt) << word;
  }
}

}  // namespace
}  // namespace callgate
