#include "harness/tune/order_texts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "harness/front_ends/firejail_filters.hpp"

namespace callgate::tune {
namespace {

constexpr std::string_view kBlanks = " \t";

std::string_view stripped(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// A line of libminijail's, with those that it goes on in.
struct Line {
  enum class Kind : std::uint8_t { Blank, Comment, Statement, Call };
  Kind kind = Kind::Blank;
  std::string_view text;  // with its end
  std::string_view call;
};

std::vector<Line> minijail_lines(std::string_view text) {
  std::vector<Line> out;
  while (!text.empty()) {
    std::size_t end = 0;
    do {
      end = text.find('\n', end);
      end = end == std::string_view::npos ? text.size() : end + 1;
    } while (end < text.size() && text.substr(0, end).ends_with("\\\n"));
    Line line;
    line.text = text.substr(0, end);
    const std::string_view content = stripped(line.text.substr(0, line.text.find('\n')));
    // What is cut off by the text's end is no line to libminijail, and stays the last.
    const bool cut = end == text.size() && (text.ends_with("\\\n") || text.ends_with('\\'));
    if (content.empty()) {
      line.kind = Line::Kind::Blank;
    } else if (content.front() == '#') {
      line.kind = Line::Kind::Comment;
    } else if (content.front() == '@' || cut) {
      line.kind = Line::Kind::Statement;
    } else {
      line.kind = Line::Kind::Call;
      line.call = stripped(content.substr(0, content.find(':')));
    }
    out.push_back(line);
    text.remove_prefix(end);
  }
  return out;
}

// Where the comment begins that is about one line alone: the line's own place where there is none.
std::size_t comment_of(const std::vector<Line>& lines, std::size_t line) {
  std::size_t first = line;
  while (first > 0 && lines[first - 1].kind == Line::Kind::Comment) --first;
  const bool heads_more =
      line + 1 < lines.size() &&
      (lines[line + 1].kind == Line::Kind::Call || lines[line + 1].kind == Line::Kind::Statement);
  return first == 0 || heads_more ? line : first;
}

std::string firejail_list(std::string_view list, std::span<const std::string> first) {
  const std::vector<std::string_view> words = front_ends::parted(list, ',');
  const auto in_group = [](std::string_view word, std::string_view call) {
    if (!word.starts_with('@')) return false;
    const auto calls = front_ends::firejail_group(word.substr(1));
    return calls && std::ranges::find(*calls, call) != calls->end();
  };
  std::vector<std::string_view> out;
  for (const std::string& call : first) {
    const bool there = std::ranges::any_of(
        words, [&](std::string_view word) { return word == call || in_group(word, call); });
    if (there) out.push_back(call);
  }
  for (const std::string_view word : words) {
    if (std::ranges::find(out, word) == out.end()) out.push_back(word);
  }
  return fmt::format("{}", fmt::join(out, ","));
}

}  // namespace

std::string minijail_lines_first(std::string_view text, std::span<const std::string> first) {
  const std::vector<Line> lines = minijail_lines(text);
  std::vector<bool> moved(lines.size());
  std::string front;
  for (const std::string& call : first) {
    const auto found = std::ranges::find_if(lines, [&](const Line& line) {
      return line.kind == Line::Kind::Call && line.call == call;
    });
    if (found == lines.end()) continue;
    const auto at = static_cast<std::size_t>(found - lines.begin());
    for (std::size_t i = comment_of(lines, at); i <= at; ++i) {
      front += lines[i].text;
      if (!front.ends_with('\n')) front += '\n';
      moved[i] = true;
    }
  }
  std::string out;
  bool placed = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto begins = [&](std::size_t line) {
      const std::string_view statement = stripped(lines[line].text);
      return lines[line].kind == Line::Kind::Call || statement.starts_with("@include");
    };
    // Before the first call, with the comment that is its own.
    std::size_t next = i;
    while (next < lines.size() && lines[next].kind == Line::Kind::Comment) ++next;
    if (!placed && next < lines.size() && begins(next) && comment_of(lines, next) <= i) {
      out += front;
      placed = true;
    }
    if (!moved[i]) out += lines[i].text;
  }
  // What was the last line may have had no end.
  if (!text.ends_with('\n') && out.ends_with('\n')) out.pop_back();
  return out;
}

std::string firejail_calls_first(std::string_view text, std::span<const std::string> first) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const std::size_t word = std::min(line.find_first_not_of(" \t\r"), line.size());
    const std::size_t word_end = std::min(line.find_first_of(kBlanks, word), line.size());
    const std::size_t list = std::min(line.find_first_not_of(kBlanks, word_end), line.size());
    const std::size_t list_end = line.find_last_not_of(" \t\r") + 1;
    const std::string_view command = line.substr(word, word_end - word);
    const bool lists =
        command == "seccomp" || command == "seccomp.drop" || command == "seccomp.keep";
    if (lists && list < list_end) {
      out += line.substr(0, list);
      out += firejail_list(line.substr(list, list_end - list), first);
      out += line.substr(list_end);
    } else {
      out += line;
    }
    if (end < text.size()) out += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string minijail_frequencies(std::span<const RankedCall> calls) {
  double greatest = 0;
  for (const RankedCall& each : calls) greatest = std::max(greatest, each.weight);
  std::string out;
  for (const RankedCall& each : calls) {
    if (each.weight <= 0) continue;
    const long long count = std::llround(each.weight / greatest * 1e6);
    out += fmt::format("{}: {}\n", each.syscall, std::max(count, 1LL));
  }
  return out;
}

std::string priorities_in_c(std::span<const front_ends::CallPriority> priorities) {
  std::string out;
  for (const front_ends::CallPriority& each : priorities) {
    out += fmt::format(
        "seccomp_syscall_priority(ctx, {}, {});\n",
        each.number ? std::to_string(*each.number) : fmt::format("SCMP_SYS({})", each.syscall),
        each.priority);
  }
  return out;
}

}  // namespace callgate::tune
