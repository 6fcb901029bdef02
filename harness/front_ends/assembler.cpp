#include "harness/front_ends/assembler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/front_ends/asm_dialects.hpp"
#include "harness/front_ends/asm_text.hpp"
#include "harness/front_ends/formats.hpp"

namespace callgate::front_ends {
namespace {

// Without colours, so that the rest can be told from bytes of no text.
bool is_text(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (const std::size_t colour = colour_length(text.substr(at)); colour != 0) {
      at += colour;
      continue;
    }
    if (is_binary(text.substr(at, 1))) return false;
    ++at;
  }
  return true;
}

// A line of a text, and what it says about the dialect.
class Line {
 public:
  Line(std::string_view text, bool in_comment) : text_(text), in_comment_(in_comment) {
    skip_space();
  }

  [[nodiscard]] bool in_comment() const { return in_comment_; }
  [[nodiscard]] bool is_blank() const { return at_ >= text_.size(); }
  [[nodiscard]] bool is_row() const { return is_listing_row(text_.substr(at_)); }
  [[nodiscard]] std::string_view rest() const { return text_.substr(std::min(at_, text_.size())); }

  // Whether the last label is a name, as ceccomp has them; seccomp-tools has places.
  [[nodiscard]] bool is_named() const { return named_; }

  // Labels, then the columns that listings have after them; true where there are columns.
  bool skip_labels() {
    for (;;) {
      std::size_t end = at_;
      while (end < text_.size() && is_name(text_[end])) ++end;
      if (end == at_) break;
      while (end < text_.size() && colour_length(text_.substr(end)) != 0) {
        end += colour_length(text_.substr(end));
      }
      if (end >= text_.size() || text_[end] != ':') break;
      named_ = !is_digit(text_[at_]);
      at_ = end + 1;
      skip_space();
    }
    return skip_columns();
  }

 private:
  static bool is_name(char c) {
    return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }

  bool skip_columns() {
    std::size_t at = at_;
    for (int column = 0; column < 4; ++column) {
      while (at < text_.size() && is_space(text_[at])) ++at;
      if (text_.substr(at, 2) != "0x") return false;
      at += 2;
      while (at < text_.size() && hex_digit(text_[at]) >= 0) ++at;
    }
    at_ = at;
    skip_space();
    return true;
  }

  // Comments between /* and */ as well; others that begin a line empty it.
  void skip_space() {
    while (at_ < text_.size()) {
      if (in_comment_) {
        const std::size_t end = text_.find("*/", at_);
        at_ = end == std::string_view::npos ? text_.size() : end + 2;
        in_comment_ = end == std::string_view::npos;
      } else if (is_space(text_[at_])) {
        ++at_;
      } else if (const std::size_t colour = colour_length(text_.substr(at_)); colour != 0) {
        at_ += colour;
      } else if (text_.substr(at_, 2) == "/*") {
        in_comment_ = true;
        at_ += 2;
      } else {
        break;
      }
    }
    if (at_ < text_.size() && (text_[at_] == '#' || text_[at_] == ';')) at_ = text_.size();
  }

  std::string_view text_;
  bool in_comment_;
  std::size_t at_ = 0;
  bool named_ = false;
};

struct DialectSign {
  InputFormat format;
  AsmSign (*sign)(std::string_view statement);
};
// Ceccomp first: its `$A` is the one that nothing else has.
constexpr std::array kSigns = {DialectSign{InputFormat::Ceccomp, ceccomp_sign},
                               DialectSign{InputFormat::SeccompTools, seccomp_tools_sign},
                               DialectSign{InputFormat::BpfAsm, bpf_asm_sign}};

}  // namespace

bool is_assembly(InputFormat format) noexcept {
  return format == InputFormat::Listing || format == InputFormat::BpfAsm ||
         format == InputFormat::SeccompTools || format == InputFormat::Ceccomp;
}

