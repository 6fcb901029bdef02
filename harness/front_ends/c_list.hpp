#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "harness/front_ends/c_lexer.hpp"
#include "vm/arches.hpp"
#include "vm/instruction.hpp"

/// Lists of rows, inside C sources or in the output of strace.
namespace callgate::front_ends {

enum class RowShape : std::uint8_t { Macro, Braces };

/// Where a list of rows begins.
struct RowList {
  std::size_t first = 0;  ///< the offset behind the bracket that opens it, or of the text's begin
  std::optional<std::size_t> opener;    ///< that bracket
  RowShape shape = RowShape::Braces;    ///< of its first row
  std::optional<std::uint64_t> length;  ///< `len=5`, as strace has it
};

/// The first list of rows at or after `from`.
[[nodiscard]] std::optional<RowList> find_rows(std::string_view text, std::size_t from = 0);

/// Reads the one list in a text. Rows of both shapes may stand in it.
[[nodiscard]] Parsed parse_rows(std::string_view text, Arch arch);

/// What may stand behind a closed list: nothing, or what ends a declaration, a call or an outer
/// list.
[[nodiscard]] bool may_follow_list(const Token& token) noexcept;

/// `{ code, jt, jf, k }`, with or without designators.
[[nodiscard]] std::expected<Instruction, ReadError> parse_brace_row(Lexer& lexer, Arch arch);

/// `BPF_STMT(code, k)` or `BPF_JUMP(code, k, jt, jf)`.
[[nodiscard]] std::expected<Instruction, ReadError> parse_macro_row(Lexer& lexer, Arch arch);

[[nodiscard]] inline bool is_row_macro(const Token& token) noexcept {
  return token.is("BPF_STMT") || token.is("BPF_JUMP");
}

}  // namespace callgate::front_ends
