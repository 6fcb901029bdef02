#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

/// For tests: a guest's console.
namespace callgate::lab {

/// The lines as the agent prints them, each with its checksum, behind what a kernel may say.
inline std::string console_of(const std::vector<std::string>& lines) {
  std::uint32_t sum = 2166136261U;
  std::string out = "[    0.1] noise\r\n";
  for (const std::string& line : lines) {
    for (const char c : line) sum = (sum ^ static_cast<std::uint8_t>(c)) * 16777619U;
    out += fmt::format("@{} {:08x}\r\n", line, sum);
  }
  return out;
}

}  // namespace callgate::lab
