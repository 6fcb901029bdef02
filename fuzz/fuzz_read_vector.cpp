// Any text, read as a vector of any kind: an error with its line, or a vector that is written as a
// text which is read as the same.

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "fuzz/require.hpp"
#include "harness/suite/vector.hpp"
#include "harness/suite/vector_writer.hpp"

using callgate::fuzz::require;

// The first byte chooses the kind.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  namespace suite = callgate::suite;
  if (size == 0) return 0;
  const suite::VectorKind kind = suite::vector_kinds()[bytes[0] % suite::vector_kinds().size()];
  const std::string_view text(reinterpret_cast<const char*>(bytes + 1), size - 1);
  const auto vector = suite::parse_vector(text, kind);
  if (!vector) {
    require(!vector.error().message.empty());
    require(static_cast<std::ptrdiff_t>(vector.error().line) <= std::ranges::count(text, '\n') + 1);
    return 0;
  }
  const std::string written = suite::vector_text(*vector);
  const auto again = suite::parse_vector(written, kind);
  if (!again) {
    callgate::fuzz::fail("line " + std::to_string(again.error().line) + ": " +
                         again.error().message + " in\n" + written);
  }
  require(again->programs.size() == vector->programs.size());
  for (std::size_t i = 0; i < vector->programs.size(); ++i) {
    require(again->programs[i].instructions == vector->programs[i].instructions);
    require(again->programs[i].times == vector->programs[i].times);
  }
  require(again->diagnostics == vector->diagnostics);
  require(again->cases.size() == vector->cases.size());
  for (std::size_t i = 0; i < vector->cases.size(); ++i) {
    require(again->cases[i].data == vector->cases[i].data);
    require(again->cases[i].returns == vector->cases[i].returns);
    require(again->cases[i].verdict == vector->cases[i].verdict);
  }
  const std::string twice = suite::vector_text(*again);
  if (twice != written) callgate::fuzz::fail(written + "is written again as\n" + twice);
  return 0;
}
