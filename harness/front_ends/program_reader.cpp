#include "harness/front_ends/program_reader.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <new>
#include <system_error>

#include "harness/front_ends/formats.hpp"

namespace callgate::front_ends {
namespace {

// Languages of assemblers first, since colours of a terminal may be in them: they claim a text
// alone, by a statement that only they have. Then raw: what no text can be. Decimal before hex, as
// its digits are hexadecimal ones too; macros before rows and rows before bytes, as each has the
// next one's braces.
constexpr std::array kFormats = {
    InputFormatRow{InputFormat::Listing, "callgate", "what `callgate disasm` writes",
                   detect_listing, parse_listing},
    InputFormatRow{InputFormat::BpfAsm, "bpf_asm", "the kernel's assembler: `ld [4]`",
                   detect_bpf_asm, parse_bpf_asm},
    InputFormatRow{InputFormat::SeccompTools, "seccomp-tools",
                   "its assembler and listings: `A = arch`", detect_seccomp_tools,
                   parse_seccomp_tools},
    InputFormatRow{InputFormat::Ceccomp, "ceccomp", "its assembler and listings: `$A = $arch`",
                   detect_ceccomp, parse_ceccomp},
    InputFormatRow{InputFormat::Raw, "raw", "struct sock_filter as it lies in memory", detect_raw,
                   parse_raw},
    InputFormatRow{InputFormat::Decimal, "decimal", "a count, then lines `code jt jf k`",
                   detect_decimal, parse_decimal},
    InputFormatRow{InputFormat::Hex, "hex", "the raw bytes as hexadecimal digits", detect_hex,
                   parse_hex},
    InputFormatRow{InputFormat::CString, "c-string", "the raw bytes as \"\\x20\\x00...\"",
                   detect_c_string, parse_c_string},
    InputFormatRow{InputFormat::CMacros, "c-macros", "BPF_STMT(...) and BPF_JUMP(...)",
                   detect_c_macros, parse_c_macros},
    InputFormatRow{InputFormat::CRows, "c-rows", "rows `{ code, jt, jf, k },`", detect_c_rows,
                   parse_c_rows},
    InputFormatRow{InputFormat::CBytes, "c-bytes", "the raw bytes as `{32, 0, ...}`",
                   detect_c_bytes, parse_c_bytes},
};

std::string what_is_read() {
  std::string out = "this is none of the forms of a program that are read:";
  for (const InputFormatRow& row : kFormats) {
    out += fmt::format("{} {} ({})", &row == kFormats.data() ? "" : ",", row.name, row.looks_like);
  }
  return out;
}

const InputFormatRow* choose(std::string_view bytes, const ReadOptions& options) {
  if (options.format) return &info(*options.format);
  const auto row = std::ranges::find_if(kFormats, [&](const auto& r) { return r.detect(bytes); });
  if (row != kFormats.end()) return row;
  // Raw bytes may happen to be printable.
  const bool all_space = std::ranges::all_of(bytes, is_space);
  const bool fits = bytes.size() / sizeof(Instruction) <= kMaxReadLength;
  if (!all_space && fits && bytes.size() % sizeof(Instruction) == 0) return &info(InputFormat::Raw);
  return nullptr;
}

}  // namespace

std::string to_string(const ReadError& error) {
  if (error.line && error.column) {
    return fmt::format("line {}, column {}: {}", *error.line, *error.column, error.message);
  }
  if (error.offset) return fmt::format("byte {}: {}", *error.offset, error.message);
  return error.message;
}

std::span<const InputFormatRow> input_formats() noexcept { return kFormats; }

const InputFormatRow& info(InputFormat format) noexcept {
  return *std::ranges::find(kFormats, format, &InputFormatRow::format);
}

std::optional<InputFormat> input_format_from_name(std::string_view name) noexcept {
  const auto row = std::ranges::find(kFormats, name, &InputFormatRow::name);
  if (row == kFormats.end()) return std::nullopt;
  return row->format;
}

std::expected<ReadProgram, ReadError> read_program(std::string_view bytes,
                                                   const ReadOptions& options) {
  if (bytes.empty()) return std::unexpected(ReadError{"it is empty", {}, {}, 0});
  const InputFormatRow* row = choose(bytes, options);
  if (row == nullptr) {
    const bool all_space = std::ranges::all_of(bytes, is_space);
    return std::unexpected(
        ReadError{all_space ? "there is no instruction in it" : what_is_read(), {}, {}, {}});
  }
  auto program = row->parse(bytes, options);
  if (!program) return std::unexpected(std::move(program.error()));
  return ReadProgram{std::move(*program), row->format};
}

std::expected<std::string, ReadError> read_file(const std::string& path, std::size_t size_limit) {
  const bool standard_input = path == "-";
  const auto fail = [&](const std::string& why) {
    return std::unexpected(ReadError{why, {}, {}, {}});
  };
  const auto system_fail = [&] {
    return fail(std::error_code(errno, std::generic_category()).message());
  };
  struct Close {
    void operator()(std::FILE* file) const noexcept {
      if (file != stdin) static_cast<void>(std::fclose(file));
    }
  };
  const std::unique_ptr<std::FILE, Close> file(standard_input ? stdin
                                                              : std::fopen(path.c_str(), "rbe"));
  if (!file) return system_fail();
  std::string content;
  std::array<char, 65536> buffer{};
  try {
    // A regular file says how long it is: what memory has no room for is refused before it is read.
    struct stat status{};
    if (fstat(fileno(file.get()), &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
      const auto length = static_cast<std::size_t>(status.st_size);
      if (length <= size_limit) content.reserve(length);
    }
    while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
      if (got > size_limit - content.size()) {
        return fail(fmt::format("longer than {} bytes", size_limit));
      }
      content.append(buffer.data(), got);
    }
  } catch (const std::bad_alloc&) {
    return fail("too long: there is not enough memory to read it");
  }
  if (std::ferror(file.get()) != 0) return system_fail();
  return content;
}

}  // namespace callgate::front_ends
