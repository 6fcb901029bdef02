#pragma once

#include <cstdint>
#include <span>

#include "harness/random/generator.hpp"
#include "harness/task/live_runner.hpp"

namespace callgate::fuzz {

inline constexpr std::size_t kMostSteps = 30;

/// The script that the generator makes where the fuzzer's bytes are its choices.
inline task::Script script_of(std::span<const std::uint8_t> bytes, const KernelModel& model) {
  random::Source source(bytes);
  return task::random_script(source, kMostSteps, task::has_sys_admin(), model);
}

}  // namespace callgate::fuzz
