#include "harness/front_ends/systemd_unit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace callgate::front_ends::systemd {
namespace {

constexpr std::string_view kBlanks = " \t\n\r";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::size_t kLongestLine = std::size_t{1024} * 1024;

// Takes the next line from a text; it ends in any of \n, \r and NUL, or several different ones.
std::string_view take_line(std::string_view& text) {
  constexpr std::string_view kEnds{"\n\r\0", 3};
  const std::size_t length = std::min(text.find_first_of(kEnds), text.size());
  const std::string_view line = text.substr(0, length);
  std::size_t end = length;
  bool seen[3]{};
  while (end < text.size()) {
    const std::size_t which = kEnds.find(text[end]);
    if (which == std::string_view::npos || std::exchange(seen[which], true)) break;
    ++end;
    if (which == 2) break;
  }
  text.remove_prefix(end);
  return line;
}

// How many bytes the character at the start of a text has; 0 where it is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc0 || first >= 0xf8 || text.size() < length) return 0;
  std::uint32_t point = first & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return 0;
    point = point << 6U | (byte(i) & 0x3fU);
  }
  constexpr std::uint32_t kFirst[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = point >= 0xd800 && point < 0xe000;
  const bool no_character = (point >= 0xfdd0 && point <= 0xfdef) || (point & 0xfffeU) == 0xfffe;
  return point < kFirst[length] || point >= 0x110000 || surrogate || no_character ? 0 : length;
}

// Where a text stops being UTF-8, or nothing.
std::optional<std::size_t> not_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0) return i;
    i += length;
  }
  return std::nullopt;
}

bool ends_in_backslash(std::string_view line) {
  const std::size_t last = line.find_last_not_of('\\');
  const std::size_t backslashes = line.size() - (last == std::string_view::npos ? 0 : last + 1);
  return backslashes % 2 == 1;
}

std::unexpected<ReadError> fail(Place place, std::string message) {
  return std::unexpected(ReadError{std::move(message), place.line, place.column, {}});
}

class Reader {
 public:
  Reader(UnitText& out, std::vector<Note>& notes) : out_(out), notes_(notes) {}

  std::expected<void, ReadError> line(const PlacedText& whole) {
    const PlacedText line = whole.stripped();
    const std::string_view text = line.text();
    if (text.empty()) return {};
    if (const auto bad = not_utf8(text)) return fail(line.at(*bad), "this is no UTF-8");
    if (text.front() == '[') return header(line);
    if (out_.sections.empty()) {
      notes_.push_back({line.at(0), "an assignment before any [Section]: systemd ignores it"});
      return {};
    }
    const std::size_t sign = text.find('=');
    if (sign == std::string_view::npos || sign == 0) {
      notes_.push_back({line.at(0), "no KEY=VALUE: systemd ignores the line"});
      return {};
    }
    out_.assignments.push_back({out_.sections.back(), line.part(0, sign).stripped(),
                                line.part(sign + 1, text.size() - sign - 1).stripped()});
    return {};
  }

 private:
  std::expected<void, ReadError> header(const PlacedText& line) {
    const std::string_view text = line.text();
    if (text.back() != ']') {
      return fail(line.at(0), "a section's header ends in ]: systemd refuses the file");
    }
    const std::string_view name = text.substr(1, std::max<std::size_t>(text.size(), 2) - 2);
    const auto bad = std::ranges::find_if(name, [](char c) {
      return static_cast<unsigned char>(c) < ' ' || c == '\x7f' || c == '"' || c == '\'' ||
             c == '\\';
    });
    if (bad != name.end()) {
      return fail(line.at(1 + static_cast<std::size_t>(bad - name.begin())),
                  "a section's name has no such character: systemd refuses the file");
    }
    out_.sections.emplace_back(name);
    return {};
  }

  UnitText& out_;
  std::vector<Note>& notes_;
};

}  // namespace

void PlacedText::append(std::string_view more, Place place) {
  pieces_.push_back({text_.size(), place});
  text_ += more;
}

PlacedText PlacedText::part(std::size_t begin, std::size_t length) const {
  PlacedText out;
  out.text_ = text_.substr(begin, length);
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    const std::size_t end = i + 1 < pieces_.size() ? pieces_[i + 1].begin : text_.size();
    if (end < begin) continue;
    const std::size_t from = std::max(pieces_[i].begin, begin);
    if (from > begin + length) break;
    Place place = pieces_[i].place;
    place.column += from - pieces_[i].begin;
    out.pieces_.push_back({from - begin, place});
  }
  return out;
}

PlacedText PlacedText::stripped() const {
  const std::size_t begin = text_.find_first_not_of(kBlanks);
  if (begin == std::string::npos) return part(text_.size(), 0);
  return part(begin, text_.find_last_not_of(kBlanks) + 1 - begin);
}

Place PlacedText::at(std::size_t offset) const {
  const auto after = std::ranges::upper_bound(pieces_, offset, {}, &Piece::begin);
  if (after == pieces_.begin()) return {};
  const Piece& piece = *(after - 1);
  return {piece.place.line, piece.place.column + (offset - piece.begin)};
}

std::expected<void, ReadError> read_unit(std::string_view text, UnitText& out,
                                         std::vector<Note>& notes) {
  Reader reader(out, notes);
  PlacedText joined;
  bool continued = false;
  bool mark_seen = false;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = take_line(text);
    Place place{number, 1};
    if (line.size() >= kLongestLine || joined.text().size() + line.size() > kLongestLine) {
      return fail(place, "a line of more than 1 MiB: systemd refuses the file");
    }
    const std::size_t start = line.find_first_not_of(kBlanks);
    if (start != std::string_view::npos && (line[start] == '#' || line[start] == ';')) continue;
    if (!mark_seen && line.starts_with(kByteOrderMark)) {
      mark_seen = true;
      line.remove_prefix(kByteOrderMark.size());
      place.column += kByteOrderMark.size();
    }
    continued = ends_in_backslash(line);
    if (continued) line.remove_suffix(1);
    joined.append(line, place);
    if (continued) {
      joined.append(" ", {place.line, place.column + line.size()});
      continue;
    }
    if (auto read = reader.line(std::exchange(joined, {})); !read) return read;
  }
  return continued ? reader.line(joined) : std::expected<void, ReadError>{};
}

std::vector<Word> words_of(const PlacedText& value, bool quotes, std::vector<Note>& notes) {
  const std::string_view text = value.text();
  std::vector<Word> out;
  std::size_t i = 0;
  while ((i = text.find_first_not_of(kBlanks, i)) != std::string_view::npos) {
    Word word{{}, value.at(i)};
    char quote = 0;
    for (; i < text.size(); ++i) {
      const char c = text[i];
      if (c == '\\') {
        if (++i == text.size()) break;
        word.text += text[i];
      } else if (quotes && quote == 0 && (c == '"' || c == '\'')) {
        quote = c;
      } else if (quote != 0 && c == quote) {
        quote = 0;
      } else if (quote == 0 && kBlanks.contains(c)) {
        break;
      } else {
        word.text += c;
      }
    }
    if (quote != 0 || (i == text.size() && ends_in_backslash(text))) {
      notes.push_back(
          {word.place, quote != 0 ? "a quote that does not end: systemd ignores it and the rest"
                                  : "a backslash at the end: systemd ignores the word"});
      break;
    }
    out.push_back(std::move(word));
  }
  return out;
}

}  // namespace callgate::front_ends::systemd
