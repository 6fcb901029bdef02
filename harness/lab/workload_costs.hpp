#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/cost/compared_calls.hpp"
#include "harness/cost/time_model.hpp"
#include "harness/lab/guest_files.hpp"
#include "verifier/known_call.hpp"
#include "vm/filter_stack.hpp"
#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"

/// What given stacks cost a kernel of the lab for the calls of a workload, with their arguments, in
/// executed machine instructions.
namespace callgate::lab {

/// A stack that is put to the kernel, the oldest first.
struct CostStack {
  std::string name;
  std::vector<Program> filters;
};

/// Calls as an ABI has them.
struct AbiCalls {
  std::vector<verifier::KnownCall> calls{};
  std::vector<cost::CallsLeftOut> left_out{};
};

/// The same calls of another ABI: those of the same name, their arguments as they were. What it
/// lacks is left out.
[[nodiscard]] AbiCalls calls_of_abi(std::span<const verifier::KnownCall> calls, Arch arch);

/// What is to be counted.
struct GivenCosts {
  std::vector<CostStack> stacks{};
  AbiCalls workload{};  ///< of the kernel's ABI
};

/// What a stack adds to the average call of a workload, by its counts, in machine instructions.
struct WorkloadCost {
  std::string name;
  std::string_view why{};  ///< nothing counted: the reason
  std::size_t filters = 0;
  std::size_t length = 0;   ///< instructions of all its programs
  double executed = 0;      ///< of them, that run for an average call
  double cached_share = 0;  ///< of the calls, served by the cache
  double counted = 0;
  double fixed = 0;                   ///< of it, what has nothing to do with its instructions
  double instructions = 0;            ///< of it, these
  std::optional<double> predicted{};  ///< as `callgate cost` would; nothing: it cannot
};

/// All stacks, about the same calls.
struct WorkloadCosts {
  std::vector<WorkloadCost> stacks{};
  std::uint64_t calls = 0;
  std::uint64_t unknown_arguments = 0;  ///< of them; what was not known was 0
  std::vector<cost::CallsLeftOut> left_out{};
};

/// The program, but that it allows the call that the agent installs filters by.
[[nodiscard]] Program letting_install(const Program& program, Arch arch);

/// The filters of one task. Those that the model refuses are not in it.
[[nodiscard]] FilterStack stack_of(const std::vector<Program>& filters, const KernelModel& model);

/// The questions about given stacks. Each call is made under the stack, every return of which is a
/// refusal then, and under as many of the smallest filters that refuse; getppid under as many of
/// the smallest that allow it.
class WorkloadQuestions {
 public:
  /// The most frequent kMostCosts calls; the others are left out.
  WorkloadQuestions(GivenCosts given, Arch arch);

  /// Appends what is to be asked.
  void ask(std::vector<CostQuestion>& questions);

  /// `answers` are those of all questions that ask() appended to, `parts` what the same boot gave.
  /// Whether the cache serves a number is what the model says.
  [[nodiscard]] WorkloadCosts judge(std::span<const CostAnswer> answers, const KernelModel& model,
                                    const cost::Parts& parts) const;

 private:
  // Where the answers about a stack are.
  struct Asked {
    std::string_view why;  // not asked
    std::size_t fixed = 0;
    std::size_t trivial = 0;
    std::size_t bodies = 0;
  };

  [[nodiscard]] std::vector<Program> installable(const std::vector<Program>& filters) const;

  GivenCosts given_;
  Arch arch_;
  std::vector<CostCall> calls_{};
  std::vector<Asked> asked_{};
};

}  // namespace callgate::lab
