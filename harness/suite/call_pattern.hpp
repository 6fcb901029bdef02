#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "harness/suite/scanner.hpp"
#include "verifier/space.hpp"
#include "vm/arches.hpp"
#include "vm/seccomp_data.hpp"

/// Sets of calls as an author writes them: "read", "openat(*, *, O_RDONLY)",
/// "clone(flags & CLONE_NEWUSER)", "i386:*". The language is described in README.md beside this.
namespace callgate::suite {

/// What the upper halves of registers hold whose call the kernel looks at the lower half of alone.
enum class HighHalf : std::uint8_t {
  Any,       ///< anything: a call is what the kernel takes it for
  Extended,  ///< what compilers leave there: 0, and of signed numbers their sign too
  Exact,     ///< values are whole registers, whatever the kernel makes of them
};

/// "any", "extended", "exact"
[[nodiscard]] std::string_view to_string(HighHalf high) noexcept;

/// Values of one register, or of its lower half.
struct Atom {
  std::uint64_t first = 0;  ///< (value & mask) is from here
  std::uint64_t last = 0;   ///< to here, both included; with a mask the same
  std::uint64_t mask = ~std::uint64_t{0};
};

/// What is asked of one argument: its value is in one of the atoms, or in none.
struct ArgumentTest {
  static constexpr unsigned kInstructionPointer = 6;

  unsigned index = 0;  ///< 0 to 5, or kInstructionPointer
  bool low = false;    ///< the lower half is looked at, and `high` says what is above it
  HighHalf high = HighHalf::Exact;
  bool is_signed = false;  ///< with `low`: the kernel takes it as a signed number
  bool none = false;       ///< in none of them
  std::vector<Atom> atoms;

  [[nodiscard]] bool holds(std::uint64_t value) const noexcept;
  [[nodiscard]] verifier::Space::Ref condition(verifier::Space& space) const;
};

/// Numbers from first to last, both included.
struct NumberRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

/// A set of calls of one ABI.
struct CallPattern {
  std::string text;
  std::uint32_t token = 0;
  Arch abi = Arch::X86_64;
  std::string call;                  ///< the name, where there is one
  std::vector<NumberRange> numbers;  ///< sorted
  std::vector<ArgumentTest> tests;   ///< all of them hold

  /// It is of one number alone.
  [[nodiscard]] bool one_number() const noexcept {
    return numbers.size() == 1 && numbers[0].first == numbers[0].last;
  }
  [[nodiscard]] bool holds(const SeccompData& data) const noexcept;
  /// What is asked of arguments and instruction pointer. Throws Diagrams::Full.
  [[nodiscard]] verifier::Space::Ref arguments(verifier::Space& space) const;
  /// What is asked of the number.
  [[nodiscard]] verifier::Space::Ref number(verifier::Space& space) const;
  /// All of it.
  [[nodiscard]] verifier::Space::Ref condition(verifier::Space& space) const;
};

/// Why a text is no pattern here.
struct PatternError {
  enum class Kind : std::uint8_t {
    Malformed,  ///< nowhere
    Absent,     ///< this ABI has no such call, or no such constant, and another has
  };
  Kind kind = Kind::Malformed;
  TextError error;
};

/// Reads a pattern for calls of a machine of that architecture. `abi` is meant where the text names
/// none. `high` counts for arguments of which the kernel takes 32 bits.
[[nodiscard]] std::expected<CallPattern, PatternError> parse_pattern(std::string_view text,
                                                                     Arch machine, Arch abi,
                                                                     HighHalf high);

/// Calls of the pattern that are likely to show something: values at the edges of what it asks, of
/// what it leaves open the edges of words and `constants`. Each holds; the same for the same
/// pattern; at most `most`.
[[nodiscard]] std::vector<SeccompData> edge_calls(const CallPattern& pattern,
                                                  const std::vector<std::uint32_t>& constants,
                                                  std::size_t most);

}  // namespace callgate::suite
