#include "harness/tune/tune.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/compare/comparison.hpp"
#include "harness/cost/cost_words.hpp"
#include "harness/tune/advice.hpp"
#include "harness/tune/proposals.hpp"
#include "verifier/check.hpp"
#include "verifier/rewrite.hpp"

namespace callgate::tune {
namespace {

using cost::middle;

// What a call gets added on average, in the report's unit.
double priced(const cost::Prediction& prediction, Unit unit) {
  const cost::Totals& totals = prediction.totals;
  switch (unit) {
    case Unit::Nanoseconds:
      return totals.time ? middle(totals.time->sum()) : 0;
    case Unit::MachineInstructions:
      return totals.machine ? middle(totals.machine->sum()) : 0;
    case Unit::Instructions:
      return middle(totals.executed);
  }
  return 0;
}

Unit unit_of(const Report& report) {
  if (report.time) return Unit::Nanoseconds;
  return report.counted ? Unit::MachineInstructions : Unit::Instructions;
}

std::size_t instructions_of(std::span<const Program> programs) {
  std::size_t sum = 0;
  for (const Program& each : programs) sum += each.size();
  return sum;
}

// The programs as a stack; nothing, and why, where a kernel refuses one.
std::optional<FilterStack> stacked(Proposal& proposal, const FilterStack& original) {
  FilterStack stack(original.model());
  for (const Program& each : proposal.programs) {
    const auto checked = verifier::check(each, original.model());
    if (!checked || !stack.push(*checked).has_value()) {
      proposal.refused = checked ? "a kernel does not take it: the stack gets too long"
                                 : "a kernel does not take it";
      return std::nullopt;
    }
  }
  return stack;
}

// Proves that a proposal means what the original does, or refuses it.
void prove(Proposal& proposal, const FilterStack& original, const FilterStack& stack) {
  compare::Request request;
  request.options.most_differences = 1;
  const compare::Result result = compare::compared(original, stack, request);
  if (result.contradiction) {
    proposal.refused =
        "it is proved to mean the same, but a call tells them apart: an error in Callgate, please "
        "report it";
    return;
  }
  switch (result.answer) {
    case verifier::Answer::Equal:
      proposal.proof = fmt::format("{}; {} calls tried on both", result.how, result.tried);
      return;
    case verifier::Answer::Different: {
      proposal.refused = "it does not mean the same";
      if (result.changes.empty() || result.changes.front().calls.empty()) return;
      const compare::Change& change = result.changes.front();
      const compare::Calls& calls = change.calls.front();
      proposal.refused +=
          fmt::format(": {} gets {} instead of {}",
                      calls.names.empty() ? std::string("a call") : calls.names.front(), change.to,
                      change.from);
      return;
    }
    case verifier::Answer::Undecided:
      proposal.refused = "that it means the same could not be proved";
      if (!result.open.empty()) proposal.refused += ": " + result.open.front().why;
      return;
  }
}

class Tuning {
 public:
  Tuning(std::span<const filters::FilterFile> files, const FilterStack& stack,
         std::span<const verifier::KnownCall> workload, const Options& options)
      : files_(files), stack_(stack), options_(options) {
    report_.model = stack.model();
    report_.filters = stack.size();
    report_.calls = calls_for(workload, stack.model().arch);
    if (stack.model().arch == Arch::X86_64) {
      report_.time = options.time ? *options.time : cost::TimeModel{};
    }
    if (auto counted = cost::counted_kernel(stack.model())) {
      report_.counted = *counted;
    } else {
      report_.not_counted = counted.error();
    }
    report_.unit = unit_of(report_);
  }

  Report run() {
    add_original();
    add_rewritten();
    const cost::Prediction original = report_.proposals.front().prediction;
    if (options_.profile) {
      for (Proposal& each : profile_proposals(*options_.profile, weights_of(original))) {
        add(std::move(each));
      }
    }
    if (options_.yardsticks) {
      for (Proposal& each : yardsticks(files_, stack_.model(), original)) add(std::move(each));
    }
    choose();
    if (options_.measure) measure();
    report_.advice = advice_for(stack_, report_);
    return std::move(report_);
  }

 private:
  void predict(Proposal& proposal, const FilterStack& stack) {
    proposal.prediction = cost::predict(stack, report_.calls.calls, report_.time, report_.counted);
    proposal.cost = priced(proposal.prediction, report_.unit);
    proposal.instructions = instructions_of(proposal.programs);
  }

  void add_original() {
    Proposal original;
    original.id = "original";
    original.title = "As it is";
    for (std::size_t filter = 0; filter < stack_.size(); ++filter) {
      const auto program = stack_.program(filter);
      original.programs.emplace_back(program.begin(), program.end());
    }
    predict(original, stack_);
    report_.proposals.push_back(std::move(original));
  }

