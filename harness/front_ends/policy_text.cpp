#include "harness/front_ends/policy_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "harness/front_ends/formats.hpp"

namespace callgate::front_ends {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostFiles = 256;
constexpr std::size_t kLongestShown = 40;

}  // namespace

PolicyText::PolicyText(std::string_view text, std::string name)
    : text_(text), name_(std::move(name)), starts_{0} {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') starts_.push_back(i + 1);
  }
}

Place PolicyText::real_place(std::size_t offset) const noexcept {
  const auto next = std::ranges::upper_bound(starts_, offset);
  return {static_cast<std::size_t>(next - starts_.begin()), offset - *(next - 1) + 1};
}

Place PolicyText::place(std::size_t offset) const noexcept {
  return name_.empty() ? real_place(offset) : Place{};
}

std::string PolicyText::words(std::size_t offset) const {
  const Place at = real_place(offset);
  return fmt::format("{}line {}, column {}", name_.empty() ? "" : name_ + ", ", at.line, at.column);
}

Note PolicyText::note(std::size_t offset, std::string message) const {
  if (name_.empty()) return {place(offset), std::move(message)};
  return {{}, words(offset) + ": " + message};
}

void PolicyText::fail(std::size_t offset, std::string message) const {
  if (name_.empty()) {
    const Place at = real_place(offset);
    throw Malformed{{std::move(message), at.line, at.column, offset}};
  }
  throw Malformed{{words(offset) + ": " + message, {}, {}, {}}};
}

PolicyFiles::PolicyFiles(std::string_view path, std::size_t most_open)
    : allowed_(!path.empty()), most_open_(most_open), open_{std::string(path)} {}

std::expected<PolicyFiles::File, std::string> PolicyFiles::open(std::string_view name) {
  // Standard input is in no folder: names start from the working directory.
  const fs::path folder = open_.back() == "-" ? fs::path() : fs::path(open_.back()).parent_path();
  return open_path(((folder.empty() ? fs::path(".") : folder) / fs::path(name)).string());
}

std::expected<PolicyFiles::File, std::string> PolicyFiles::open_given(std::string_view path) {
  return open_path((fs::path(".") / fs::path(path)).string());
}

std::expected<PolicyFiles::File, std::string> PolicyFiles::open_path(const std::string& path) {
  if (!allowed_) return std::unexpected("no further files are read here");
  if (open_.size() >= most_open_) {
    return std::unexpected(fmt::format("more than {} files are open", most_open_));
  }
  if (path.find('\0') != std::string::npos) return std::unexpected("not a file's name");
  std::error_code error;
  const auto same_file = [&](const std::string& each) {
    return each != "-" && fs::equivalent(each, path, error);
  };
  if (!fs::is_regular_file(path, error)) {
    return std::unexpected(error ? error.message() : "not a plain file");
  }
  if (std::ranges::any_of(open_, same_file)) return std::unexpected("it is being read already");
  if (++files_ > kMostFiles) {
    return std::unexpected(fmt::format("more than {} files in all", kMostFiles));
  }
  auto text = read_file(path, kMaxFileSize - bytes_);
  if (!text) return std::unexpected(text.error().message);
  bytes_ += text->size();
  open_.push_back(path);
  return File{fs::path(path).lexically_normal().string(), std::move(*text)};
}

std::optional<CNumber> c_number(std::string_view text, int bits) noexcept {
  std::size_t at = 0;
  while (at < text.size() && is_space(text[at])) ++at;
  const bool negative = at < text.size() && text[at] == '-';
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
  const bool zero = at < text.size() && text[at] == '0';
  const bool hex =
      zero && at + 2 < text.size() && (text[at + 1] | 0x20) == 'x' && hex_digit(text[at + 2]) >= 0;
  const std::uint64_t base = hex ? 16 : zero ? 8 : 10;
  if (hex) at += 2;
  const std::size_t start = at;
  const std::uint64_t most = bits == 32 ? 0xffffffffU : kAllBits;
  std::uint64_t value = 0;
  for (; at < text.size(); ++at) {
    const int digit = hex_digit(text[at]);
    if (digit < 0 || static_cast<std::uint64_t>(digit) >= base) break;
    if (value > (most - static_cast<std::uint64_t>(digit)) / base) return std::nullopt;
    value = value * base + static_cast<std::uint64_t>(digit);
  }
  if (at == start) return std::nullopt;
  if (negative) {
    if (value > most / 2 + 1) return std::nullopt;
    value = (0 - value) & most;
  }
  return CNumber{value, at};
}

std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kLongestShown)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte >= 0x7f ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
  }
  return text.size() > kLongestShown ? out + "..." : out;
}

bool has_strange_bytes(std::string_view text) noexcept { return is_binary(text); }

void require_text(const PolicyText& text) {
  if (text.text().size() > kMaxFileSize) {
    text.fail(0, fmt::format("longer than {} bytes", kMaxFileSize));
  }
  for (std::size_t i = 0; i < text.text().size(); ++i) {
    if (is_binary(text.text().substr(i, 1))) {
      text.fail(i, fmt::format("\\x{:02x}: a byte that no policy has; is this a text?",
                               static_cast<unsigned char>(text.text()[i])));
    }
  }
}

}  // namespace callgate::front_ends
