#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vm/kernel_model.hpp"
#include "vm/seccomp_data.hpp"

/// What is wrong with filters, shown by calls.
namespace callgate::audit {

/// By rising weight.
enum class Severity : std::uint8_t { Note, Warning, Error };

/// "note", "warning", "error": the levels of SARIF, too.
[[nodiscard]] std::string_view to_string(Severity severity) noexcept;
[[nodiscard]] std::optional<Severity> severity_from_name(std::string_view name) noexcept;

/// One row of findings.def each.
enum class FindingId : std::uint8_t {
#define FINDING(enumerator, ...) enumerator,
#include "harness/audit/findings.def"
#undef FINDING
};

/// A row of findings.def.
struct FindingInfo {
  FindingId id;
  std::string_view name;  ///< "architecture-not-checked"
  Severity severity;
  std::string_view title;
  std::string_view remedy;
};

/// Every row, in the order of the table.
[[nodiscard]] std::span<const FindingInfo> findings() noexcept;
[[nodiscard]] const FindingInfo& info(FindingId id) noexcept;
/// The row of a name, or nullptr.
[[nodiscard]] const FindingInfo* find_finding(std::string_view name) noexcept;

/// A call, and what the stack was seen to say of it.
struct Shown {
  SeccompData call;
  std::uint32_t value = 0;  ///< of the stack, as running it gave
};

/// Something found.
struct Finding {
  FindingId id{};
  Severity severity{};       ///< its row's, or by the call (dangerous-call)
  std::string message;       ///< a sentence of this very filter
  std::string syscall;       ///< the call that it is about; empty: none, or many
  std::vector<Shown> shown;  ///< calls that show it; the first one gets what is complained of
  std::optional<std::size_t> filter;       ///< of the stack, from the oldest (0)
  std::optional<std::size_t> instruction;  ///< of that filter
  std::optional<std::size_t> line;         ///< of the profile
  std::optional<std::string> suppressed;   ///< the reason, where it is not to be counted
};

/// A part of the audit that could not be done to the end.
struct Incomplete {
  std::string checks;  ///< "all checks", or names
  std::string reason;
};

/// What an audit says.
struct Report {
  KernelModel model;
  std::vector<std::string> filters;  ///< how each is called, the oldest first
  std::vector<Finding> found;        ///< the gravest first, then by the order of the table
  std::vector<Incomplete> incomplete;

  /// Whether something of that severity or a graver one is not suppressed.
  [[nodiscard]] bool fails(Severity severity) const noexcept;
};

}  // namespace callgate::audit
