#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/front_ends/policy.hpp"
#include "harness/front_ends/profile.hpp"
#include "harness/front_ends/program_reader.hpp"

/// What readers of policy languages share: places of texts that name further files, C's numbers,
/// actions.
namespace callgate::front_ends {

inline constexpr std::uint32_t kAllowValue = static_cast<std::uint32_t>(Action::Allow);
inline constexpr std::uint32_t kErrnoValue = static_cast<std::uint32_t>(Action::Errno);
inline constexpr std::uint32_t kKillThreadValue = static_cast<std::uint32_t>(Action::KillThread);
inline constexpr std::uint32_t kKillProcessValue = static_cast<std::uint32_t>(Action::KillProcess);
inline constexpr std::uint32_t kTrapValue = static_cast<std::uint32_t>(Action::Trap);
inline constexpr std::uint32_t kTraceValue = static_cast<std::uint32_t>(Action::Trace);
inline constexpr std::uint32_t kLogValue = static_cast<std::uint32_t>(Action::Log);
inline constexpr std::uint32_t kUserNotifValue = static_cast<std::uint32_t>(Action::UserNotif);

/// What readers throw inside; reading() makes the answer of it.
struct Malformed {
  ReadError error;
};

/// What `read` returns, or the error that it throws.
template <typename Read>
[[nodiscard]] std::expected<Profile, ReadError> reading(const Read& read) {
  try {
    return read();
  } catch (Malformed& malformed) {
    return std::unexpected(std::move(malformed.error));
  }
}

/// A text of a policy, and how it is called where errors speak of it. The text must outlive it.
class PolicyText {
 public:
  /// `name` is empty for the text that was asked for, and a file's name for what it includes.
  explicit PolicyText(std::string_view text, std::string name = {});

  [[nodiscard]] std::string_view text() const noexcept { return text_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  /// Where an offset is, for rules and notes; nowhere in included files.
  [[nodiscard]] Place place(std::size_t offset) const noexcept;
  /// "line 3, column 5", with the file's name where it has one.
  [[nodiscard]] std::string words(std::size_t offset) const;
  /// A note at an offset.
  [[nodiscard]] Note note(std::size_t offset, std::string message) const;
  /// Ends the reading.
  [[noreturn]] void fail(std::size_t offset, std::string message) const;

 private:
  [[nodiscard]] Place real_place(std::size_t offset) const noexcept;

  std::string_view text_;
  std::string name_;
  std::vector<std::size_t> starts_;  // of the lines
};

/// The files that a policy names, and bounds for them.
class PolicyFiles {
 public:
  /// `path` is that of the first file; empty: no file is ever read. `most_open` counts the first.
  PolicyFiles(std::string_view path, std::size_t most_open);

  struct File {
    std::string path;
    std::string text;
  };

  /// Opens a file that the newest open one names; relative names start from that one's folder. The
  /// error has no name. Refused: one that is open already, more than most_open, more than 256 files
  /// or 8 MiB in all.
  [[nodiscard]] std::expected<File, std::string> open(std::string_view name);
  /// The same for a file that the user names: from the working directory.
  [[nodiscard]] std::expected<File, std::string> open_given(std::string_view path);
  /// Closes the newest one.
  void close() { open_.pop_back(); }

 private:
  [[nodiscard]] std::expected<File, std::string> open_path(const std::string& path);

  bool allowed_;
  std::size_t most_open_;
  std::size_t files_ = 0;
  std::size_t bytes_ = 0;
  std::vector<std::string> open_;  // from the first
};

/// What strtol() and strtoul() with base 0 find at the beginning of a text: a value in a word of
/// `bits`, and how many characters it takes; nothing where there is no number, or where it does not
/// fit in a word, signed or unsigned.
struct CNumber {
  std::uint64_t value = 0;
  std::size_t length = 0;
};
[[nodiscard]] std::optional<CNumber> c_number(std::string_view text, int bits) noexcept;

/// A text as it may stand in a message: cut where it is long, without control characters.
[[nodiscard]] std::string shown(std::string_view text);

/// Whether a text has bytes that no policy has.
[[nodiscard]] bool has_strange_bytes(std::string_view text) noexcept;

/// Throws where a text has such bytes, or is longer than kMaxFileSize.
void require_text(const PolicyText& text);

}  // namespace callgate::front_ends