std::optional<InputFormat> asm_dialect(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::optional<InputFormat> weak;
  bool in_comment = false;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    Line line(text.substr(start, end - start), in_comment);
    start = end + 1;
    if (!line.is_blank()) {
      std::optional<InputFormat> found;
      if (line.is_row()) found = InputFormat::Listing;
      const bool columns = !found && line.skip_labels();
      for (const DialectSign& each : kSigns) {
        if (found || line.is_blank()) break;
        const AsmSign sign = each.sign(line.rest());
        if (sign == AsmSign::Strong) found = each.format;
        if (sign == AsmSign::Weak && !weak) weak = each.format;
      }
      if (!found && columns && line.is_named()) found = InputFormat::Ceccomp;
      if (found) return is_text(text) ? found : std::nullopt;
      if (columns && !weak) weak = InputFormat::SeccompTools;
      // Brackets and strings of C, which no statement of these languages has.
      if (line.rest().find_first_of("{}\"'\\") != std::string_view::npos) return std::nullopt;
    }
    in_comment = line.in_comment();
  }
  return weak && is_text(text) ? weak : std::nullopt;
}

std::expected<Assembled, ReadError> assemble(std::string_view text, const ReadOptions& options) {
  if (text.empty()) return std::unexpected(ReadError{"it is empty", {}, {}, 0});
  const auto format = options.format ? options.format : asm_dialect(text);
  switch (format.value_or(InputFormat::Raw)) {
    case InputFormat::Listing:
      return assemble_listing(text, options);
    case InputFormat::BpfAsm:
      return assemble_bpf_asm(text, options);
    case InputFormat::SeccompTools:
      return assemble_seccomp_tools(text, options);
    case InputFormat::Ceccomp:
      return assemble_ceccomp(text, options);
    case InputFormat::Raw:
    case InputFormat::Hex:
    case InputFormat::CString:
    case InputFormat::CBytes:
    case InputFormat::CRows:
    case InputFormat::CMacros:
    case InputFormat::Decimal:
      break;
  }
  std::string known;
  for (const InputFormatRow& row : input_formats()) {
    if (!is_assembly(row.format)) continue;
    known += fmt::format("{}{} ({})", known.empty() ? " " : ", ", row.name, row.looks_like);
  }
  return std::unexpected(
      ReadError{"this is none of the languages that are assembled:" + known, {}, {}, {}});
}

namespace {

bool is_dialect(std::string_view bytes, InputFormat format) { return asm_dialect(bytes) == format; }

Parsed program_of(std::string_view bytes, const ReadOptions& options, InputFormat format) {
  ReadOptions chosen = options;
  chosen.format = format;
  auto assembled = assemble(bytes, chosen);
  if (!assembled) return std::unexpected(std::move(assembled.error()));
  return std::move(assembled->program);
}

}  // namespace

bool detect_listing(std::string_view bytes) { return is_dialect(bytes, InputFormat::Listing); }
Parsed parse_listing(std::string_view bytes, const ReadOptions& options) {
  return program_of(bytes, options, InputFormat::Listing);
}
bool detect_bpf_asm(std::string_view bytes) { return is_dialect(bytes, InputFormat::BpfAsm); }
Parsed parse_bpf_asm(std::string_view bytes, const ReadOptions& options) {
  return program_of(bytes, options, InputFormat::BpfAsm);
}
bool detect_seccomp_tools(std::string_view bytes) {
  return is_dialect(bytes, InputFormat::SeccompTools);
}
Parsed parse_seccomp_tools(std::string_view bytes, const ReadOptions& options) {
  return program_of(bytes, options, InputFormat::SeccompTools);
}
bool detect_ceccomp(std::string_view bytes) { return is_dialect(bytes, InputFormat::Ceccomp); }
Parsed parse_ceccomp(std::string_view bytes, const ReadOptions& options) {
  return program_of(bytes, options, InputFormat::Ceccomp);
}

}  // namespace callgate::front_ends