  void add_rewritten() {
    Proposal proposal;
    proposal.id = "rewritten";
    proposal.title = "One rewritten filter";
    proposal.advice = stack_.size() > 1
                          ? fmt::format(
                                "Install this program in place of the {} filters, where one place "
                                "installs them all.",
                                stack_.size())
                          : "Install this program in place of the filter.";
    if (const std::string why = not_mergeable(); !why.empty()) {
      proposal.refused = why;
    } else {
      rewrite(proposal);
    }
    add(std::move(proposal));
  }

  // Flags belong to a filter; one filter has one set of them.
  [[nodiscard]] std::string not_mergeable() const {
    if (files_.size() < 2) return {};
    for (const filters::FilterFile& each : files_) {
      if (each.flags.new_listener) {
        return fmt::format("{} has a listener of its own", each.path);
      }
      if (each.flags.log != files_.front().flags.log) {
        return fmt::format("{} and {} have different flags: what one decides is logged",
                           files_.front().path, each.path);
      }
    }
    return {};
  }

  void rewrite(Proposal& proposal) {
    try {
      verifier::Space space;
      verifier::Endings endings(space);
      const verifier::StackMeaning meaning = verifier::meaning_of(endings, stack_);
      verifier::RewriteOptions how;
      if (report_.time) {
        how.prices = {report_.time->per_instruction_ns, report_.time->per_jump_ns,
                      report_.time->per_arithmetic_ns};
      }
      auto rewritten = verifier::rewritten(endings, stack_, meaning, report_.calls.calls, how);
      if (!rewritten) {
        proposal.refused = rewritten.error();
        return;
      }
      const auto program = rewritten->program.instructions();
      proposal.programs.emplace_back(program.begin(), program.end());
    } catch (const verifier::Diagrams::Full&) {
      proposal.refused = "its meaning has more parts than the analysis takes";
    }
  }

  // Shown are proposals that a kernel takes and that are proved; others say why they are not.
  void add(Proposal proposal) {
    if (proposal.refused.empty()) {
      if (const auto stack = stacked(proposal, stack_)) {
        prove(proposal, stack_, *stack);
        if (proposal.refused.empty()) {
          predict(proposal, *stack);
          refuse_if_dearer(proposal);
        }
      }
    }
    if (!proposal.refused.empty()) proposal.programs.clear();
    report_.proposals.push_back(std::move(proposal));
  }

  // Means the same, and gains nothing.
  void refuse_if_dearer(Proposal& proposal) const {
    const Proposal& original = report_.proposals.front();
    if (proposal.yardstick || std::pair(proposal.cost, proposal.instructions) <
                                  std::pair(original.cost, original.instructions)) {
      return;
    }
    proposal.refused = fmt::format("it is no cheaper: {:.1f} {} a call, {} instructions",
                                   proposal.cost, to_string(report_.unit), proposal.instructions);
  }

  void choose() {
    for (std::size_t i = 1; i < report_.proposals.size(); ++i) {
      const Proposal& each = report_.proposals[i];
      const Proposal& best = report_.proposals[report_.best];
      if (!each.refused.empty() || each.yardstick) continue;
      if (std::pair(each.cost, each.instructions) < std::pair(best.cost, best.instructions)) {
        report_.best = i;
      }
    }
  }

  void measure() {
    if (stack_.model().arch != Arch::X86_64 || host_arch() != Arch::X86_64) {
      report_.not_measured = "the running kernel is measured with x86_64's calls alone";
      return;
    }
    std::vector<std::size_t> places;
    std::vector<FilterStack> stacks;
    for (std::size_t i = 0; i < report_.proposals.size(); ++i) {
      Proposal& each = report_.proposals[i];
      if (!each.refused.empty()) continue;
      FilterStack stack(KernelModel::host());
      bool takes = true;
      for (const Program& program : each.programs) {
        const auto checked = verifier::check(program, stack.model());
        takes = takes && checked && stack.push(*checked).has_value();
      }
      if (!takes) continue;
      places.push_back(i);
      stacks.push_back(std::move(stack));
    }
    std::vector<const FilterStack*> pointers;
    for (const FilterStack& each : stacks) pointers.push_back(&each);
    auto measured = cost::live_compare(pointers, report_.calls.calls, options_.how);
    if (!measured) {
      report_.not_measured = measured.error().message;
      return;
    }
    for (std::size_t i = 0; i < places.size(); ++i) {
      report_.proposals[places[i]].measured = measured->stacks[i];
    }
    for (const cost::StackDifference& each : measured->differences) {
      if (each.a == 0) report_.proposals[places[each.b]].difference = each;
    }
    report_.measured_by = fmt::format("{} rounds on core {}", measured->rounds, measured->core);
  }

  std::span<const filters::FilterFile> files_;
  const FilterStack& stack_;
  const Options& options_;
  Report report_;
};

}  // namespace

Report tuned(std::span<const filters::FilterFile> files, const FilterStack& stack,
             std::span<const verifier::KnownCall> workload, const Options& options) {
  return Tuning(files, stack, workload, options).run();
}

}  // namespace callgate::tune
