#include "harness/trace/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "vm/syscalls.hpp"

namespace callgate::trace {
namespace {

// What strace and perf print where socketcall(2) or ipc(2) was called.
constexpr std::array kMultiplexed = {
#define MULTIPLEXED(name, ...) std::string_view(#name),
#include "harness/front_ends/multiplexed_calls.def"
#undef MULTIPLEXED
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::optional<std::string_view> Lines::next() {
  if (rest_.empty()) return std::nullopt;
  const std::size_t end = rest_.find('\n');
  std::string_view line = rest_.substr(0, end);
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  ++number_;
  return line;
}

void skip_blanks(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

std::optional<std::uint64_t> take_number(std::string_view& text, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::string_view take_name(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && (is_letter(text[size]) || (size != 0 && is_digit(text[size])))) {
    ++size;
  }
  const std::string_view name = text.substr(0, size);
  text.remove_prefix(size);
  return name;
}

void set_name(Call& call, std::string_view name, Arch arch) {
  call.data.arch = info(arch).token;
  call.known |= kArchKnown;
  const bool shared = std::ranges::find(kMultiplexed, name) != kMultiplexed.end() &&
                      (syscall_number(arch, "socketcall") || syscall_number(arch, "ipc"));
  const auto number = shared ? std::nullopt : syscall_number(arch, name);
  if (!number) {
    call.name = name.substr(0, 64);
    return;
  }
  call.data.nr = static_cast<std::int32_t>(*number);
  call.known |= kNumberKnown;
}

void note(Header& header, std::size_t line, std::string_view message) {
  if (header.notes.size() < kMostNotes) {
    header.notes.push_back(fmt::format("line {}: {}", line, message));
  } else if (header.notes.size() == kMostNotes) {
    header.notes.emplace_back("more like these follow");
  }
}

}  // namespace callgate::trace
