#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "harness/trace/trace.hpp"

/// What the readers of logs share.
namespace callgate::trace {

/// The longest line that a log may have; longer ones are an error.
inline constexpr std::size_t kLongestLine = std::size_t{1024} * 1024;
/// The most notes that a header gets.
inline constexpr std::size_t kMostNotes = 20;

/// The lines of a text, one after the other.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  /// The next line without its end (CR LF too), or nothing.
  std::optional<std::string_view> next();
  [[nodiscard]] std::size_t number() const { return number_; }  ///< of the last, from 1

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

/// Takes blanks and tabs from the front.
void skip_blanks(std::string_view& text);
/// Takes that from the front, or says that it is not there.
bool take(std::string_view& text, std::string_view word);
/// Takes a decimal or hexadecimal number without a sign from the front; nothing where there is none
/// or it has more than 64 bits (nothing is taken then).
std::optional<std::uint64_t> take_number(std::string_view& text, int base = 10);
/// Takes a C name from the front; empty where there is none.
std::string_view take_name(std::string_view& text);

/// Gives a call the number of that name on an ABI. Where the name does not tell a number (it is
/// unknown there, or the ABI has socketcall(2) or ipc(2), which may stand behind it) the number
/// stays unknown and the call has the name.
void set_name(Call& call, std::string_view name, Arch arch);

/// Adds a note with its line, as long as there are not too many.
void note(Header& header, std::size_t line, std::string_view message);

}  // namespace callgate::trace
