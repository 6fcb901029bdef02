#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Texts from files, names of files among them, made fit to be printed: any bytes may stand in
/// them.
namespace callgate::suite {

/// What begins a text, taken as UTF-8.
struct Decoded {
  char32_t point = 0;      ///< 0xfffd where it is not UTF-8
  std::size_t length = 1;  ///< in bytes; 1 where it is not UTF-8
  bool valid = false;
};

/// The first character of a text that is not empty.
[[nodiscard]] Decoded first_character(std::string_view text) noexcept;

/// A line that shows what is there and does nothing to a terminal: control characters, separators
/// of lines and marks that change the direction of writing are written as "\n", "\x1b", "\u202e",
/// bytes that are no UTF-8 as "\xff".
[[nodiscard]] std::string one_line(std::string_view text);

/// The last part of a path, as one_line().
[[nodiscard]] std::string file_name(std::string_view path);

/// "12,034"
[[nodiscard]] std::string grouped(std::size_t number);

}  // namespace callgate::suite
