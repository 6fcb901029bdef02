#include "harness/audit/finding.hpp"

#include <algorithm>
#include <array>

namespace callgate::audit {
namespace {

constexpr std::array kFindings = {
#define FINDING(enumerator, name, severity, title, remedy) \
  FindingInfo{FindingId::enumerator, name, Severity::severity, title, remedy},
#include "harness/audit/findings.def"
#undef FINDING
};

}  // namespace

std::string_view to_string(Severity severity) noexcept {
  switch (severity) {
    case Severity::Note:
      return "note";
    case Severity::Warning:
      return "warning";
    case Severity::Error:
      return "error";
  }
  return "";
}

std::optional<Severity> severity_from_name(std::string_view name) noexcept {
  for (const Severity each : {Severity::Note, Severity::Warning, Severity::Error}) {
    if (to_string(each) == name) return each;
  }
  return std::nullopt;
}

std::span<const FindingInfo> findings() noexcept { return kFindings; }

const FindingInfo& info(FindingId id) noexcept { return kFindings[static_cast<std::size_t>(id)]; }

const FindingInfo* find_finding(std::string_view name) noexcept {
  const auto found = std::ranges::find(kFindings, name, &FindingInfo::name);
  return found == kFindings.end() ? nullptr : &*found;
}

bool Report::fails(Severity severity) const noexcept {
  return std::ranges::any_of(found, [severity](const Finding& each) {
    return !each.suppressed && each.severity >= severity;
  });
}

}  // namespace callgate::audit
