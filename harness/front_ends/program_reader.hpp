#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "vm/arches.hpp"
#include "vm/byte_order.hpp"
#include "vm/instruction.hpp"

/// What turns bytes into programs. Nothing here judges a program: any instructions come through.
namespace callgate::front_ends {

/// The encodings that a filter comes in; each has a row in input_formats().
enum class InputFormat : std::uint8_t {
  Raw,
  Hex,
  CString,
  CBytes,
  CRows,
  CMacros,
  Decimal,
  Listing,
  BpfAsm,
  SeccompTools,
  Ceccomp,
};

/// How bytes are read.
struct ReadOptions {
  std::optional<InputFormat> format;  ///< nothing: told by the content
  Arch arch = host_arch();            ///< whose numbers names such as __NR_read stand for
  ByteOrder order = kHostByteOrder;   ///< of the fields, where the text stands for raw bytes
};

/// A program, and how it was read.
struct ReadProgram {
  Program program;  ///< 1 to kMaxReadLength instructions
  InputFormat format = InputFormat::Raw;
};

/// Why nothing was read. Text has a line, a column and an offset, raw bytes an offset alone; none
/// of them is set where no place is to blame.
struct ReadError {
  std::string message;
  std::optional<std::size_t> line;    ///< from 1
  std::optional<std::size_t> column;  ///< from 1, in bytes
  std::optional<std::size_t> offset;  ///< in bytes from 0
};

/// "line 3, column 5: message", "byte 24: message", or the message alone.
[[nodiscard]] std::string to_string(const ReadError& error);

/// The longest program that can be handed to a kernel at all: `len` of sock_fprog has 16 bits.
inline constexpr std::size_t kMaxReadLength = 65535;

/// The longest file that read_file() takes, in bytes.
inline constexpr std::size_t kMaxFileSize = std::size_t{8} * 1024 * 1024;

/// One row of the registry of formats.
struct InputFormatRow {
  InputFormat format;
  std::string_view name;  ///< "c-rows": what `--input-format` takes
  std::string_view looks_like;
  /// Whether bytes look like this format; they may still prove malformed.
  bool (*detect)(std::string_view bytes);
  std::expected<Program, ReadError> (*parse)(std::string_view bytes, const ReadOptions& options);
};

/// Every format, in the order in which content is tried.
[[nodiscard]] std::span<const InputFormatRow> input_formats() noexcept;

/// The row of one format.
[[nodiscard]] const InputFormatRow& info(InputFormat format) noexcept;

/// The format of a name, or nothing.
[[nodiscard]] std::optional<InputFormat> input_format_from_name(std::string_view name) noexcept;

/// Reads a program. Takes any bytes at all, in time linear in their number. Refused, with the
/// place: nothing in it, an instruction cut short, a number out of its field's range, more than
/// kMaxReadLength instructions, a name that is not known, brackets that do not match, something
/// after the program.
[[nodiscard]] std::expected<ReadProgram, ReadError> read_program(std::string_view bytes,
                                                                 const ReadOptions& options = {});

/// For read_file(): whatever fits in memory.
inline constexpr std::size_t kNoSizeLimit = static_cast<std::size_t>(-1);

/// A file's content; "-" is standard input. At most `size_limit` bytes. The error's message has no
/// name.
[[nodiscard]] std::expected<std::string, ReadError> read_file(
    const std::string& path, std::size_t size_limit = kMaxFileSize);

}  // namespace callgate::front_ends
