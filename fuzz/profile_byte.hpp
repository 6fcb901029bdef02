#pragma once

#include <string>
#include <string_view>

namespace callgate::fuzz {

/// The first byte of read_profile's inputs: of a format's name, so that seeds stay what they are
/// where a format joins.
[[nodiscard]] inline std::string profile_byte(std::string_view format) {
  unsigned sum = 0;
  for (const char c : format) sum = sum * 31U + static_cast<unsigned char>(c);
  return std::string(1, static_cast<char>(sum & 0xffU));
}

}  // namespace callgate::fuzz
