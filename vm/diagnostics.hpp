#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace callgate {

/// What can be said of a program; one row of diagnostics.def each.
enum class DiagnosticId : std::uint8_t {
#define DIAGNOSTIC(enumerator, ...) enumerator,
#include "vm/diagnostics.def"
#undef DIAGNOSTIC
};

/// Whether the kernel refuses for it.
enum class Severity : std::uint8_t { Error, Warning };

/// The errnos that a program is refused with; the values are the numbers of the generic Linux ABI.
enum class InstallError : int { NoMemory = 12, Invalid = 22 };

/// A row of diagnostics.def.
struct DiagnosticInfo {
  DiagnosticId id;
  std::string_view name;  ///< stable: "slot-not-stored"
  Severity severity;
  InstallError error;
  std::string_view message;
};

/// Every row, in the order of the table.
[[nodiscard]] std::span<const DiagnosticInfo> diagnostics() noexcept;

/// The row of an id.
[[nodiscard]] const DiagnosticInfo& info(DiagnosticId id) noexcept;

/// One thing said of one program: comparable data, made words only when it is printed.
struct Diagnostic {
  DiagnosticId id{};
  std::optional<std::size_t> instruction;  ///< its place, from 0; nothing: the whole program
  std::array<std::uint64_t, 2> operands{};

  friend bool operator==(const Diagnostic&, const Diagnostic&) = default;
};

using Diagnostics = std::vector<Diagnostic>;

/// The message, without the place.
[[nodiscard]] std::string message(const Diagnostic& diagnostic);

}  // namespace callgate
