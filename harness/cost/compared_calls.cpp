#include "harness/cost/compared_calls.hpp"

#include <algorithm>
#include <limits>
#include <map>

#include "harness/cost/cache_by_timing.hpp"
#include "harness/cost/conditions.hpp"
#include "harness/cost/probe_filters.hpp"
#include "verifier/cache.hpp"
#include "vm/outcome.hpp"
#include "vm/reference.hpp"

namespace callgate::cost {
namespace {

using verifier::KnownCall;

constexpr verifier::KnownWords kAllArguments = 0xfff0;

void add_to(std::uint64_t& sum, std::uint64_t more) { sum = saturated_sum(sum, more); }

std::uint32_t number_of(const KnownCall& call) { return static_cast<std::uint32_t>(call.data.nr); }

// Why a call is in no figure, whatever the stacks; empty: it may be.
std::string_view unfit(const KnownCall& call, const KernelModel& model) {
  if ((call.known & verifier::kNumberKnown) == 0) return "the number is not known";
  if ((call.known & verifier::kArchKnown) == 0) return "the ABI is not known";
  if (call.data.arch != info(Arch::X86_64).token) return "not a call of x86_64's own ABI";
  if (is_exempt(call.data, model)) return "no filter sees this number";
  return {};
}

class Chooser {
 public:
  Chooser(std::span<const FilterStack* const> stacks, std::span<const KnownCall> workload, int core)
      : stacks_(stacks), workload_(workload), core_(core) {
    out_.counts.resize(workload.size());
    out_.stacks.resize(stacks.size());
    for (const FilterStack* stack : stacks) {
      std::vector<Program>& changed = refusals_.emplace_back();
      for (std::size_t i = 0; i < stack->size(); ++i) {
        changed.push_back(refusing(stack->program(i)));
      }
    }
  }

  std::expected<ComparedCalls, live::LiveError> run() {
    if (conditions(std::nullopt).filters_before != 0) out_.cache_told_by = CacheToldBy::Timing;
    std::vector<std::uint32_t> numbers;
    for (std::size_t call = 0; call < workload_.size(); ++call) {
      const std::string_view why = unfit(workload_[call], stacks_.front()->model());
      if (!why.empty()) {
        leave_out(why, workload_[call].count);
        continue;
      }
      out_.counts[call] = workload_[call].count;
      numbers.push_back(number_of(workload_[call]));
    }
    std::ranges::sort(numbers);
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    for (std::size_t i = 0; i < stacks_.size(); ++i) {
      if (auto error = ask_cache(i, numbers)) return std::unexpected(std::move(*error));
    }
    for (std::size_t call = 0; call < workload_.size(); ++call) {
      if (out_.counts[call] != 0) look_at(call);
    }
    for (std::size_t i = 0; i < stacks_.size(); ++i) weigh(i);
    return std::move(out_);
  }

 private:
  std::optional<live::LiveError> ask_cache(std::size_t which,
                                           std::span<const std::uint32_t> numbers) {
    const FilterStack& stack = *stacks_[which];
    std::map<std::uint32_t, std::optional<bool>> served;
    if (out_.cache_told_by == CacheToldBy::Model) {
      for (const std::uint32_t nr : numbers) {
        const verifier::CacheAnswer answer = verifier::cache_answer(stack, nr);
        if (answer.cached != verifier::Cached::NotKnown) served[nr] = answer.is_served();
      }
    } else {
      std::vector<Program> programs;
      for (std::size_t i = 0; i < stack.size(); ++i) {
        programs.emplace_back(stack.program(i).begin(), stack.program(i).end());
      }
      const auto answers = cached_by_timing(programs, numbers, core_);
      if (!answers) return answers.error();
      for (const CacheAnswer& each : *answers) {
        const bool told = each.cached == Cached::Yes || each.cached == Cached::No;
        if (told) served[each.nr] = each.cached == Cached::Yes;
      }
    }
    for (const KnownCall& each : workload_) {
      out_.stacks[which].cached.push_back(served[number_of(each)]);
    }
    return std::nullopt;
  }

  // Leaves a call out where a stack says nothing of it.
  void look_at(std::size_t call) {
    for (std::size_t i = 0; i < stacks_.size(); ++i) {
      const std::optional<bool>& cached = out_.stacks[i].cached[call];
      std::string_view why;
      if (!cached) {
        why = "whether the cache serves this number is not known";
      } else if (!*cached && !returns(i, call)) {
        why = "a filter ends by a division by 0";
      }
      if (why.empty()) continue;
      add_to(out_.stacks[i].left_out, out_.counts[call]);
      leave_out(why, out_.counts[call]);
      out_.counts[call] = 0;
      return;
    }
    add_to(out_.calls, out_.counts[call]);
    if ((workload_[call].known & kAllArguments) != kAllArguments) {
      add_to(out_.unknown_arguments, out_.counts[call]);
    }
  }

  void leave_out(std::string_view why, std::uint64_t calls) {
    auto known = std::ranges::find(out_.left_out, why, &CallsLeftOut::why);
    if (known == out_.left_out.end()) known = out_.left_out.insert(known, {why, 0});
    add_to(known->calls, calls);
  }

  [[nodiscard]] bool returns(std::size_t which, std::size_t call) const {
    return std::ranges::all_of(refusals_[which], [&](const Program& each) {
      return reference::run(each, workload_[call].data, stacks_[which]->model()).value == kRefusal;
    });
  }

  // What of the workload is cached, and how many instructions run for the rest.
  void weigh(std::size_t which) {
    const FilterStack& stack = *stacks_[which];
    CallsOfStack& row = out_.stacks[which];
    double total = 0;
    double uncached = 0;
    for (std::size_t call = 0; call < workload_.size(); ++call) {
      const auto count = static_cast<double>(out_.counts[call]);
      if (count == 0) continue;
      total += count;
      if (*row.cached[call]) continue;
      uncached += count;
      std::size_t executed = 0;
      for (std::size_t i = 0; i < stack.size(); ++i) {
        executed += reference::run(stack.program(i), workload_[call].data, stack.model()).executed;
      }
      row.executed += count * static_cast<double>(executed);
    }
    if (total == 0) return;
    row.executed /= total;
    row.cached_share = uncached == 0 ? 1 : 1 - uncached / total;
  }

  std::span<const FilterStack* const> stacks_;
  std::span<const KnownCall> workload_;
  int core_;
  std::vector<std::vector<Program>> refusals_{};
  ComparedCalls out_{};
};

}  // namespace

std::uint64_t saturated_sum(std::uint64_t one, std::uint64_t other) noexcept {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  return other > kMost - one ? kMost : one + other;
}

std::expected<ComparedCalls, live::LiveError> compared_calls(
    std::span<const FilterStack* const> stacks, std::span<const KnownCall> workload, int core) {
  return Chooser(stacks, workload, core).run();
}

}  // namespace callgate::cost
