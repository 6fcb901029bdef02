#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "verifier/space.hpp"
#include "vm/checked_program.hpp"

/// Shorter programs with the same meaning.
namespace callgate::verifier {

/// A step that made a program shorter.
enum class Reduction : std::uint8_t {
  Reloads,  ///< what a register holds already is not put there again
  Cleaned,  ///< what is never reached, never decided or never read is left out; equal ends are
            ///< shared
  Ranges,   ///< compares of one value that lead to the same become compares of ranges
};

/// In words.
[[nodiscard]] std::string_view to_string(Reduction reduction) noexcept;

/// One of them.
struct ReductionStep {
  Reduction reduction = Reduction::Cleaned;
  std::size_t before = 0;  ///< instructions
  std::size_t after = 0;
};

/// What became of a program.
struct Reduced {
  CheckedProgram program;
  std::vector<ReductionStep> steps;  ///< each proved: the same decision diagram as before
  /// Ideas that came to a shorter program whose meaning could not be proved the same, and were not
  /// taken.
  std::size_t refused = 0;
  /// Whether the analysis came to every part of the program; where not, nothing was done.
  bool analysed = true;
};

/// The shortest program that is found and proved to return the same for every seccomp_data, on the
/// kernel that it was checked for.
[[nodiscard]] Reduced reduced(const CheckedProgram& program, SpaceLimits limits = {});

}  // namespace callgate::verifier
