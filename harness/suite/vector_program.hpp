#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "vm/instruction.hpp"

/// The text of a program in a vector file (corpus/README.md describes it).
namespace callgate::suite {

/// What is wrong with a vector's text, and where.
struct VectorError {
  std::size_t line = 0;  ///< from 1
  std::string message;

  friend bool operator==(const VectorError&, const VectorError&) = default;
};

/// A line of a vector file, without its comment and the white space around.
struct VectorLine {
  std::size_t number = 0;  ///< from 1
  std::string_view text;
};

/// The instructions that the lines of a `program:` block stand for.
[[nodiscard]] std::expected<Program, VectorError> parse_vector_program(
    std::span<const VectorLine> lines);

/// A filter's result: "0x00050002", "ERRNO(2)", "ALLOW".
[[nodiscard]] std::optional<std::uint32_t> parse_result(std::string_view text);

/// A whole number from 0 to `largest`, decimal or with 0x; nothing else may stand beside it.
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text,
                                                        std::uint64_t largest);

/// The text without spaces and tabs at its ends.
[[nodiscard]] std::string_view trim(std::string_view text);

}  // namespace callgate::suite
