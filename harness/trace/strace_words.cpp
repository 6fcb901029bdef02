#include "harness/trace/strace_words.hpp"

#include <optional>

#include "harness/front_ends/constants.hpp"
#include "harness/trace/text.hpp"

namespace callgate::trace {
namespace {

constexpr std::string_view kUnfinished = "<unfinished ...>";

// The place after a quoted text that begins at `at`, or the end.
std::size_t after_quotes(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return text.size();
}

// The place after "<…>", which -y puts after a descriptor; the end where it has none. An arrow
// within is none.
std::size_t after_decoration(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '>' && text[at - 1] != '-') {
      return at + 1;
    }
  }
  return text.size();
}

std::size_t after_comment(std::string_view text, std::size_t at) {
  const std::size_t end = text.find("*/", at + 2);
  return end == std::string_view::npos ? text.size() : end + 2;
}

std::string_view trimmed(std::string_view text) {
  skip_blanks(text);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// "3</dev/null>", "0x241 /* … */": without what explains it.
std::string_view bare(std::string_view text) {
  text = trimmed(text);
  if (text.ends_with("*/") && text.find("/*") != std::string_view::npos) {
    text = trimmed(text.substr(0, text.find("/*")));
  }
  const std::size_t bracket = text.find('<');
  if (bracket != std::string_view::npos && bracket != 0 &&
      !text.substr(bracket).starts_with("<<") && after_decoration(text, bracket) == text.size() &&
      text.ends_with('>')) {
    text = text.substr(0, bracket);
  }
  return text;
}

struct Part {
  std::uint64_t value = 0;
  bool whole = false;  // both halves
};

std::optional<Part> number_of(std::string_view text, bool trusting) {
  const bool negative = take(text, "-");
  const bool hexadecimal = take(text, "0x");
  const bool octal = !hexadecimal && text.size() > 1 && text.front() == '0';
  if (octal && !trusting) return std::nullopt;
  const auto value = take_number(text, hexadecimal ? 16 : octal ? 8 : 10);
  if (!value || !text.empty()) return std::nullopt;
  if (negative) return Part{0 - *value, *value > 0x80000000U};
  return Part{*value, *value > 0xffffffffU};
}

std::optional<Part> part_of(std::string_view text, Arch arch, bool trusting) {
  if (text == "NULL") return Part{0, true};
  if (const auto number = number_of(text, trusting)) return number;
  // Programs with a C library of 64 bits have 0 for it, kernels do not.
  if (text == "O_LARGEFILE") return std::nullopt;
  std::string_view rest = text;
  if (take_name(rest).empty() || !rest.empty()) return std::nullopt;
  const auto constant = front_ends::find_constant(text, arch);
  if (!constant) return std::nullopt;
  return Part{*constant, false};
}

}  // namespace

Arguments split_arguments(std::string_view text) {
  Arguments out;
  std::size_t start = 0;
  std::size_t depth = 0;
  const auto add = [&](std::size_t end) {
    const std::string_view piece = trimmed(text.substr(start, end - start));
    std::string_view rest = piece;
    out.named = out.named || (!take_name(rest).empty() && rest.starts_with('='));
    out.pieces.push_back(piece);
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    const char c = rest.front();
    if (c == '"') {
      at = after_quotes(text, at);
    } else if (rest.starts_with("/*")) {
      at = after_comment(text, at);
    } else if (rest.starts_with(kUnfinished)) {
      if (depth == 0) add(at);
      return out;
    } else if (rest.starts_with("<<")) {
      at += 2;
    } else if (c == '<') {
      at = after_decoration(text, at);
    } else if (c == '(' || c == '[' || c == '{') {
      ++depth;
      ++at;
    } else if (c == ')' && depth == 0) {
      add(at);
      return out;
    } else if (c == ')' || c == ']' || c == '}') {
      if (depth != 0) --depth;
      ++at;
    } else if (c == ',' && depth == 0) {
      add(at);
      start = ++at;
    } else {
      ++at;
    }
  }
  return out;
}

Register register_of(std::string_view piece, Arch arch, bool trusting) {
  Register out;
  std::string_view rest = bare(piece);
  bool several = false;
  bool whole = true;
  do {
    const std::size_t bar = rest.find('|');
    several = several || bar != std::string_view::npos;
    const auto part = part_of(trimmed(rest.substr(0, bar)), arch, trusting);
    if (!part) return {};
    out.value |= part->value;
    whole = whole && part->whole;
    rest = bar == std::string_view::npos ? std::string_view{} : rest.substr(bar + 1);
    if (bar != std::string_view::npos && rest.empty()) return {};
  } while (!rest.empty());
  out.low = true;
  out.high = trusting || (whole && !several);
  if (!out.high) out.value &= 0xffffffffU;
  if (info(arch).bits == 32 && arch != Arch::X32) out.value &= 0xffffffffU;
  return out;
}

}  // namespace callgate::trace
