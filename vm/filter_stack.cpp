#include "vm/filter_stack.hpp"

#include <utility>

#include "vm/combiner.hpp"

namespace callgate {
namespace {

// seccomp_attach_filter() adds this for each older filter.
constexpr std::size_t kPenaltyPerFilter = 4;

}  // namespace

std::uint32_t action_bits(std::uint32_t value, const KernelModel& model) noexcept {
  return value & (model.has(Feature::ActionFull) ? kActionMask : kOldActionMask);
}

Verdict combine(std::span<const FilterResult> newest_first, const KernelModel& model) noexcept {
  Combiner combiner(model);
  for (const FilterResult& result : newest_first) combiner.add(result.filter, result.value);
  return combiner.verdict();
}

std::expected<void, Diagnostic> FilterStack::push(const CheckedProgram& program,
                                                  const Engine& engine, FilterFlags flags) {
  const std::size_t total = program.limit_cost().as_new + attached_cost_;
  if (total > kMaxInstructionsPerTask) {
    return std::unexpected(
        Diagnostic{DiagnosticId::InstructionLimit, std::nullopt, {total, kMaxInstructionsPerTask}});
  }
  auto executable = engine.prepare(program);
  if (!executable) executable = engines().front()->prepare(program);
  filters_.push_back(Filter{program, std::move(*executable), flags});
  attached_cost_ += program.limit_cost().as_attached + kPenaltyPerFilter;
  return {};
}

Verdict FilterStack::run(const SeccompData& data) const noexcept {
  Combiner combiner(model_);
  for (std::size_t i = filters_.size(); i-- > 0;) {
    combiner.add(i, filters_[i].executable->run(data));
  }
  return combiner.verdict();
}

std::size_t FilterStack::limit_used() const noexcept {
  if (filters_.empty()) return 0;
  const LimitCost& newest = filters_.back().program.limit_cost();
  return attached_cost_ - newest.as_attached - kPenaltyPerFilter + newest.as_new;
}

}  // namespace callgate
