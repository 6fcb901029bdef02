#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "harness/front_ends/assembler.hpp"

/// For tests of the languages of assemblers.
namespace callgate::front_ends {

inline constexpr std::uint32_t kAllow = 0x7fff0000U;

inline ReadOptions options_for(std::optional<InputFormat> format, Arch arch) {
  ReadOptions options;
  options.format = format;
  options.arch = arch;
  return options;
}

// The one instruction of a statement.
inline Instruction one(InputFormat format, const std::string& statement, Arch arch = Arch::X86_64) {
  const auto read = assemble(statement, options_for(format, arch));
  EXPECT_TRUE(read.has_value()) << statement << ": " << to_string(read.error());
  if (!read) return {};
  EXPECT_EQ(read->program.size(), 1U) << statement;
  return read->program.front();
}

inline Program read(std::optional<InputFormat> format, const std::string& text,
                    Arch arch = Arch::X86_64) {
  auto got = assemble(text, options_for(format, arch));
  EXPECT_TRUE(got.has_value()) << text.substr(0, 400) << ": " << to_string(got.error());
  return got ? std::move(got->program) : Program{};
}

inline std::string refused(std::optional<InputFormat> format, const std::string& text) {
  const auto got = assemble(text, options_for(format, Arch::X86_64));
  EXPECT_FALSE(got.has_value()) << text.substr(0, 200);
  return got ? std::string{} : to_string(got.error());
}

struct Row {
  const char* statement;
  Instruction instruction;
};

inline void all_are_read(InputFormat format, std::initializer_list<Row> rows) {
  for (const Row& row : rows) {
    EXPECT_EQ(one(format, row.statement), row.instruction) << row.statement;
  }
}

}  // namespace callgate::front_ends
