// Decimal numbers as `tcpdump -ddd` prints them: the count, then `code jt jf k` for each
// instruction. Lines may end in newlines, or in commas as bpf_asm has it.

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "harness/front_ends/formats.hpp"

namespace callgate::front_ends {
namespace {

struct Record {
  std::string_view text;
  std::size_t offset = 0;
};

/// Hands out the parts between newlines and commas that are not blank.
class Records {
 public:
  explicit Records(std::string_view text) : text_(text) {}

  std::optional<Record> next() {
    while (at_ < text_.size()) {
      const std::size_t end = std::min(text_.find_first_of(",\n", at_), text_.size());
      Record record{text_.substr(at_, end - at_), at_};
      at_ = end + 1;
      while (!record.text.empty() && is_space(record.text.front())) {
        record.text.remove_prefix(1);
        ++record.offset;
      }
      while (!record.text.empty() && is_space(record.text.back())) record.text.remove_suffix(1);
      if (!record.text.empty()) return record;
    }
    return std::nullopt;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

std::expected<std::uint64_t, ReadError> number(std::string_view text, std::size_t offset,
                                               std::string_view word, std::uint64_t most,
                                               std::string_view field) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  const bool whole = end == word.data() + word.size();
  if (!whole || error == std::errc::invalid_argument) {
    return fail_at(text, offset, fmt::format("{}: a decimal number is expected", field));
  }
  if (error != std::errc{} || value > most) {
    return fail_at(text, offset, fmt::format("{} is out of range: {} is the most", field, most));
  }
  return value;
}

std::expected<Instruction, ReadError> parse_record(std::string_view text, const Record& record) {
  constexpr std::array<std::string_view, 4> kFields = {"code", "jt", "jf", "k"};
  constexpr std::array<std::uint64_t, 4> kMost = {0xffff, 0xff, 0xff, 0xffffffff};
  std::array<std::uint64_t, 4> values{};
  std::size_t at = 0;
  for (std::size_t field = 0; field < kFields.size(); ++field) {
    while (at < record.text.size() && is_space(record.text[at])) ++at;
    std::size_t end = at;
    while (end < record.text.size() && !is_space(record.text[end])) ++end;
    if (at == end) {
      return fail_at(text, record.offset + at,
                     fmt::format("{} is missing: an instruction is code jt jf k", kFields[field]));
    }
    const auto value = number(text, record.offset + at, record.text.substr(at, end - at),
                              kMost[field], kFields[field]);
    if (!value) return std::unexpected(value.error());
    values[field] = *value;
    at = end;
  }
  while (at < record.text.size() && is_space(record.text[at])) ++at;
  if (at != record.text.size()) {
    return fail_at(text, record.offset + at, "something follows k: an instruction is code jt jf k");
  }
  return Instruction{static_cast<std::uint16_t>(values[0]), static_cast<std::uint8_t>(values[1]),
                     static_cast<std::uint8_t>(values[2]), static_cast<std::uint32_t>(values[3])};
}

}  // namespace

bool detect_decimal(std::string_view bytes) {
  Records records(bytes);
  const auto count = records.next();
  const auto first = records.next();
  if (!count || !first) return false;
  // Longer words than a count are lines of hexadecimal digits.
  constexpr std::size_t kLongestCount = 7;
  constexpr std::string_view kDigits = "0123456789";
  return count->text.size() <= kLongestCount &&
         count->text.find_first_not_of(kDigits) == std::string_view::npos &&
         first->text.find_first_of(" \t") != std::string_view::npos &&
         first->text.find_first_not_of("0123456789 \t") == std::string_view::npos;
}

Parsed parse_decimal(std::string_view bytes, const ReadOptions& /*options*/) {
  Records records(bytes);
  const auto head = records.next();
  if (!head) return fail_at(bytes, bytes.size(), "there is no instruction in it");
  const auto count = number(bytes, head->offset, head->text,
                            std::numeric_limits<std::uint64_t>::max(), "the count");
  if (!count) return std::unexpected(count.error());
  if (*count > kMaxReadLength) return fail_at(bytes, head->offset, too_long_message());
  Program program;
  while (const auto record = records.next()) {
    if (program.size() == *count) {
      return fail_at(bytes, record->offset,
                     fmt::format("more instructions than the count of {} says", *count));
    }
    const auto instruction = parse_record(bytes, *record);
    if (!instruction) return std::unexpected(instruction.error());
    program.push_back(*instruction);
  }
  if (program.size() < *count) {
    return fail_at(bytes, head->offset,
                   fmt::format("the count says {}, and {} follow", *count, program.size()));
  }
  if (program.empty()) return fail_at(bytes, head->offset, "there is no instruction in it");
  return program;
}

}  // namespace callgate::front_ends
