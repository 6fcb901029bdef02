#pragma once

#include <cstddef>
#include <expected>
#include <string_view>
#include <vector>

#include "harness/front_ends/program_reader.hpp"

namespace callgate::front_ends {

/// A program that was written in an assembler's language.
struct Assembled {
  Program program;                 ///< 1 to kMaxReadLength instructions
  std::vector<std::size_t> lines;  ///< of the text, from 1, on which each instruction begins
  InputFormat format = InputFormat::Listing;
};

/// Whether this is a language for programs that people write: the rows of input_formats() for
/// which assemble() answers.
[[nodiscard]] bool is_assembly(InputFormat format) noexcept;

/// Assembles a text; its dialect is `options.format`, or told by the content. What stands in it is
/// either read as a whole or not at all. In time linear in its length.
[[nodiscard]] std::expected<Assembled, ReadError> assemble(std::string_view text,
                                                           const ReadOptions& options = {});

}  // namespace callgate::front_ends
