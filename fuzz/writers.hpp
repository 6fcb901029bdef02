#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "harness/front_ends/program_reader.hpp"
#include "harness/report/disassembly.hpp"
#include "harness/report/syntaxes.hpp"

namespace callgate::fuzz {

/// A program in a language that can say all of it, for x86_64; nothing where it cannot.
inline std::optional<std::string> in_language(std::span<const Instruction> program,
                                              std::string_view name) {
  KernelModel model;
  model.arch = Arch::X86_64;
  report::SourceText written = report::find_syntax(name)->write(program, model);
  if (!written.unsaid.empty()) return std::nullopt;
  return std::move(written.text);
}

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
    case InputFormat::Listing:
      return report::listing(program, KernelModel{});
    case InputFormat::BpfAsm:
    case InputFormat::SeccompTools:
    case InputFormat::Ceccomp:
      return in_language(program, front_ends::info(format).name);
    case InputFormat::CBytes:
      return report::c_bytes(program, order);
    case InputFormat::CMacros:
      return report::c_macros(program);
  }
  return std::nullopt;
}

}  // namespace callgate::fuzz
