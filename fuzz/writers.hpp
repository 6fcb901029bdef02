#pragma once

#include <optional>
#include <span>
#include <string>

#include "harness/front_ends/program_reader.hpp"
#include "harness/report/disassembly.hpp"

namespace callgate::fuzz {

/// A program in a form that is read; nothing where nobody writes that form.
inline std::optional<std::string> written(std::span<const Instruction> program,
                                          front_ends::InputFormat format, ByteOrder order) {
  using front_ends::InputFormat;
  switch (format) {
    case InputFormat::Raw:
      return report::raw_bytes(program, order);
    case InputFormat::Hex:
      return report::hex_text(program, order);
    case InputFormat::CString:
      return report::c_string(program, order);
    case InputFormat::CRows:
      return report::c_rows(program);
    case InputFormat::Decimal:
      return report::decimal(program);
    case InputFormat::CBytes:
    case InputFormat::CMacros:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace callgate::fuzz
