#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/cost/time_model.hpp"
#include "harness/lab/guest_files.hpp"
#include "harness/lab/kernels.hpp"
#include "harness/lab/session.hpp"
#include "harness/lab/workload_costs.hpp"
#include "vm/instruction.hpp"

/// What filters cost the kernels of the lab, in executed machine instructions of a whole call, by
/// QEMU's counting clock: no caches, no guesses of branches, no mitigations. Not time.
namespace callgate::lab {

/// Whether the instructions of this boot can be counted: x86_64 and aarch64 calls.
[[nodiscard]] bool can_count(const LabKernel& kernel) noexcept;

/// What was predicted and counted of a stack, on average over the calls that it allows.
struct CountedStack {
  std::string name;
  std::size_t calls = 0;   ///< that it allows, and whose cost is one figure
  std::size_t served = 0;  ///< of these, by the cache
  double predicted = 0;    ///< instructions that the stack adds to a call
  double counted = 0;
  std::size_t holds = 0;  ///< calls where the two are within 15 % of each other
};

/// How a kernel did.
struct CostReport {
  std::string name;
  Ending ending = Ending::Skipped;
  std::string reason{};  ///< Failed, Skipped: why
  std::string release{};
  std::string jit{};
  cost::Parts parts{};            ///< instructions
  std::uint64_t agreements = 0;   ///< numbers under a stack that are served, or not, as predicted
  std::uint64_t differences = 0;  ///< that are not
  std::uint64_t unknown = 0;      ///< that nothing was predicted of; `seen_served` of these are
  std::uint64_t seen_served = 0;
  std::uint64_t not_told = 0;  ///< that did not come back
  /// numbers below are served where all is allowed, others not; nothing where it is not so simple
  std::optional<std::uint32_t> served_below{};
  std::vector<std::string> first{};  ///< the first differences, in words
  std::vector<CountedStack> stacks{};
  std::optional<WorkloadCosts> workload{};  ///< where stacks were given
  double seconds = 0;
};

/// The questions of one boot, and what the answers come to.
class CostSession {
 public:
  /// `stacks` random ones besides those that are always asked; and given ones, of which nothing
  /// but a filter that allows everything is always asked.
  CostSession(const LabKernel& kernel, std::uint32_t stacks, std::uint64_t seed,
              const std::optional<GivenCosts>& given = {});

  [[nodiscard]] const std::vector<CostQuestion>& questions() const { return questions_; }
  [[nodiscard]] CostReport judge(std::string_view console_text) const;

 private:
  void ask_parts();
  void ask_stack(CostStack stack);
  void ask_cache_of(const CostStack& stack);
  [[nodiscard]] std::optional<cost::Parts> parts_of(const std::vector<CostAnswer>& answers) const;
  void judge_stack(std::size_t stack, const std::vector<CostAnswer>& answers,
                   const KernelModel& model, CostReport& report) const;

  LabKernel kernel_;
  std::vector<CostCall> calls_{};  ///< of every number that is asked
  std::vector<CostQuestion> questions_{};
  std::vector<CostStack> stacks_{};
  std::optional<WorkloadQuestions> given_{};
  std::size_t first_stack_ = 0;  ///< the question of the first stack; two for each
};

/// Boots one kernel with a counting clock.
[[nodiscard]] CostReport count_costs(const LabKernel& kernel, std::uint32_t stacks,
                                     std::uint64_t seed, std::chrono::seconds patience,
                                     const WorkFolder& work,
                                     const std::optional<GivenCosts>& given = {});

}  // namespace callgate::lab
