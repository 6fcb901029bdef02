// How compile_seccomp_policy parts a line into words (tools/parser.py at 0d443e7).

#include "harness/front_ends/minijail_tokens.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/front_ends/formats.hpp"

namespace callgate::front_ends {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_word(char c) { return is_letter(c) || is_digit(c); }

// What ends where a word may end.
struct Keyword {
  std::string_view text;
  MinijailToken kind;
};

constexpr std::array kStatements = {Keyword{"@default", MinijailToken::Default},
                                    Keyword{"@include", MinijailToken::Include},
                                    Keyword{"@frequency", MinijailToken::Frequency}};

constexpr std::array kKeywords = {
    Keyword{"return", MinijailToken::Return},       Keyword{"allow", MinijailToken::Action},
    Keyword{"kill-process", MinijailToken::Action}, Keyword{"kill-thread", MinijailToken::Action},
    Keyword{"kill", MinijailToken::Action},         Keyword{"trap", MinijailToken::Action},
    Keyword{"trace", MinijailToken::Action},        Keyword{"log", MinijailToken::Action},
    Keyword{"user-notify", MinijailToken::Action}};

constexpr std::array<std::string_view, 12> kBefore = {":", ";", ",", "~", "(",  ")",
                                                      "{", "}", "]", "[", "||", "&&"};
constexpr std::array<std::string_view, 7> kOperators = {"&", "==", "!=", "<=", "<", ">=", ">"};

std::size_t number_length(std::string_view rest) {
  const std::size_t sign = rest.starts_with('-') ? 1 : 0;
  const auto run = [&](std::size_t from, const auto& holds) {
    std::size_t at = from;
    while (at < rest.size() && holds(rest[at])) ++at;
    return at;
  };
  const std::string_view digits = rest.substr(sign);
  if (digits.starts_with("0x") || digits.starts_with("0X")) {
    const std::size_t end = run(sign + 2, [](char c) { return hex_digit(c) >= 0; });
    if (end > sign + 2) return end;
  }
  if (digits.starts_with('0')) {
    const std::size_t end = run(sign + 1, [](char c) { return c >= '0' && c <= '7'; });
    if (end > sign + 1) return end;
  }
  const std::size_t end = run(sign, is_digit);
  return end > sign ? end : 0;
}

// The word at the beginning of `rest`, of a line that has `before` in front of it; length 0: none.
MinijailWord word_at(std::string_view rest, char before) {
  const auto taken = [&](MinijailToken kind, std::size_t length) {
    return MinijailWord{kind, 0, rest.substr(0, length)};
  };
  const auto ends_at = [&](std::size_t length) {
    return length == rest.size() || !is_word(rest[length]);
  };
  for (const Keyword& each : kStatements) {
    if (rest.starts_with(each.text) && ends_at(each.text.size())) {
      return taken(each.kind, each.text.size());
    }
  }
  if (rest == "@denylist") return taken(MinijailToken::Denylist, rest.size());
  const std::size_t slash = rest.starts_with("./") ? 1 : 0;
  if (rest.size() > slash + 1 && rest[slash] == '/' && !is_space(rest[slash + 1])) {
    std::size_t end = slash + 1;
    while (end < rest.size() && !is_space(rest[end])) ++end;
    return taken(MinijailToken::Path, end);
  }
  if (const std::size_t length = number_length(rest); length > 0) {
    return taken(MinijailToken::Number, length);
  }
  for (const std::string_view each : kBefore) {
    if (rest.starts_with(each)) return taken(MinijailToken::Mark, each.size());
  }
  if (rest.starts_with('|')) return taken(MinijailToken::Mark, 1);
  const bool fresh = !is_word(before);
  if (fresh && rest.starts_with("in") && ends_at(2)) return taken(MinijailToken::Operator, 2);
  for (const std::string_view each : kOperators) {
    if (rest.starts_with(each)) return taken(MinijailToken::Operator, each.size());
  }
  if (rest.starts_with('=')) return taken(MinijailToken::Mark, 1);
  if (fresh && rest.starts_with("arg")) {
    std::size_t end = 3;
    while (end < rest.size() && is_digit(rest[end])) ++end;
    if (end > 3 && ends_at(end)) return taken(MinijailToken::Argument, end);
  }
  if (fresh) {
    for (const Keyword& each : kKeywords) {
      if (rest.starts_with(each.text) && ends_at(each.text.size())) {
        return taken(each.kind, each.text.size());
      }
    }
  }
  std::size_t end = 0;
  if (is_letter(rest.front())) {
    while (end < rest.size() && (is_word(rest[end]) || rest[end] == '-' || rest[end] == '@')) ++end;
  }
  return taken(MinijailToken::Identifier, end);
}

void add_words(const PolicyText& source, std::size_t start, std::string_view line,
               std::vector<MinijailWord>& out) {
  std::size_t at = 0;
  while (at < line.size()) {
    if (line[at] == '#') return;
    if (is_space(line[at]) || (line[at] == '\\' && at + 1 == line.size())) {
      ++at;
      continue;
    }
    MinijailWord word = word_at(line.substr(at), at == 0 ? ' ' : line[at - 1]);
    if (word.text.empty()) {
      source.fail(start + at,
                  fmt::format("{}: not a word of a policy{}", shown(line.substr(at, 1)),
                              line[at] == '.' ? "; a file's name begins with / or ./" : ""));
    }
    word.offset = start + at;
    at += word.text.size();
    out.push_back(word);
  }
}

}  // namespace

std::optional<MinijailStatement> next_minijail_statement(const PolicyText& source, std::size_t& at,
                                                         bool& unfinished) {
  const std::string_view text = source.text();
  MinijailStatement out;
  unfinished = false;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    while (line.ends_with('\r')) line.remove_suffix(1);
    add_words(source, at, line, out.words);
    out.end = at + line.size();
    at = std::min(end + 1, text.size());
    if (line.ends_with('\\')) {
      unfinished = true;
      continue;
    }
    unfinished = false;
    if (!out.words.empty()) return out;
  }
  if (out.words.empty()) unfinished = false;
  return std::nullopt;
}

}  // namespace callgate::front_ends
