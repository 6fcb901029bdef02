#include "vm/kernel_model.hpp"

#include <array>
#include <charconv>
#include <cstddef>

namespace callgate {
namespace {

constexpr std::array kFeatures = {
#define FEATURE(enumerator, major, minor, mark, text) \
  FeatureInfo{Feature::enumerator, #enumerator, Version{major, minor, 0}, Mark::mark, text},
#define BACKPORT(...)
#include "vm/kernel_features.def"
#undef BACKPORT
#undef FEATURE
};

struct Backport {
  Feature feature;
  Version since;  ///< in the stable series of its major and minor number
};

constexpr std::array kBackports = {
#define FEATURE(...)
#define BACKPORT(enumerator, major, minor, patch, mark) \
  Backport{Feature::enumerator, Version{major, minor, patch}},
#include "vm/kernel_features.def"
#undef BACKPORT
#undef FEATURE
};

constexpr bool rows_stand_in_order() {
  for (std::size_t i = 0; i < kFeatures.size(); ++i) {
    if (static_cast<std::size_t>(kFeatures[i].feature) != i) return false;
  }
  return true;
}
static_assert(rows_stand_in_order());

}  // namespace

std::optional<Version> parse_version(std::string_view text) noexcept {
  if (text.starts_with('v')) text.remove_prefix(1);
  std::array<int, 3> parts{};
  std::size_t count = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (count < parts.size()) {
    const auto [next, error] = std::from_chars(at, end, parts[count]);
    if (error != std::errc{} || parts[count] < 0) return std::nullopt;
    ++count;
    at = next;
    if (at == end || *at != '.' || count == parts.size()) break;
    ++at;
  }
  if (count < 2) return std::nullopt;
  if (at != end && *at != '-' && *at != '+' && *at != '.') return std::nullopt;
  return Version{parts[0], parts[1], parts[2]};
}

std::string to_string(const Version& version) {
  std::string text = std::to_string(version.major);
  text.append(1, '.').append(std::to_string(version.minor));
  if (version.patch != 0) text.append(1, '.').append(std::to_string(version.patch));
  return text;
}

std::string_view to_string(Mark mark) noexcept {
  switch (mark) {
    case Mark::Live:
      return "live";
    case Mark::Lab:
      return "lab";
    case Mark::Source:
      return "source";
    case Mark::Memory:
      return "memory";
  }
  return "";
}

std::span<const FeatureInfo> features() noexcept { return kFeatures; }

bool KernelModel::has(Feature feature) const noexcept {
  if (version >= kFeatures[static_cast<std::size_t>(feature)].since) return true;
  for (const Backport& row : kBackports) {
    if (row.feature == feature && row.since.major == version.major &&
        row.since.minor == version.minor && row.since.patch <= version.patch) {
      return true;
    }
  }
  return false;
}

std::optional<ShiftRule> shift_rule(const KernelModel& model) noexcept {
  if (model.engine == KernelEngine::Jit) return info(model.arch).shift_rule;
  const bool usual = model.arch == Arch::X86_64 || model.arch == Arch::X32 ||
                     model.arch == Arch::X86 || model.arch == Arch::AArch64;
  if (!usual && !model.has(Feature::InterpreterMasksShift)) return std::nullopt;
  return ShiftRule::Mask5;
}

ShiftCount shift_count(const KernelModel& model, std::uint32_t x) noexcept {
  if (x < 32) return {.count = x};
  const std::optional<ShiftRule> rule = shift_rule(model);
  if (!rule) return {.defined = false};
  std::uint32_t count = x & 31U;
  switch (*rule) {
    case ShiftRule::Mask5:
      break;
    case ShiftRule::Mask6Zero:
      count = x & 63U;
      break;
    case ShiftRule::Mask8Zero:
      count = x & 255U;
      break;
  }
  if (count >= 32) return {.gives_zero = true};
  return {.count = count};
}

}  // namespace callgate
