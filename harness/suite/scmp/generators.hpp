#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// The programs that `.tests` files name.
namespace callgate::suite::scmp {

/// How a program ended.
struct Ended {
  int exit_code = -1;     ///< -1: it did not exit
  int signal = 0;         ///< that it died by
  bool too_late = false;  ///< it was killed at the time limit
  bool too_much = false;  ///< it was killed for what it printed
  std::string out;
  std::string last_error_line;  ///< of standard error: printable, at most 200 characters
};

/// "ended with exit code 3: no such call", "was killed after 60 s", "died by signal 11"
[[nodiscard]] std::string to_string(const Ended& ended, std::chrono::milliseconds time_limit);

/// Runs a program in `folder`, with nothing on standard input, and takes what it prints: of
/// standard output `output_limit` bytes at most. At the time limit it is killed, with all of its
/// process group; it dies with this process's thread. An error where it was not started.
[[nodiscard]] std::expected<Ended, std::string> run_program(const std::vector<std::string>& words,
                                                            const std::filesystem::path& folder,
                                                            std::chrono::milliseconds time_limit,
                                                            std::size_t output_limit);

/// The generators of a folder, each of them run once, however often its filter is wanted.
class Generators {
 public:
  Generators(std::filesystem::path folder, std::chrono::milliseconds time_limit);

  /// What `NAME -b` prints: a filter in the byte order of its architectures. An error (which names
  /// the program) where it is not there, or does not end well.
  [[nodiscard]] const std::expected<std::string, std::string>& filter(const std::string& name);

  /// Runs `NAME` by itself, each time.
  [[nodiscard]] std::expected<Ended, std::string> run(const std::string& name) const;

  [[nodiscard]] std::chrono::milliseconds time_limit() const { return time_limit_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

 private:
  // The words that start it: itself, or an interpreter before it.
  [[nodiscard]] std::optional<std::vector<std::string>> find(const std::string& name) const;
  [[nodiscard]] std::string absent(const std::string& name) const;

  std::filesystem::path folder_;
  std::chrono::milliseconds time_limit_;
  std::map<std::string, std::expected<std::string, std::string>> filters_;
};

}  // namespace callgate::suite::scmp
