#include "vm/diagnostics.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace callgate {
namespace {

TEST(Diagnostics, have_names_of_their_own_in_small_letters) {
  std::set<std::string_view> names;
  for (const DiagnosticInfo& row : diagnostics()) {
    EXPECT_EQ(&info(row.id), &row);
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(row.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string_view::npos)
        << row.name;
  }
}

TEST(Diagnostics, put_their_operands_in_their_message) {
  const Diagnostic slot{DiagnosticId::SlotOutOfRange, 3, {17, 16}};
  EXPECT_EQ(message(slot), "memory slot 17; there are 16, numbered from 0");
  const Diagnostic code{DiagnosticId::UnknownCode, 0, {0x106, 0}};
  EXPECT_TRUE(message(code).starts_with("code 0x106 is no instruction"));
  const Diagnostic largest{DiagnosticId::ShiftTooLarge, 0, {0xffffffffffffffffU, 0}};
  EXPECT_TRUE(message(largest).starts_with("shift by the constant 18446744073709551615;"));
}

TEST(Diagnostics, leave_no_brace_in_any_message) {
  for (const DiagnosticInfo& row : diagnostics()) {
    const std::string text = message({row.id, std::nullopt, {1, 2}});
    EXPECT_FALSE(text.empty()) << row.name;
    EXPECT_EQ(text.find_first_of("{}"), std::string::npos) << row.name;
  }
}

TEST(Diagnostics, of_the_limit_alone_are_enomem) {
  for (const DiagnosticInfo& row : diagnostics()) {
    const bool limit = row.id == DiagnosticId::InstructionLimit;
    EXPECT_EQ(row.error, limit ? InstallError::NoMemory : InstallError::Invalid) << row.name;
  }
}

}  // namespace
}  // namespace callgate
