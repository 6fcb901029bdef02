#include "harness/cost/workload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "vm/syscalls.hpp"

namespace callgate::cost {
namespace {

using front_ends::ReadError;

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; (at = line.find_first_not_of(" \t\r", at)) != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(" \t\r", at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

template <typename T>
std::optional<T> number(std::string_view text) {
  T value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || at != text.data() + text.size()) return std::nullopt;
  return value;
}

// The columns of strace -c, as its heading names them.
struct Heading {
  std::size_t calls = 0;
  std::size_t errors = 0;
};

std::optional<Heading> heading(const std::vector<std::string_view>& words) {
  // "% time" is two words of the heading, and one column.
  const auto calls = std::ranges::find(words, "calls");
  if (words.size() < 3 || words[0] != "%" || words.back() != "syscall" || calls == words.end()) {
    return std::nullopt;
  }
  return Heading{static_cast<std::size_t>(calls - words.begin()) - 1,
                 static_cast<std::size_t>(std::ranges::find(words, "errors") - words.begin()) - 1};
}

struct Line {
  std::string_view name;
  std::string_view count;
};

}  // namespace

std::expected<Workload, ReadError> read_workload(std::string_view text, Arch arch) {
  Workload out;
  std::optional<Heading> table;
  std::size_t number_of_line = 0;
  const auto wrong = [&](std::string message) {
    return std::unexpected(ReadError{std::move(message), number_of_line, std::nullopt, {}});
  };
  while (!text.empty()) {
    ++number_of_line;
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line = line.substr(0, line.find('#'));
    const auto words = words_of(line);
    if (words.empty()) continue;
    if (const auto found = heading(words)) {
      table = found;
      continue;
    }
    Line call;
    if (table) {
      // Rules of dashes, and the sum at the end.
      if (words[0].starts_with("---") || words.back() == "total") continue;
      // Where no call failed, the column is empty.
      if (words.size() < table->calls + 2 || words.size() > table->errors + 2) {
        return wrong("this is no row of the table of `strace -c`");
      }
      call = {words.back(), words[table->calls]};
    } else {
      if (words.size() != 2) return wrong("write a call's name and its count, such as `read 120`");
      call = {words[0], words[1]};
    }
    const auto count = number<std::uint64_t>(call.count);
    if (!count) return wrong(fmt::format("{}: not a count", call.count));
    auto nr = syscall_number(arch, call.name);
    if (!nr) nr = number<std::uint32_t>(call.name);
    if (!nr) return wrong(fmt::format("{}: no call of {}", call.name, info(arch).name));
    const auto known = std::ranges::find(out.calls, *nr, &Workload::Call::nr);
    if (known == out.calls.end()) {
      out.calls.push_back({*nr, std::string(syscall_name(arch, *nr).value_or(call.name)), *count});
    } else if (*count > std::numeric_limits<std::uint64_t>::max() - known->count) {
      return wrong("the counts of this call are too large");
    } else {
      known->count += *count;
    }
  }
  if (out.calls.empty()) {
    return std::unexpected(ReadError{"there is no call in it", std::nullopt, std::nullopt, {}});
  }
  return out;
}

}  // namespace callgate::cost
