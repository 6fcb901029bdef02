#pragma once

#include <array>
#include <cstdint>
#include <string_view>

/// The table of fuzz targets, for the tools.
namespace callgate::fuzz {

enum class InputKind : std::uint8_t { Case, Choices, Text };
enum class Liveness : std::uint8_t { Live, Alone };
enum class VectorForm : std::uint8_t { Check, Run, Stack, Script, Text };

/// A row of targets.def.
struct TargetInfo {
  std::string_view name;
  InputKind input;
  std::size_t longest;
  Liveness live;
  VectorForm vector;
  std::string_view property;
};

inline constexpr std::array kTargets = {
#define FUZZ_TARGET(name, input, longest, live, vector, property) \
  TargetInfo{#name, InputKind::input, longest, Liveness::live, VectorForm::vector, property},
#include "fuzz/targets.def"
#undef FUZZ_TARGET
};

}  // namespace callgate::fuzz
