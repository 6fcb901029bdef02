// What the reference, the checker and the model say of the cases, and the kernels that this holds
// for.
#include <algorithm>

#include "harness/corpus/parts.hpp"
#include "verifier/check.hpp"
#include "vm/reference.hpp"

namespace callgate::corpus {
namespace {

std::optional<InstallError> refusal(const Program& program, const KernelModel& model) {
  const auto checked = verifier::check(program, model);
  if (checked) return std::nullopt;
  return checked.error().error;
}

std::optional<std::uint32_t> value_of(const Program& program, const SeccompData& data,
                                      const KernelModel& model) {
  const reference::Result result = reference::run(program, data, model);
  if (result.fault != reference::Fault::None) return std::nullopt;
  return result.value;
}

// The verdict of the filters for one call; nothing where one of them is refused.
std::optional<Verdict> verdict_of(const StackCase& stack, const SeccompData& data,
                                  const KernelModel& model) {
  std::vector<FilterResult> newest_first;
  std::size_t filter = 0;
  for (const StackFilter& each : stack.filters) {
    if (refusal(each.program, model)) return std::nullopt;
    const std::uint32_t value = reference::run(each.program, data, model).value;
    for (std::size_t i = 0; i < each.times; ++i) newest_first.push_back({filter++, value});
  }
  std::ranges::reverse(newest_first);
  return combine(newest_first, model);
}

Outcome outcome_for(const OutcomeCase& each, const KernelModel& model) {
  return each.strict ? strict_outcome(each.data, model, each.around.only_thread)
                     : outcome_of(each.value, each.data, model, each.around);
}

// How many of the filters are attached, and what the next one is refused with.
struct Fitted {
  std::size_t fits = 0;
  std::optional<InstallError> refused{};
  friend bool operator==(const Fitted&, const Fitted&) = default;
};

Fitted fitted(const LimitCase& each, const KernelModel& model) {
  Fitted out;
  std::size_t used = 0;
  for (const StackFilter& filter : each.filters) {
    const auto checked = verifier::check(filter.program, model);
    if (!checked) {
      out.refused = checked.error().error;
      return out;
    }
    for (std::size_t i = 0; i < filter.times; ++i) {
      if (used + checked->limit_cost().as_new > kMaxInstructionsPerTask) {
        out.refused = InstallError::NoMemory;
        return out;
      }
      used += checked->limit_cost().as_attached + 4;
      ++out.fits;
    }
  }
  return out;
}

}  // namespace

void expect(Corpus& corpus) {
  for (CheckCase& each : corpus.checks) {
    if (const auto checked = verifier::check(each.program, each.header.kernel); !checked) {
      each.refused = checked.error().error;
      each.diagnostics = checked.error().diagnostics;
    }
  }
  for (CodesCase& each : corpus.codes) {
    for (std::uint32_t code = 0; code <= 0xffffU; ++code) {
      each.program[each.at].code = static_cast<std::uint16_t>(code);
      if (!refusal(each.program, each.header.kernel)) {
        each.accepted.push_back(static_cast<std::uint16_t>(code));
      }
    }
    each.program[each.at].code = 0;
  }
  for (ValueCase& each : corpus.values) {
    for (ValueRun& run : each.runs)
      run.value = value_of(each.program, run.data, each.header.kernel);
  }
  for (StackCase& each : corpus.stacks) {
    for (StackRun& run : each.runs) {
      run.verdict = verdict_of(each, run.data, each.header.kernel).value_or(Verdict{});
    }
  }
  for (OutcomeCase& each : corpus.outcomes) each.outcome = outcome_for(each, each.header.kernel);
  for (LimitCase& each : corpus.limits) {
    const Fitted found = fitted(each, each.header.kernel);
    each.fits = found.fits;
    each.refused = found.refused;
  }
}

void find_versions(Corpus& corpus) {
  for (CheckCase& each : corpus.checks) {
    each.header.versions = versions_where(each.header.kernel, [&](const KernelModel& model) {
      return refusal(each.program, model) == each.refused;
    });
  }
  for (CodesCase& each : corpus.codes) {
    // Codes that came later were refused before: the rows tell which.
    each.header.versions = versions_where(each.header.kernel, [&](const KernelModel& model) {
      Program program = each.program;
      return std::ranges::all_of(each.accepted, [&](std::uint16_t code) {
        program[each.at].code = code;
        return !refusal(program, model);
      });
    });
  }
  for (ValueCase& each : corpus.values) {
    each.header.versions = versions_where(each.header.kernel, [&](const KernelModel& model) {
      if (refusal(each.program, model)) return false;
      return std::ranges::all_of(each.runs, [&](const ValueRun& run) {
        return value_of(each.program, run.data, model) == run.value;
      });
    });
  }
  for (StackCase& each : corpus.stacks) {
    each.header.versions = versions_where(each.header.kernel, [&](const KernelModel& model) {
      return std::ranges::all_of(each.runs, [&](const StackRun& run) {
        return verdict_of(each, run.data, model) == run.verdict;
      });
    });
  }
  for (OutcomeCase& each : corpus.outcomes) {
    each.header.versions = versions_where(each.header.kernel, [&](const KernelModel& model) {
      return outcome_for(each, model) == each.outcome;
    });
  }
  for (LimitCase& each : corpus.limits) {
    each.header.versions = versions_where(each.header.kernel, [&](const KernelModel& model) {
      return fitted(each, model) == Fitted{each.fits, each.refused};
    });
  }
}

}  // namespace callgate::corpus
