#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "harness/front_ends/assembler.hpp"

/// The dialects of assemblers, a file each, and how a text's dialect is told.
namespace callgate::front_ends {

/// How sure a statement is to belong to a dialect.
enum class AsmSign : std::uint8_t { None, Weak, Strong };

/// The dialect of a text, by the first of its statements that only one dialect has; nothing where
/// it looks like none.
[[nodiscard]] std::optional<InputFormat> asm_dialect(std::string_view text);

/// Whether a line is a row of our own listing.
[[nodiscard]] bool is_listing_row(std::string_view line);

/// Of a statement alone, without label and columns.
[[nodiscard]] AsmSign bpf_asm_sign(std::string_view statement);
[[nodiscard]] AsmSign seccomp_tools_sign(std::string_view statement);
[[nodiscard]] AsmSign ceccomp_sign(std::string_view statement);

[[nodiscard]] std::expected<Assembled, ReadError> assemble_bpf_asm(std::string_view text,
                                                                   const ReadOptions& options);
[[nodiscard]] std::expected<Assembled, ReadError> assemble_seccomp_tools(
    std::string_view text, const ReadOptions& options);
[[nodiscard]] std::expected<Assembled, ReadError> assemble_ceccomp(std::string_view text,
                                                                   const ReadOptions& options);
[[nodiscard]] std::expected<Assembled, ReadError> assemble_listing(std::string_view text,
                                                                   const ReadOptions& options);

}  // namespace callgate::front_ends
