#include "harness/suite/suite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace callgate::suite {

SuiteError suite_error(std::string file, std::size_t line, std::size_t column,
                       std::string message) {
  SuiteError out;
  out.place.file = std::move(file);
  out.place.line = line;
  out.place.column = column;
  out.message = std::move(message);
  return out;
}

bool Scope::has(const KernelModel& model) const noexcept {
  return (arches.empty() || std::ranges::find(arches, model.arch) != arches.end()) &&
         (kernels.empty() || std::ranges::find(kernels, model.version) != kernels.end());
}

std::optional<double> parse_per_cent(std::string_view text) {
  if (text.ends_with('%')) text.remove_suffix(1);
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || at != end || !(value >= 0 && value <= 100)) return std::nullopt;
  return value;
}

std::expected<std::vector<RecordedCall>, SuiteError> read_table(std::string_view text,
                                                                const std::string& path) {
  std::vector<RecordedCall> out;
  std::uint32_t number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string_view whole = line;
    line = line.substr(0, line.find('#'));
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r')) {
      line.remove_suffix(1);
    }
    const std::size_t start = std::min(line.find_first_not_of(" \t"), line.size());
    line.remove_prefix(start);
    if (line.empty()) continue;
    // Behind the call: an ABI has a colon too.
    const std::size_t colon = line.rfind(':');
    const std::size_t verdict =
        colon == std::string_view::npos ? colon : line.find_first_not_of(" \t", colon + 1);
    if (verdict == std::string_view::npos) {
      return std::unexpected(SuiteError{{path, number, start + 1},
                                        "a line is CALL: VERDICT, such as `read(0x3): ALLOW`"});
    }
    const std::size_t offset = static_cast<std::size_t>(line.data() - whole.data());
    out.push_back({std::string(line.substr(0, colon)), std::string(line.substr(verdict)), number,
                   static_cast<std::uint32_t>(offset + 1), number,
                   static_cast<std::uint32_t>(offset + verdict + 1)});
  }
  return out;
}

std::string to_string(const SuiteError& error) {
  std::string place = error.place.file.empty() ? "standard input" : error.place.file;
  if (error.place.line != 0) {
    place += fmt::format(":{}:{}", error.place.line, error.place.column);
  }
  return fmt::format("{}: {}", place, error.message);
}

}  // namespace callgate::suite
