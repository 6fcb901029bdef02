#include "harness/suite/clean_text.hpp"

#include <fmt/format.h>

namespace callgate::suite {
namespace {

constexpr Decoded kNotUtf8{.point = 0xfffd, .length = 1, .valid = false};

bool is_control(char32_t point) { return point < 0x20 || (point >= 0x7f && point < 0xa0); }

// They end a line, or change in which order what follows is shown.
bool is_unseen(char32_t point) {
  return (point >= 0x200e && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
         (point >= 0x2066 && point <= 0x2069) || point == 0xfeff || (point & 0xfffe) == 0xfffe;
}

}  // namespace

Decoded first_character(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {.point = first, .length = 1, .valid = true};
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return kNotUtf8;
  char32_t point = first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return kNotUtf8;
    point = point << 6 | (byte(i) & 0x3fU);
  }
  const bool shortest = point >= (length == 4 ? 0x10000U : length == 3 ? 0x800U : 0x80U);
  const bool surrogate = point >= 0xd800 && point < 0xe000;
  if (!shortest || surrogate || point > 0x10ffff) return kNotUtf8;
  return {.point = point, .length = length, .valid = true};
}

std::string one_line(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Decoded next = first_character(text);
    if (!next.valid) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    } else if (next.point == '\n') {
      out += "\\n";
    } else if (next.point == '\t') {
      out += "\\t";
    } else if (next.point == '\r') {
      out += "\\r";
    } else if (is_control(next.point)) {
      out += fmt::format("\\x{:02x}", static_cast<std::uint32_t>(next.point));
    } else if (is_unseen(next.point)) {
      out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(next.point));
    } else {
      out += text.substr(0, next.length);
    }
    text.remove_prefix(next.length);
  }
  return out;
}

std::string file_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return one_line(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

std::string grouped(std::size_t number) {
  std::string out = fmt::format("{}", number);
  for (std::size_t i = out.size(); i > 3;) {
    i -= 3;
    out.insert(i, ",");
  }
  return out;
}

}  // namespace callgate::suite
