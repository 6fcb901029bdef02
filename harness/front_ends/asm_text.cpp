#include "harness/front_ends/asm_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "harness/front_ends/formats.hpp"

namespace callgate::front_ends {
namespace {

constexpr std::uint32_t kFarthest = 255;  // jt and jf have 8 bits
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_word(char c) { return is_letter(c) || is_digit(c); }

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

}  // namespace

bool AsmToken::is_word(std::string_view lower) const noexcept {
  return kind == Kind::Word && std::ranges::equal(text, lower, [](char c, char wanted) {
           return (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) == wanted;
         });
}

std::size_t colour_length(std::string_view text) noexcept {
  if (!text.starts_with("\033[")) return 0;
  std::size_t at = 2;
  while (at < text.size() && (is_digit(text[at]) || text[at] == ';')) ++at;
  return at < text.size() && is_letter(text[at]) ? at + 1 : 0;
}

std::string quoted(std::string_view token) {
  constexpr std::size_t kLongest = 40;
  std::string out = "`";
  for (const char c : token.substr(0, kLongest)) out += c >= 0x20 && c < 0x7f ? c : '?';
  if (token.size() > kLongest) out += "...";
  return out + "`";
}

AsmLexer::AsmLexer(std::string_view text, const AsmStyle& style) : text_(text), style_(style) {
  if (text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
  advance();
}

AsmToken AsmLexer::next() {
  const AsmToken token = token_;
  advance();
  return token;
}

void AsmLexer::skip_line() {
  // A newline that has been read already ends the line.
  if (token_.kind == AsmToken::Kind::Newline || token_.kind == AsmToken::Kind::End) return;
  at_ = std::min(text_.find('\n', token_.offset), text_.size());
  advance();
}

// Space and comments; false where a comment has no end, which is then the token.
bool AsmLexer::skip_space() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    const std::string_view rest = text_.substr(at_);
    if (c == '\n' ? !style_.newlines : is_space(c)) {
      ++at_;
    } else if (const std::size_t colour = colour_length(rest); colour != 0) {
      at_ += colour;
    } else if (c == '#' && (style_.hash_comments || at_ == 0 || text_[at_ - 1] == '\n')) {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (c == ';' && style_.other_comments) {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (style_.other_comments && rest.starts_with("/*")) {
      const std::size_t end = text_.find("*/", at_ + 2);
      if (end == std::string_view::npos) return false;
      at_ = end + 2;
    } else {
      break;
    }
  }
  return true;
}

std::size_t AsmLexer::sign_length() const noexcept {
  constexpr std::array<std::string_view, 16> kSigns = {
      "<<=", ">>=", "==", "!=", "<=", ">=", "<<", ">>",
      "+=",  "-=",  "*=", "/=", "%=", "&=", "|=", "^="};
  const std::string_view rest = text_.substr(at_);
  for (const std::string_view sign : kSigns) {
    if (rest.starts_with(sign)) return sign.size();
  }
  return 1;
}

void AsmLexer::advance() {
  using Kind = AsmToken::Kind;
  if (!skip_space()) {
    token_ = {Kind::Bad, text_.substr(at_, 2), at_};
    at_ = text_.size();
    return;
  }
  const std::size_t start = at_;
  if (start == text_.size()) {
    token_ = {Kind::End, {}, start};
    return;
  }
  const char c = text_[start];
  const auto run = [&](const auto& belongs) {
    while (at_ < text_.size() && belongs(text_[at_])) ++at_;
  };
  Kind kind = Kind::Sign;
  if (c == '\n') {
    kind = Kind::Newline;
    ++at_;
  } else if (is_letter(c) || (c == '$' && at_ + 1 < text_.size() && is_letter(text_[at_ + 1]))) {
    kind = Kind::Word;
    ++at_;
    run([](char each) { return is_word(each) || each == '.'; });
  } else if (is_digit(c)) {
    kind = Kind::Number;
    run(is_word);
  } else if (c > 0x20 && c < 0x7f) {
    at_ += sign_length();
  } else {
    kind = Kind::Bad;
    run([](char each) { return each < 0x20 ? !is_space(each) : each >= 0x7f; });
    if (at_ == start) ++at_;  // bytes above 127
    run([](char each) { return static_cast<unsigned char>(each) >= 0x80; });
  }
  token_ = {kind, text_.substr(start, at_ - start), start};
}

AsmBuilder::AsmBuilder(std::string_view text, const AsmStyle& style) : text_(text), style_(style) {}

bool AsmBuilder::fail(std::size_t offset, std::string message) {
  if (!error_) error_ = error_at(text_, offset, std::move(message));
  return false;
}

void AsmBuilder::label(const AsmToken& name) {
  const auto [found, is_new] = labels_.try_emplace(name.text, Label{program_.size(), name.offset});
  if (!is_new) {
    const ReadError first = error_at(text_, found->second.offset, {});
    fail(name.offset, fmt::format("the label {} is there already, in line {}: give this one "
                                  "another name",
                                  quoted(name.text), first.line.value_or(0)));
  }
  last_label_ = name;
}

void AsmBuilder::add(const Instruction& instruction, std::size_t offset) {
  if (program_.size() == kMaxReadLength) {
    fail(offset, too_long_message());
    return;
  }
  last_label_.reset();
  program_.push_back(instruction);
  offsets_.push_back(offset);
}

void AsmBuilder::jump(const AsmTarget& target, std::size_t offset) {
  jumps_.push_back({program_.size(), target, {}, false, false});
  add({code_of(Opcode::Ja), 0, 0, 0}, offset);
}

void AsmBuilder::branch(std::uint16_t code, std::uint32_t k, const AsmTarget& taken,
                        const AsmTarget& other, bool merges, std::size_t offset) {
  jumps_.push_back({program_.size(), taken, other, true, merges});
  add({code, 0, 0, k}, offset);
}

std::optional<std::uint32_t> AsmBuilder::distance(std::size_t from, const AsmTarget& target) {
  if (target.falls_through) return 0;
  const AsmToken& name = target.label;
  const auto found = labels_.find(name.text);
  if (found == labels_.end()) {
    // seccomp-tools: a number that is no label is how many instructions are jumped over.
    if (style_.digit_labels && all_digits(name.text)) {
      const auto skip = asm_number(name.text, {.binary_and_octal = false, .wraps = false});
      if (skip && *skip <= kMaxReadLength) return *skip;
      fail(name.offset, fmt::format("{} is no label, and too far to be a number of instructions",
                                    quoted(name.text)));
      return std::nullopt;
    }
    fail(name.offset, fmt::format("there is no label {}: write `{}:` before the statement that is "
                                  "meant",
                                  quoted(name.text), name.text.substr(0, 40)));
    return std::nullopt;
  }
  const std::size_t to = found->second.instruction;
  if (to <= from) {
    const ReadError place = error_at(text_, found->second.offset, {});
    fail(name.offset, fmt::format("{} lies behind, in line {}: jumps of BPF lead ahead only",
                                  quoted(name.text), place.line.value_or(0)));
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(to - from - 1);
}

void AsmBuilder::resolve(const Jump& jump) {
  const auto taken = distance(jump.from, jump.taken);
  const auto other = taken && jump.conditional ? distance(jump.from, jump.other) : taken;
  if (!taken || !other) return;
  Instruction& i = program_[jump.from];
  if (!jump.conditional) {
    i.k = *taken;
    return;
  }
  if (jump.merges && *taken == *other) {
    i = {code_of(Opcode::Ja), 0, 0, *taken};
    return;
  }
  for (const auto& [length, target] :
       {std::pair(*taken, &jump.taken), std::pair(*other, &jump.other)}) {
    if (length <= kFarthest) continue;
    fail(target->label.offset,
         fmt::format("the jump to {0} is {1} instructions long; a conditional jump reaches {2}: "
                     "jump to a nearer `{3} {4}` instead",
                     quoted(target->label.text), length, kFarthest, style_.go,
                     target->label.text.substr(0, 40)));
    return;
  }
  i.jt = static_cast<std::uint8_t>(*taken);
  i.jf = static_cast<std::uint8_t>(*other);
}

// The offsets rise: one pass finds all lines.
std::vector<std::size_t> AsmBuilder::lines() const {
  std::vector<std::size_t> out;
  std::size_t line = 1;
  std::size_t at = 0;
  for (const std::size_t offset : offsets_) {
    line += static_cast<std::size_t>(std::ranges::count(text_.substr(at, offset - at), '\n'));
    at = offset;
    out.push_back(line);
  }
  return out;
}

std::expected<Assembled, ReadError> AsmBuilder::finish(InputFormat format) {
  if (!error_ && last_label_) {
    fail(last_label_->offset,
         fmt::format("no statement follows the label {}", quoted(last_label_->text)));
  }
  if (!error_ && program_.empty()) fail(text_.size(), "there is no instruction in it");
  for (std::size_t i = 0; !error_ && i < jumps_.size(); ++i) resolve(jumps_[i]);
  if (error_) return std::unexpected(std::move(*error_));
  return Assembled{std::move(program_), lines(), format};
}

}  // namespace callgate::front_ends
