#pragma once

#include <span>
#include <string>
#include <string_view>

#include "vm/byte_order.hpp"
#include "vm/instruction.hpp"

namespace callgate::cli {

/// How a program's instructions are written; the names are those of the formats that are read.
struct Encoding {
  std::string_view name;
  std::string_view looks_like;
  std::string_view suffix;  ///< of a file's name
  std::string (*write)(const Program& program, ByteOrder order);
};

[[nodiscard]] std::span<const Encoding> encodings() noexcept;

/// The row of a name, or nullptr.
[[nodiscard]] const Encoding* find_encoding(std::string_view name) noexcept;

}  // namespace callgate::cli
