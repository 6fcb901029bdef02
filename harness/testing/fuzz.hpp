#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/testing/program_of.hpp"
#include "verifier/levels.hpp"
#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"
#include "vm/outcome.hpp"
#include "vm/seccomp_data.hpp"

/// For authors of programs that make filters: what was made, against another program, or against a
/// function that says what was meant. README.md beside this has examples.
namespace callgate::testing {

/// What a filter should return for a call: action and data, as `SECCOMP_RET_ERRNO | EPERM`.
using PolicyFunction = std::function<std::uint32_t(const SeccompData&)>;

struct FuzzOptions {
  KernelModel kernel{};
  /// What of a result counts; Raw: all 32 bits.
  verifier::Level level = verifier::Level::Raw;
  Surroundings around{};  ///< of Level::Outcome
  /// Further values that are worth trying: those that a PolicyFunction looks at.
  std::vector<std::uint64_t> constants{};
  /// Instructions and directions of which it could not be decided whether any call comes there
  /// need not have been hit.
  bool accept_undecided = false;
};

/// A call that the two sides do not agree about.
struct Counterexample {
  SeccompData call;
  std::uint32_t a = 0;  ///< what the first returns
  std::uint32_t b = 0;  ///< what the second returns
  /// "socket(0x28) on x86_64: the first returns ALLOW (0x7fff0000), the second ERRNO(1)
  /// (0x00050001)"
  std::string message;
};

/// What of one program the inputs of a run came to.
struct FuzzCoverage {
  std::size_t instructions = 0;  ///< that some call comes to
  std::size_t instructions_hit = 0;
  std::size_t directions = 0;  ///< ways out of conditional jumps that some call takes
  std::size_t directions_hit = 0;
  /// What some call comes to, and none of the inputs: "instruction 7 (return ALLOW)".
  std::vector<std::string> missing;
  /// What none of the inputs came to, where it is not known whether any call does.
  std::vector<std::string> undecided;
};

/// What came of run_for().
struct FuzzResult {
  bool passed = false;
  std::size_t inputs = 0;
  std::optional<Counterexample> counterexample{};  ///< the smallest that was found
  std::vector<FuzzCoverage> coverage{};            ///< of each program
  std::string text;                                ///< all of it in words, several lines
};

/// What fuzz() throws where no handler is given.
class DifferenceFound : public std::runtime_error {
 public:
  explicit DifferenceFound(Counterexample found)
      : std::runtime_error(found.message), counterexample(std::move(found)) {}

  Counterexample counterexample;
};

/// Two sides that should agree about every call. Not thread-safe.
class Differential {
 public:
  /// Of two programs; or why the kernel refuses one, with the diagnostics.
  [[nodiscard]] static std::expected<Differential, std::string> between(
      const Program& a, const Program& b, const FuzzOptions& options = {});
  /// Of a program and a function.
  [[nodiscard]] static std::expected<Differential, std::string> against(
      const Program& a, PolicyFunction b, const FuzzOptions& options = {});
  Differential(Differential&&) noexcept;
  Differential& operator=(Differential&&) noexcept;
  ~Differential();

  /// The call that bytes of a fuzzer stand for: any call can come out, those at the edges of the
  /// programs' constants mostly do. The same for the same bytes.
  [[nodiscard]] SeccompData call_from(std::span<const std::uint8_t> bytes) const;

  /// Asks both sides about one call.
  [[nodiscard]] std::optional<Counterexample> ask(const SeccompData& call) const;

  /// A smaller call, if there is one, about which they do not agree either.
  [[nodiscard]] Counterexample shrunk(const Counterexample& found) const;

  /// The body of LLVMFuzzerTestOneInput: 0, or, where the sides do not agree, what `handler` does
  /// with the shrunk counterexample. Without a handler throws DifferenceFound, which a fuzzer takes
  /// for a crash.
  int fuzz(const std::uint8_t* data, std::size_t size,
           const std::function<void(const Counterexample&)>& handler = {}) const;

  /// The same as a test that always ends: so many inputs, the same for the same seed. It passes
  /// where the sides agree about all of them, and the inputs came to every instruction and every
  /// direction of a branch, of each program, that any call comes to.
  [[nodiscard]] FuzzResult run_for(std::size_t inputs, std::uint64_t seed = 1) const;

 private:
  struct State;
  explicit Differential(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace callgate::testing
