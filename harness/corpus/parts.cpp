#include "harness/corpus/parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "vm/arches.hpp"

namespace callgate::corpus {

std::string hex(std::uint32_t value) { return fmt::format("0x{:08x}", value); }

std::string slug(const OpcodeInfo& row) {
  std::string out;
  for (const char c : row.name) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isupper(byte) != 0 && !out.empty()) out += '-';
    out += static_cast<char>(std::tolower(byte));
  }
  return out;
}

const OpcodeInfo& row_of(Opcode code) { return *find_opcode(static_cast<std::uint16_t>(code)); }

std::string action_slug(std::uint32_t value) {
  const ActionInfo* const row = find_action(value & kActionMask);
  return row != nullptr ? std::string(row->sysctl) : fmt::format("unknown-0x{:04x}", value >> 16U);
}

SeccompData plain_call() {
  return {.nr = 110,
          .arch = info(Arch::X86_64).token,
          .instruction_pointer = 0x00003a5c1e2d4002U,
          .args = {0x11223344a5a60001U, 0x2233445500c8d7e3U, 0x33445566fffefdfcU,
                   0x4455667780000001U, 0x556677887fffffffU, 0x66778899012389abU}};
}

SeccompData call_with(std::uint32_t argument0) {
  SeccompData data = plain_call();
  data.args[0] = 0x1122334400000000U | argument0;
  return data;
}

std::vector<std::uint32_t> known_actions() {
  std::vector<std::uint32_t> out;
  for (const ActionInfo& row : actions()) out.push_back(static_cast<std::uint32_t>(row.action));
  return out;
}

std::vector<std::uint32_t> unknown_actions() {
  // Beside each known one, and at the ends.
  std::vector<std::uint32_t> out = {0x90000000U, 0xc0000000U, 0x40000000U};
  for (const std::uint32_t known : known_actions()) {
    for (const std::uint32_t value : {known - 0x10000U, known + 0x10000U}) {
      if (find_action(value) == nullptr) out.push_back(value);
    }
  }
  std::ranges::sort(out);
  const auto doubled = std::ranges::unique(out);
  out.erase(doubled.begin(), doubled.end());
  return out;
}

CheckCase check_case(const std::string& id, std::string reason, Program program,
                     const std::string& neighbour) {
  CheckCase made;
  made.header.id = "check/" + id;
  made.header.reason = std::move(reason);
  made.program = std::move(program);
  if (!neighbour.empty()) made.neighbour = "check/" + neighbour;
  return made;
}

std::span<const Version> turning_points() {
  static const std::vector<Version> kPoints = [] {
    std::vector<Version> points = {
        kOldestVersion,
        kNewestVersion,
    // A change that a stable series got early is undone, so to speak, by the next series.
#define FEATURE(enumerator, major, minor, ...) Version{major, minor, 0},
#define BACKPORT(enumerator, major, minor, patch, ...) \
  Version{major, minor, patch}, Version{major, (minor) + 1, 0},
#include "vm/kernel_features.def"
#undef BACKPORT
#undef FEATURE
    };
    for (const ActionInfo& row : actions()) {
      points.push_back({row.since_major, row.since_minor, 0});
    }
    std::ranges::sort(points);
    const auto doubled = std::ranges::unique(points);
    points.erase(doubled.begin(), doubled.end());
    return points;
  }();
  return kPoints;
}

}  // namespace callgate::corpus
