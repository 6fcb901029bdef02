#include "harness/task/script_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "harness/suite/vector_program.hpp"

namespace callgate::task {
namespace {

// A number, negative ones included: what fits in 64 bits.
std::optional<std::int64_t> parse_signed(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto number = suite::parse_number(text, std::numeric_limits<std::int64_t>::max());
  if (!number) return std::nullopt;
  return negative ? -static_cast<std::int64_t>(*number) : static_cast<std::int64_t>(*number);
}

}  // namespace

std::uint64_t word_of(std::string_view text) {
  if (const auto number = suite::parse_number(text, std::numeric_limits<std::uint64_t>::max()))
    return *number;
  if (const auto number = parse_signed(text)) return static_cast<std::uint64_t>(*number);
  throw Wrong(fmt::format("{}: not a number", text));
}

std::uint32_t word32_of(std::string_view text, std::string_view what) {
  const auto number = suite::parse_number(text, std::numeric_limits<std::uint32_t>::max());
  if (!number) throw Wrong(fmt::format("{}: 0 to 0xffffffff", what));
  return static_cast<std::uint32_t>(*number);
}

std::array<std::uint64_t, 6> arguments_of(std::string_view text) {
  std::array<std::uint64_t, 6> args{};
  for (std::uint64_t& arg : args) {
    const std::size_t comma = std::min(text.find(','), text.size());
    arg = word_of(text.substr(0, comma));
    if (comma == text.size()) return args;
    text.remove_prefix(comma + 1);
  }
  throw Wrong("a call has 6 arguments at most");
}

std::uint64_t flags_of(std::string_view text, std::span<const FlagName> names) {
  std::uint64_t flags = 0;
  for (;;) {
    const std::size_t bar = text.find('|');
    const std::string_view part = text.substr(0, bar);
    const auto row = std::ranges::find(names, part, &FlagName::first);
    flags |= row != names.end() ? row->second : word_of(part);
    if (bar == std::string_view::npos) return flags;
    text.remove_prefix(bar + 1);
  }
}

std::optional<std::string_view> Options::value(std::string_view name) {
  for (std::size_t i = 0; i < words_.size(); ++i) {
    const std::string_view word = words_[i];
    if (!word.starts_with(name) || !word.substr(name.size()).starts_with('=')) continue;
    if (used_[i]) continue;
    used_[i] = true;
    return word.substr(name.size() + 1);
  }
  return std::nullopt;
}

bool Options::flag(std::string_view name) {
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if (words_[i] != name || used_[i]) continue;
    used_[i] = true;
    return true;
  }
  return false;
}

std::string_view Options::next(std::string_view what) {
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if (used_[i]) continue;
    used_[i] = true;
    return words_[i];
  }
  throw Wrong(fmt::format("{} is missing", what));
}

void Options::finish() const {
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if (!used_[i]) throw Wrong(fmt::format("{}: not understood here", words_[i]));
  }
}

}  // namespace callgate::task
