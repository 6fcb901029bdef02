#include "harness/tune/advice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "harness/cost/cost_words.hpp"
#include "verifier/cache.hpp"
#include "vm/actions.hpp"
#include "vm/opcodes.hpp"

namespace callgate::tune {
namespace {

using cost::middle;
using verifier::Cached;

double percent(double part, double whole) { return whole > 0 ? 100 * part / whole : 0; }

// What a call gets added, in the report's unit.
double cost_of(const cost::CallCost& call, Unit unit) {
  switch (unit) {
    case Unit::Nanoseconds:
      return call.time ? middle(call.time->sum()) : 0;
    case Unit::MachineInstructions:
      return call.machine ? middle(call.machine->sum()) : 0;
    case Unit::Instructions:
      return middle(call.executed);
  }
  return 0;
}

// What it is where the cache serves it.
double served_cost(const Report& report) {
  switch (report.unit) {
    case Unit::Nanoseconds:
      return report.time->cached_ns;
    case Unit::MachineInstructions:
      return report.counted->parts.cached;
    case Unit::Instructions:
      return 0;
  }
  return 0;
}

std::string figure(double value, Unit unit) {
  return fmt::format("{:.1f} {}", value, to_string(unit));
}

// Calls that one place of a filter keeps out of the cache.
struct Blamed {
  std::vector<std::string> names;  // the dearest first, as the prediction has them
  std::uint64_t count = 0;
  double cost = 0;  // beyond what they would cost served
  std::string why;  // of the first
  std::set<std::uint32_t> numbers;
};

std::string names_of(const Blamed& blamed) {
  constexpr std::size_t kShown = 4;
  std::string out;
  for (std::size_t i = 0; i < blamed.names.size() && i < kShown; ++i) {
    out += (i == 0 ? "" : ", ") + blamed.names[i];
  }
  if (blamed.names.size() > kShown) {
    out += fmt::format(" and {} more", blamed.names.size() - kShown);
  }
  return out;
}

// The construct that the kernel's emulator stopped at, in words.
std::string construct(const FilterStack& stack, const verifier::CacheAnswer& answer) {
  if (answer.cached == Cached::NotAllowed) {
    const std::uint32_t action = answer.value & kActionMask;
    if (action == static_cast<std::uint32_t>(Action::Allow)) {
      return "ALLOW has data beside it: return it without, and the cache serves them";
    }
    return "they are not allowed, which is never cached";
  }
  const Instruction& i = stack.program(answer.filter)[answer.instruction];
  const OpcodeInfo& row = *find_opcode(i.code);
  const bool loads = row.kind == OpcodeKind::Load || row.kind == OpcodeKind::LoadX;
  if (loads && row.operand == Operand::Data) {
    if (i.k >= 16) return fmt::format("args[{}] is tested", (i.k - 16) / 8);
    if (i.k >= 8) return "the instruction pointer is tested";
  }
  return "the kernel's emulator does not know this instruction";
}

class Advising {
 public:
  Advising(const FilterStack& stack, const Report& report)
      : stack_(stack), report_(report), original_(report.proposals.front()) {}

  std::vector<Advice> all() {
    if (original_.prediction.totals.calls == 0) {
      out_.push_back({"None of the workload's calls is of this ABI: nothing can be weighed.", 0});
      return std::move(out_);
    }
    whole();
    served();
    blamed();
    one_filter();
    return std::move(out_);
  }

 private:
  [[nodiscard]] double calls() const {
    return static_cast<double>(original_.prediction.totals.calls);
  }

  void whole() {
    std::string words = report_.filters == 1 ? std::string("The filter adds")
                                             : fmt::format("The {} filters add", report_.filters);
    words += fmt::format(" {} to the average call", figure(original_.cost, report_.unit));
    if (report_.time) {
      words += fmt::format("; one that does next to nothing takes {:.0f} ns without them",
                           report_.time->entry_ns);
    }
    out_.push_back({words + ".", original_.cost});
  }

  void served() {
    const std::uint64_t served = original_.prediction.totals.served;
    if (!verifier::cache_range(report_.model)) {
      out_.push_back(
          {"This kernel has no cache of constant actions for this ABI: every call runs "
           "the filters, and the order of numbers counts for all of them.",
           0});
      return;
    }
    if (served == 0) return;
    const double part = static_cast<double>(served) / calls();
    out_.push_back(
        {fmt::format("{:.1f} % of the calls are served by the kernel's cache of constant actions: "
                     "where their numbers stand in the filter costs nothing, and moving them gains "
                     "nothing.",
                     100 * part),
         part * served_cost(report_)});
  }

