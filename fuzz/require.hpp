#pragma once

#include <cstdio>
#include <source_location>
#include <string>

namespace callgate::fuzz {

/// Says on standard error what does not hold, and ends the process, so that the fuzzer keeps the
/// input.
[[noreturn]] inline void fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  __builtin_trap();
}

/// Fails, with the place, where a property does not hold.
inline void require(bool holds,
                    const std::source_location& place = std::source_location::current()) {
  if (holds) return;
  fail(std::string(place.file_name()) + ":" + std::to_string(place.line()) +
       ": what is required does not hold");
}

}  // namespace callgate::fuzz
