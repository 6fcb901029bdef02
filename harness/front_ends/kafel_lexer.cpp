// How kafel parts a text into words (src/lexer.l at f67ddf5).

#include "harness/front_ends/kafel_lexer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/front_ends/formats.hpp"

namespace callgate::front_ends {
namespace {

constexpr std::size_t kMostOpenFiles = 17;  // 16 that are included
constexpr std::size_t kMostWords = 1'000'000;

constexpr std::array<std::string_view, 15> kKeywords = {
    "SYSCALL", "ALLOW", "LOG",   "USER_NOTIF", "ERRNO",  "KILL_PROCESS", "KILL_THREAD", "KILL",
    "DENY",    "TRAP",  "TRACE", "USE",        "POLICY", "DEFAULT",      "define"};

// Longer ones first.
constexpr std::array<std::string_view, 19> kMarks = {"==", "!=", "<=", ">=", "||", "&&", "<",
                                                     ">",  "|",  "&",  "[",  "]",  "(",  ")",
                                                     "{",  "}",  ",",  "!",  "#"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// A number of base 2 to 16; false where it does not fit in 64 bits. Digits of octal numbers that
// are none end it, as strtoull() does.
bool number_of(std::string_view digits, std::uint64_t base, std::uint64_t& value) {
  value = 0;
  for (const char c : digits) {
    const auto digit = static_cast<std::uint64_t>(hex_digit(c));
    if (digit >= base) break;
    if (value > (kAllBits - digit) / base) return false;
    value = value * base + digit;
  }
  return true;
}

}  // namespace

void KafelWord::fail(const std::string& message) const {
  source->fail(offset, kind == KafelToken::End ? message : shown(text) + ": " + message);
}

KafelWords::KafelWords(std::string_view text, std::string_view path)
    : files_(path, kMostOpenFiles) {
  texts_.push_back(std::make_unique<PolicyText>(text));
  scan(*texts_.front());
  words_.push_back({KafelToken::End, {}, 0, texts_.front().get(), texts_.front()->text().size()});
}

void KafelWords::scan(const PolicyText& source) {
  require_text(source);
  const std::string_view text = source.text();
  std::size_t at = 0;
  while (at < text.size()) {
    const std::string_view rest = text.substr(at);
    if (rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\n') {
      ++at;
    } else if (rest.starts_with("//")) {
      at = std::min(text.find('\n', at), text.size());
    } else if (rest.starts_with("/*")) {
      // A star takes the next character with it, so that **/ ends no comment.
      const std::size_t start = at;
      at += 2;
      while (at < text.size() && !text.substr(at).starts_with("*/"))
        at += text[at] == '*' ? 2U : 1U;
      if (at >= text.size()) {
        source.fail(start, "the comment does not end (to kafel, **/ is no end of it)");
      }
      at += 2;
    } else if (rest.starts_with("#include")) {
      at = include(source, at);
    } else {
      at = scan_word(source, at);
    }
    if (words_.size() > kMostWords) source.fail(at, fmt::format("more than {} words", kMostWords));
  }
}

std::size_t KafelWords::scan_word(const PolicyText& source, std::size_t at) {
  const std::string_view rest = source.text().substr(at);
  const auto run = [&](std::size_t from, const auto& holds) {
    while (from < rest.size() && holds(rest[from])) ++from;
    return from;
  };
  const auto add = [&](KafelToken kind, std::size_t length, std::uint64_t value = 0) {
    words_.push_back({kind, rest.substr(0, length), value, &source, at});
    return at + length;
  };
  if (is_letter(rest[0])) {
    const std::size_t end = run(1, [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
    const bool keyword = std::ranges::find(kKeywords, rest.substr(0, end)) != kKeywords.end();
    return add(keyword ? KafelToken::Keyword : KafelToken::Identifier, end);
  }
  const bool negative = rest.size() > 1 && rest[0] == '-' && rest[1] >= '1' && rest[1] <= '9';
  if (is_digit(rest[0]) || negative) {
    std::uint64_t base = rest[0] == '0' ? 8 : 10;
    std::size_t start = negative ? 1 : 0;
    std::size_t end = run(start, is_digit);
    if (rest.starts_with("0x") && rest.size() > 2 && hex_digit(rest[2]) >= 0) {
      base = 16;
      start = 2;
      end = run(2, [](char c) { return hex_digit(c) >= 0; });
    } else if (rest.size() > 2 && rest.starts_with("0b") && (rest[2] == '0' || rest[2] == '1')) {
      base = 2;
      start = 2;
      end = run(2, [](char c) { return c == '0' || c == '1'; });
    }
    std::uint64_t value = 0;
    if (!number_of(rest.substr(start, end - start), base, value)) {
      source.fail(at, shown(rest.substr(0, end)) + ": more than 64 bits");
    }
    return add(KafelToken::Number, end, negative ? 0 - value : value);
  }
  for (const std::string_view mark : kMarks) {
    if (rest.starts_with(mark)) return add(KafelToken::Mark, mark.size());
  }
  source.fail(at, shown(rest.substr(0, 1)) + ": kafel has no such character");
}

// "#include "file" "file"", up to the line's end or a semicolon.
std::size_t KafelWords::include(const PolicyText& source, std::size_t at) {
  const std::string_view text = source.text();
  constexpr std::string_view kInclude = "#include";
  at += kInclude.size();
  bool blank = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\n' || c == ';') return at + 1;
    if (c == ' ' || c == '\t') {
      blank = true;
      continue;
    }
    const std::size_t end = text.find('"', at + 1);
    if (c != '"' || !blank || end == std::string_view::npos || end == at + 1) {
      source.fail(at, "write #include \"file\", with blanks between files");
    }
    const std::string_view name = text.substr(at + 1, end - at - 1);
    auto opened = files_.open(name);
    if (!opened) source.fail(at, shown(name) + ": " + opened.error());
    kept_.push_back(std::make_unique<PolicyFiles::File>(std::move(*opened)));
    texts_.push_back(std::make_unique<PolicyText>(kept_.back()->text, kept_.back()->path));
    scan(*texts_.back());
    files_.close();
    at = end;
    blank = false;
  }
  source.fail(text.size(), "the #include is not finished; a line's end or a semicolon ends it");
}

}  // namespace callgate::front_ends