  // Which constructs keep calls out of the cache.
  void blamed() {
    std::map<std::tuple<std::size_t, std::size_t, Cached>, std::pair<Blamed, verifier::CacheAnswer>>
        places;
    for (const cost::CallCost& call : original_.prediction.calls) {
      const Cached cached = call.cache.cached;
      if (call.count == 0 || (cached != Cached::NotEmulated && cached != Cached::NotAllowed)) {
        continue;
      }
      auto& [blamed, answer] =
          places[{call.cache.filter, call.cache.instruction, call.cache.cached}];
      if (blamed.names.empty()) {
        answer = call.cache;
        blamed.why = call.why;
      }
      blamed.names.push_back(call.name.empty() ? std::to_string(static_cast<std::int32_t>(call.nr))
                                               : call.name);
      blamed.numbers.insert(call.nr);
      blamed.count += call.count;
      blamed.cost += static_cast<double>(call.count) / calls() *
                     (cost_of(call, report_.unit) - served_cost(report_));
    }
    std::vector<Advice> found;
    for (const auto& [place, each] : places) {
      const auto& [blamed, answer] = each;
      std::string words =
          fmt::format("{} ({:.1f} % of the calls) run the filter{}: {} ({})", names_of(blamed),
                      percent(static_cast<double>(blamed.count), calls()),
                      report_.filters == 1 ? "" : "s", construct(stack_, answer), blamed.why);
      if (answer.cached == Cached::NotEmulated) words += after(blamed);
      words += fmt::format("; beyond a served call that is {} of the average call.",
                           figure(blamed.cost, report_.unit));
      found.push_back({std::move(words), blamed.cost});
    }
    constexpr std::size_t kMost = 8;
    std::ranges::sort(found, [](const Advice& a, const Advice& b) {
      return std::tie(b.cost, a.words) < std::tie(a.cost, b.words);
    });
    if (found.size() > kMost) {
      double rest = 0;
      for (std::size_t i = kMost; i < found.size(); ++i) rest += found[i].cost;
      const std::size_t more = found.size() - kMost;
      found.resize(kMost);
      found.push_back({fmt::format("{} more places keep calls out of the cache: {} in all.", more,
                                   figure(rest, report_.unit)),
                       rest});
    }
    out_.insert(out_.end(), found.begin(), found.end());
  }

  // Whether the rewritten filter has them served.
  [[nodiscard]] std::string after(const Blamed& blamed) const {
    const auto found = std::ranges::find(report_.proposals, "rewritten", &Proposal::id);
    if (found == report_.proposals.end() || !found->refused.empty()) return {};
    std::size_t served = 0;
    for (const cost::CallCost& call : found->prediction.calls) {
      served += blamed.numbers.contains(call.nr) && call.cache.is_served() ? 1U : 0U;
    }
    if (served == 0) return "";
    if (served == blamed.numbers.size()) {
      return ", though no argument changes what they get: the rewritten filter has them served";
    }
    return fmt::format(
        ", though for {} of these {} numbers no argument changes what they get: the rewritten "
        "filter has those served",
        served, blamed.numbers.size());
  }

  void one_filter() {
    if (report_.filters < 2) return;
    double each = 0;
    switch (report_.unit) {
      case Unit::Nanoseconds:
        each = report_.time->per_filter_ns;
        break;
      case Unit::MachineInstructions:
        each = report_.counted->parts.per_filter;
        break;
      case Unit::Instructions:
        break;
    }
    const cost::Totals& totals = original_.prediction.totals;
    const double run = static_cast<double>(totals.calls - totals.served) / calls();
    const double saves = each * static_cast<double>(report_.filters - 1) * run;
    std::string words = fmt::format(
        "A call that the cache does not serve runs all {} filters. One filter in place of them",
        report_.filters);
    if (each > 0) {
      words +=
          fmt::format(" saves {} of the average call by that alone", figure(saves, report_.unit));
    }
    const auto found = std::ranges::find(report_.proposals, "rewritten", &Proposal::id);
    if (found != report_.proposals.end() && found->refused.empty()) {
      words += fmt::format("{}, with its instructions {}", each > 0 ? "" : " saves",
                           figure(original_.cost - found->cost, report_.unit));
    } else if (each <= 0) {
      return;
    }
    out_.push_back({words + ".", saves});
  }

  const FilterStack& stack_;
  const Report& report_;
  const Proposal& original_;
  std::vector<Advice> out_;
};

}  // namespace

std::vector<Advice> advice_for(const FilterStack& stack, const Report& report) {
  return Advising(stack, report).all();
}

}  // namespace callgate::tune
