#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "vm/arithmetic.hpp"
#include "vm/checked_program.hpp"
#include "vm/decoded.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate {

/// What is known of a register while a program is specialised: a constant, or a masked word of
/// seccomp_data.
struct Term {
  static constexpr std::uint8_t kConstant = 0xff;
  std::uint8_t offset = kConstant;  ///< of the word, as the program names it
  std::uint32_t value = 0;          ///< the constant, or the mask

  [[nodiscard]] bool is_constant() const noexcept { return offset == kConstant; }
  friend auto operator<=>(const Term&, const Term&) = default;
};

/// A program solved for each number of each architecture that it tells apart: all 2^32 numbers are
/// parted into ranges, each with a constant result, or with what is left to ask of the call.
///
/// Bounded in time and memory: at most kMostSteps instructions are followed, and kMostNodes
/// questions and kMostResumes places to go on from are kept. What is beyond runs as `decoded` runs
/// it, from the start.
class SpecialisedProgram {
 public:
  static constexpr std::size_t kMostSteps = 32 * kMaxProgramLength;
  static constexpr std::size_t kMostNodes = 4 * kMaxProgramLength;
  static constexpr std::size_t kMostResumes = 1024;
  /// Architectures that are told apart; calls of others share one partition.
  static constexpr std::size_t kMostArches = 8;

  /// What a range of numbers comes to.
  struct Entry {
    enum class Kind : std::uint32_t {
      Constant,  ///< `value` is the result
      Node,      ///< `value` is the first question
      Resume,    ///< `value` says where to go on in the program
    };
    std::uint32_t value = 0;
    Kind kind = Kind::Constant;

    friend bool operator==(const Entry&, const Entry&) = default;
  };

  /// Numbers from `first` to before the next range's.
  struct Range {
    std::uint32_t first = 0;
    Entry entry;
  };

  /// The partition for one architecture.
  struct Plane {
    std::uint32_t arch = 0;     ///< its token; of the last plane without meaning: all others
    std::vector<Range> ranges;  ///< by rising number, the first from 0
  };

  explicit SpecialisedProgram(const CheckedProgram& program);

  /// By architecture, the model's own first if the program asks for it, the others' last.
  [[nodiscard]] std::span<const Plane> planes() const noexcept { return planes_; }

  /// The result of a call whose number has that entry.
  [[nodiscard]] std::uint32_t result(Entry entry, const SeccompData& data) const noexcept {
    if (entry.kind == Entry::Kind::Constant) return entry.value;
    return ask(entry, data);
  }

 private:
  class Solver;

  /// A question: the word at `offset`, masked, compared with k. What follows is an entry each.
  struct Node {
    std::uint8_t offset = 0;  ///< in a SeccompData of this machine
    Test test = Test::Equal;
    std::uint32_t mask = 0;
    std::uint32_t k = 0;
    Entry yes;
    Entry no;
  };

  /// Where `decoded` goes on, and with what.
  struct Resume {
    std::size_t at = 0;
    Term a;
    Term x;
    std::array<Term, kMemoryWords> memory{};
  };

  [[nodiscard]] std::uint32_t ask(Entry entry, const SeccompData& data) const noexcept;
  [[nodiscard]] std::uint32_t go_on(const Resume& from, const SeccompData& data) const noexcept;

  DecodedProgram decoded_;
  ByteOrder order_;
  std::vector<Plane> planes_;
  std::vector<Node> nodes_;
  std::vector<Resume> resumes_;
};

}  // namespace callgate
