#include "harness/cost/prediction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/report/disassembly.hpp"
#include "harness/report/words.hpp"
#include "vm/syscalls.hpp"

namespace callgate::cost {
namespace {

using verifier::CacheAnswer;
using verifier::Cached;

// Why the cache does not serve a number, in words.
class Reasons {
 public:
  explicit Reasons(const FilterStack& stack)
      : model_(stack.model()), range_(verifier::cache_range(stack.model())) {
    for (std::size_t filter = 0; filter < stack.size(); ++filter) {
      statements_.push_back(report::statements(stack.program(filter), model_.arch));
    }
  }

  [[nodiscard]] std::string words(const CacheAnswer& answer) const {
    switch (answer.cached) {
      case Cached::Yes:
        return {};
      case Cached::Exempt:
        return "passes all filters";
      case Cached::NoCache:
        return fmt::format("Linux {} has no cache", to_string(model_.version));
      case Cached::NoCacheOnAbi:
        return fmt::format("{} has no cache", info(model_.arch).name);
      case Cached::OutOfRange:
        return fmt::format("the cache ends at {}", range_->at_most - 1);
      case Cached::NotKnown:
        return fmt::format("whether the cache goes beyond {} is not known here",
                           range_->surely - 1);
      case Cached::NotEmulated:
        return fmt::format("{}: {}", place(answer),
                           statements_.at(answer.filter).at(answer.instruction));
      case Cached::NotAllowed:
        return fmt::format("{}: {}", place(answer),
                           report::verdict_words(answer.value, model_) +
                               (is_allow(answer.value) ? " with data" : ""));
    }
    return {};
  }

 private:
  static bool is_allow(std::uint32_t value) {
    return (value & kActionMask) == static_cast<std::uint32_t>(Action::Allow);
  }

  [[nodiscard]] std::string place(const CacheAnswer& answer) const {
    const std::string instruction = fmt::format("instruction {}", answer.instruction);
    if (statements_.size() == 1) return instruction;
    return fmt::format("filter {}, {}", answer.filter + 1, instruction);
  }

  KernelModel model_;
  std::optional<verifier::CacheRange> range_;
  std::vector<std::vector<std::string>> statements_;
};

void add(Span& sum, const Span& each, double weight) {
  sum.least += each.least * weight;
  sum.most += each.most * weight;
}

// `model` says what is fixed, `body` what the filters' instructions add where they run: from, to.
template <typename Model>
Added added(const CallCost& call, std::size_t filters, const Model& model,
            const std::pair<double, double>& body) {
  const bool served = call.cache.is_served();
  const bool may_be_served = served || call.cache.cached == Cached::NotKnown;
  Added out;
  const double one = model.fixed(may_be_served, filters);
  const double other = model.fixed(served, filters);
  out.fixed = {std::min(one, other), std::max(one, other)};
  if (!may_be_served) out.instructions.least = body.first;
  if (!served) out.instructions.most = body.second;
  return out;
}

double weight_of(const CallCost& call) {
  const double cost = call.time      ? call.time->sum().most
                      : call.machine ? call.machine->sum().most
                                     : call.executed.most;
  return static_cast<double>(call.count) * cost;
}

}  // namespace

Prediction predict(const FilterStack& stack, std::span<const CallCount> calls,
                   const std::optional<TimeModel>& time,
                   const std::optional<CountedKernel>& counted) {
  const Reasons reasons(stack);
  Prediction out;
  for (const CallCount& each : calls) {
    CallCost call;
    call.nr = each.nr;
    call.name = each.name;
    call.count = each.count;
    call.cache = verifier::cache_answer(stack, each.nr);
    call.why = reasons.words(call.cache);
    call.path = verifier::path_cost(stack, each.nr);
    if (!call.cache.is_served()) {
      call.executed.most = static_cast<double>(call.path.classic.most);
      if (call.cache.cached != Cached::NotKnown) {
        call.executed.least = static_cast<double>(call.path.classic.least);
      }
    }
    if (time) {
      const Parts parts = time->parts();
      call.time = added(call, stack.size(), parts, parts.bodies(call.path, stack.size()));
    }
    if (counted) {
      call.machine = added(call, stack.size(), *counted, counted->body(stack, each.nr, call.path));
    }
    out.calls.push_back(std::move(call));
  }
  Totals& totals = out.totals;
  for (const CallCost& call : out.calls) {
    totals.calls += call.count;
    if (call.cache.is_served()) totals.served += call.count;
    if (call.cache.cached == Cached::NotKnown) totals.not_known += call.count;
  }
  if (time) totals.time = Added{};
  if (counted) totals.machine = Added{};
  for (const CallCost& call : out.calls) {
    if (totals.calls == 0) break;
    const double part = static_cast<double>(call.count) / static_cast<double>(totals.calls);
    add(totals.executed, call.executed, part);
    for (const auto& [sum, each] :
         {std::pair(&totals.time, &call.time), std::pair(&totals.machine, &call.machine)}) {
      if (!*each) continue;
      add((*sum)->fixed, (*each)->fixed, part);
      add((*sum)->instructions, (*each)->instructions, part);
    }
  }
  // The dearest first; alike ones by their numbers.
  std::ranges::sort(out.calls, [](const CallCost& a, const CallCost& b) {
    return std::pair(weight_of(b), a.nr) < std::pair(weight_of(a), b.nr);
  });
  return out;
}

std::vector<CallCount> every_call(Arch arch) {
  std::vector<CallCount> out;
  for (const SyscallRow& row : syscalls(arch)) {
    // Of names that share a number, the kernel's own comes first.
    if (!out.empty() && out.back().nr == row.nr) continue;
    out.push_back({row.nr, std::string(row.name), 1});
  }
  return out;
}

}  // namespace callgate::cost
