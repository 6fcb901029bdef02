#include "harness/cost/prediction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
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
    return fmt::format("filter {}, {}", answer.filter, instruction);
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

// Sets `sum` to the mean of itself and of `each`, which is `part` of both.
void blend(Span& sum, const Span& each, double part) {
  sum.least += (each.least - sum.least) * part;
  sum.most += (each.most - sum.most) * part;
}

void blend(std::optional<Added>& sum, const std::optional<Added>& each, double part) {
  if (!sum || !each) return;
  blend(sum->fixed, each->fixed, part);
  blend(sum->instructions, each->instructions, part);
}

verifier::Count widest(const verifier::Count& one, const verifier::Count& other) {
  return {std::min(one.least, other.least), std::max(one.most, other.most)};
}

// Another call of the same number.
void join(CallCost& into, const CallCost& each) {
  const auto before = static_cast<double>(into.count);
  const auto more = static_cast<double>(each.count);
  const double part = before + more > 0 ? more / (before + more) : 0;
  into.count += each.count;
  verifier::PathCost& path = into.path;
  path.classic = widest(path.classic, each.path.classic);
  if (path.ebpf && each.path.ebpf) path.ebpf = widest(*path.ebpf, *each.path.ebpf);
  path.jumps_taken = widest(path.jumps_taken, each.path.jumps_taken);
  path.arithmetic = widest(path.arithmetic, each.path.arithmetic);
  path.exact = path.exact && each.path.exact && path.classic.least == path.classic.most;
  blend(into.executed, each.executed, part);
  blend(into.time, each.time, part);
  blend(into.machine, each.machine, part);
}

// What predictions are made with.
struct Models {
  const FilterStack& stack;
  const std::optional<TimeModel>& time;
  const std::optional<CountedKernel>& counted;
  Reasons reasons;
};

CallCost cost_of(const Models& models, const verifier::KnownCall& each, std::string name) {
  const FilterStack& stack = models.stack;
  CallCost call;
  call.nr = static_cast<std::uint32_t>(each.data.nr);
  call.name = std::move(name);
  call.count = each.count;
  call.cache = verifier::cache_answer(stack, call.nr);
  call.why = models.reasons.words(call.cache);
  call.path = verifier::path_cost(stack, each);
  if (!call.cache.is_served()) {
    call.executed.most = static_cast<double>(call.path.classic.most);
    if (call.cache.cached != Cached::NotKnown) {
      call.executed.least = static_cast<double>(call.path.classic.least);
    }
  }
  if (models.time) {
    const Parts parts = models.time->parts();
    call.time = added(call, stack.size(), parts, parts.bodies(call.path, stack.size()));
  }
  if (const auto& counted = models.counted) {
    call.machine = added(call, stack.size(), *counted, counted->body(stack, each, call.path));
  }
  return call;
}

Prediction weighed(std::vector<CallCost> calls, bool time, bool counted) {
  Prediction out;
  out.calls = std::move(calls);
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

}  // namespace

Prediction predict(const FilterStack& stack, std::span<const CallCount> calls,
                   const std::optional<TimeModel>& time,
                   const std::optional<CountedKernel>& counted) {
  const Models models{stack, time, counted, Reasons(stack)};
  const std::uint32_t token = info(stack.model().arch).token;
  std::vector<CallCost> out;
  for (const CallCount& each : calls) {
    out.push_back(cost_of(models, verifier::call_of(each.nr, token, each.count), each.name));
  }
  return weighed(std::move(out), time.has_value(), counted.has_value());
}

Prediction predict(const FilterStack& stack, std::span<const verifier::KnownCall> calls,
                   const std::optional<TimeModel>& time,
                   const std::optional<CountedKernel>& counted) {
  const Models models{stack, time, counted, Reasons(stack)};
  const Arch arch = stack.model().arch;
  const std::uint32_t token = info(arch).token;
  std::vector<CallCost> out;
  std::map<std::uint32_t, std::size_t> places;
  for (const verifier::KnownCall& each : calls) {
    const auto nr = static_cast<std::uint32_t>(each.data.nr);
    if (each.data.arch != token || arch_of_call(token, nr) != arch) continue;
    const auto name = syscall_name(arch, nr);
    CallCost cost = cost_of(
        models, each, name ? std::string(*name) : std::to_string(static_cast<std::int32_t>(nr)));
    const auto [place, fresh] = places.try_emplace(nr, out.size());
    if (fresh) {
      out.push_back(std::move(cost));
    } else {
      join(out[place->second], cost);
    }
  }
  return weighed(std::move(out), time.has_value(), counted.has_value());
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
