#include "vm/diagnostics.hpp"

#include <charconv>

namespace callgate {
namespace {

constexpr std::array kDiagnostics = {
#define DIAGNOSTIC(enumerator, name, severity, error, text) \
  DiagnosticInfo{DiagnosticId::enumerator, name, Severity::severity, InstallError::error, text},
#include "vm/diagnostics.def"
#undef DIAGNOSTIC
};

void append_number(std::string& out, std::uint64_t value, int base) {
  std::array<char, 20> digits{};
  const auto [end, error] =
      std::to_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error == std::errc{}) out.append(digits.data(), end);
}

}  // namespace

std::span<const DiagnosticInfo> diagnostics() noexcept { return kDiagnostics; }

const DiagnosticInfo& info(DiagnosticId id) noexcept {
  return kDiagnostics[static_cast<std::size_t>(id)];
}

std::string message(const Diagnostic& diagnostic) {
  std::string_view rest = info(diagnostic.id).message;
  std::string out;
  for (std::size_t brace = rest.find('{'); brace != std::string_view::npos;
       brace = rest.find('{')) {
    const std::size_t end = rest.find('}', brace);
    out.append(rest.substr(0, brace));
    const std::string_view field = rest.substr(brace + 1, end - brace - 1);
    const std::size_t operand = field.starts_with('1') ? 1 : 0;
    append_number(out, diagnostic.operands[operand], field.ends_with(":x") ? 16 : 10);
    rest.remove_prefix(end + 1);
  }
  out.append(rest);
  return out;
}

}  // namespace callgate
