#pragma once

#include <array>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/task/script.hpp"

/// The words of a script's line, for those who read steps.
namespace callgate::task {

/// What is wrong with a line. parse_script() catches it: it knows the line's number.
// Not a std::runtime_error: what() of that ends where the script's text holds a zero byte.
class Wrong : public std::exception {
 public:
  explicit Wrong(std::string message) : message_(std::move(message)) {}
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }
  [[nodiscard]] const std::string& message() const noexcept { return message_; }

 private:
  std::string message_;
};

/// A number of up to 64 bits, negative ones included; throws Wrong.
[[nodiscard]] std::uint64_t word_of(std::string_view text);
[[nodiscard]] inline std::int64_t signed_of(std::string_view text) {
  return static_cast<std::int64_t>(word_of(text));
}
/// Of 32 bits. `what` is in the message of the Wrong that it throws.
[[nodiscard]] std::uint32_t word32_of(std::string_view text, std::string_view what);
/// 1,0x2,…: those left out are 0.
[[nodiscard]] std::array<std::uint64_t, 6> arguments_of(std::string_view text);

using FlagName = std::pair<std::string_view, std::uint64_t>;
/// Names and numbers, joined by bars.
[[nodiscard]] std::uint64_t flags_of(std::string_view text, std::span<const FlagName> names);

/// What follows a step's name: NAME=VALUE and words alone, each asked for by who knows it; what
/// nobody asked for is an error.
class Options {
 public:
  explicit Options(std::vector<std::string_view> words)
      : words_(std::move(words)), used_(words_.size()) {}

  [[nodiscard]] std::optional<std::string_view> value(std::string_view name);
  [[nodiscard]] bool flag(std::string_view name);
  /// The next word that nobody has asked for yet.
  [[nodiscard]] std::string_view next(std::string_view what);
  void finish() const;

 private:
  std::vector<std::string_view> words_;
  std::vector<bool> used_;
};

void parse_tracer(Step& step, Options& options, Arch arch);
void parse_supervisor(Step& step, Options& options, Arch arch);

}  // namespace callgate::task
