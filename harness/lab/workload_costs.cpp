#include "harness/lab/workload_costs.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "harness/cost/count_model.hpp"
#include "harness/cost/probe_filters.hpp"
#include "verifier/cache.hpp"
#include "verifier/check.hpp"
#include "vm/outcome.hpp"
#include "vm/reference.hpp"
#include "vm/syscalls.hpp"

namespace callgate::lab {
namespace {

using cost::CallsLeftOut;
using verifier::KnownCall;

constexpr verifier::KnownWords kAllArguments = 0xfff0;
constexpr std::uint32_t kPass = 0x3b52c7e4;  // agent.c

void leave_out(std::vector<CallsLeftOut>& from, std::string_view why, std::uint64_t calls) {
  auto known = std::ranges::find(from, why, &CallsLeftOut::why);
  if (known == from.end()) known = from.insert(known, {why, 0});
  known->calls = cost::saturated_sum(known->calls, calls);
}

std::uint32_t number_of(const KnownCall& call) { return static_cast<std::uint32_t>(call.data.nr); }

// The ABI that a token stands for.
std::optional<Arch> abi_of(std::uint32_t token) {
  for (const ArchInfo& row : arches()) {
    if (row.token == token) return row.arch;
  }
  return std::nullopt;
}

// The least of the counts of getppid; nothing where none came back.
std::optional<double> least(const CostAnswer& answer) {
  std::optional<double> out;
  for (const auto& each : answer.counts) {
    if (each && (!out || *each < *out)) out = each;
  }
  return out;
}

// A call under one stack.
struct Figure {
  bool cached = false;
  double fixed = 0;
  double instructions = 0;
};

}  // namespace

AbiCalls calls_of_abi(std::span<const KnownCall> calls, Arch arch) {
  AbiCalls out;
  for (const KnownCall& each : calls) {
    const bool told =
        (each.known & verifier::kNumberKnown) != 0 && (each.known & verifier::kArchKnown) != 0;
    if (!told) {
      leave_out(out.left_out, "the number or the ABI is not known", each.count);
      continue;
    }
    KnownCall made = each;
    made.data.arch = info(arch).token;
    if (each.data.arch != info(arch).token) {
      const auto from = abi_of(each.data.arch);
      const auto name = from ? syscall_name(*from, number_of(each)) : std::nullopt;
      const auto nr = name ? syscall_number(arch, *name) : std::nullopt;
      if (!nr) {
        leave_out(out.left_out, "there is no such call there", each.count);
        continue;
      }
      made.data.nr = static_cast<std::int32_t>(*nr);
    }
    out.calls.push_back(made);
  }
  return out;
}

Program letting_install(const Program& program, Arch arch) {
  constexpr std::uint32_t kSixth = 56;
  const std::uint32_t low = info(arch).byte_order == ByteOrder::Little ? kSixth : kSixth + 4;
  Program out = {{0x20, 0, 0, 0},
                 {0x15, 0, 3, *syscall_number(arch, "prctl")},
                 {0x20, 0, 0, low},
                 {0x15, 0, 1, kPass},
                 {0x06, 0, 0, cost::kPlainAllow}};
  out.insert(out.end(), program.begin(), program.end());
  return out;
}

FilterStack stack_of(const std::vector<Program>& filters, const KernelModel& model) {
  FilterStack out(model);
  for (const Program& each : filters) {
    if (const auto checked = verifier::check(each, model)) (void)out.push(*checked);
  }
  return out;
}

WorkloadQuestions::WorkloadQuestions(GivenCosts given, Arch arch)
    : given_(std::move(given)), arch_(arch) {
  std::vector<KnownCall>& calls = given_.workload.calls;
  std::ranges::sort(calls, [](const KnownCall& one, const KnownCall& other) {
    return std::tie(other.count, one.data.nr, one.data.args) <
           std::tie(one.count, other.data.nr, other.data.args);
  });
  std::uint64_t rare = 0;
  for (; calls.size() > kMostCosts; calls.pop_back()) {
    rare = cost::saturated_sum(rare, calls.back().count);
  }
  if (rare > 0) {
    leave_out(given_.workload.left_out, "not among the 1024 most frequent that are asked", rare);
  }
  for (const KnownCall& each : calls) calls_.push_back({number_of(each), each.data.args});
}

std::vector<Program> WorkloadQuestions::installable(const std::vector<Program>& filters) const {
  std::vector<Program> out = filters;
  for (std::size_t i = 0; i + 1 < out.size(); ++i) out[i] = letting_install(out[i], arch_);
  return out;
}

void WorkloadQuestions::ask(std::vector<CostQuestion>& questions) {
  const auto add = [&](std::vector<Program> filters, std::vector<CostCall> calls) {
    questions.push_back({std::move(filters), std::move(calls)});
    return questions.size() - 1;
  };
  const std::vector<CostCall> getppid(16, {*syscall_number(arch_, "getppid")});
  std::map<std::size_t, std::pair<std::size_t, std::size_t>> smallest;
  for (const CostStack& each : given_.stacks) {
    Asked& asked = asked_.emplace_back();
    std::vector<Program> refusals;
    for (const Program& program : each.filters) refusals.push_back(cost::refusing(program));
    refusals = installable(refusals);
    const auto too_long = [](const Program& program) { return program.size() > kMaxProgramLength; };
    if (each.filters.empty()) asked.why = "it has no filter";
    if (std::ranges::any_of(refusals, too_long))
      asked.why = "the changed programs would be too long";
    if (calls_.empty()) asked.why = "there is no call";
    if (!asked.why.empty()) continue;
    const std::size_t count = each.filters.size();
    if (!smallest.contains(count)) {
      const std::vector<Program> refusing(count, cost::refusing_filter());
      smallest[count] = {add(std::vector<Program>(count, cost::uncached_filter()), getppid),
                         add(installable(refusing), calls_)};
    }
    std::tie(asked.fixed, asked.trivial) = smallest[count];
    asked.bodies = add(std::move(refusals), calls_);
  }
}

WorkloadCosts WorkloadQuestions::judge(std::span<const CostAnswer> answers,
                                       const KernelModel& model, const cost::Parts& parts) const {
  WorkloadCosts out;
  out.left_out = given_.workload.left_out;
  const auto row = cost::counted_kernel(model);
  std::vector<FilterStack> stacks;
  std::vector<double> fixed(asked_.size(), 0);
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    const CostStack& given = given_.stacks[i];
    stacks.push_back(stack_of(given.filters, model));
    WorkloadCost& made = out.stacks.emplace_back();
    made.name = given.name;
    made.why = asked_[i].why;
    made.filters = given.filters.size();
    for (const Program& each : given.filters) made.length += each.size();
    if (!made.why.empty()) continue;
    const auto getppid = least(answers[asked_[i].fixed]);
    if (stacks[i].size() != given.filters.size()) {
      made.why = "this kernel refuses a filter of it";
    } else if (!getppid) {
      made.why = "no call of getppid came back";
    } else {
      fixed[i] = *getppid - parts.entry;
    }
    if (row && made.why.empty()) made.predicted = 0;
  }
  // What a call costs under a stack; or why there is no figure.
  const auto figure_of = [&](std::size_t i, std::size_t call, Figure& figure) -> std::string_view {
    const SeccompData& data = given_.workload.calls[call].data;
    figure = {};
    const auto said = verifier::cache_answer(stacks[i], number_of(given_.workload.calls[call]));
    if (said.cached == verifier::Cached::Exempt) return "no filter sees this number";
    if (said.cached == verifier::Cached::NotKnown) {
      return "whether the cache serves this number is not known";
    }
    figure.cached = said.is_served();
    figure.fixed = figure.cached ? parts.cached : fixed[i];
    if (figure.cached) return {};
    for (const Program& each : given_.stacks[i].filters) {
      const auto refused = reference::run(cost::refusing(each), data, model);
      if (refused.value != cost::kRefusal) return "a filter ends by a division by 0";
    }
    const auto& whole = answers[asked_[i].bodies].counts[call];
    const auto& trivial = answers[asked_[i].trivial].counts[call];
    if (!whole || !trivial) return "it did not come back";
    figure.instructions = *whole - *trivial;
    return {};
  };
  double total = 0;
  std::vector<Figure> figures(asked_.size());
  for (std::size_t call = 0; call < calls_.size(); ++call) {
    const KnownCall& it = given_.workload.calls[call];
    std::string_view why;
    for (std::size_t i = 0; i < asked_.size() && why.empty(); ++i) {
      if (out.stacks[i].why.empty()) why = figure_of(i, call, figures[i]);
    }
    if (!why.empty()) {
      leave_out(out.left_out, why, it.count);
      continue;
    }
    const auto count = static_cast<double>(it.count);
    total += count;
    out.calls = cost::saturated_sum(out.calls, it.count);
    if ((it.known & kAllArguments) != kAllArguments) {
      out.unknown_arguments = cost::saturated_sum(out.unknown_arguments, it.count);
    }
    for (std::size_t i = 0; i < asked_.size(); ++i) {
      WorkloadCost& sum = out.stacks[i];
      if (!sum.why.empty()) continue;
      const Figure& figure = figures[i];
      sum.cached_share += figure.cached ? count : 0;
      sum.fixed += count * figure.fixed;
      sum.instructions += count * figure.instructions;
      if (sum.predicted) *sum.predicted += count * row->fixed(figure.cached, sum.filters);
      if (figure.cached) continue;
      if (sum.predicted) {
        const KnownCall made{it.data, verifier::kAllKnown, 1};
        const auto path = verifier::path_cost(stacks[i], made);
        *sum.predicted += count * row->body(stacks[i], made, path).first;
      }
      for (const Program& each : given_.stacks[i].filters) {
        sum.executed += count * static_cast<double>(reference::run(each, it.data, model).executed);
      }
    }
  }
  for (WorkloadCost& each : out.stacks) {
    if (total == 0) {
      if (each.why.empty()) each.why = "there is no call that all stacks have a figure of";
      each.predicted.reset();
      continue;
    }
    for (double* const sum :
         {&each.cached_share, &each.fixed, &each.instructions, &each.executed}) {
      *sum /= total;
    }
    if (each.predicted) *each.predicted /= total;
    each.counted = each.fixed + each.instructions;
  }
  return out;
}

}  // namespace callgate::lab
