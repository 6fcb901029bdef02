#include "harness/coverage/cases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <tuple>

#include "harness/coverage/calls.hpp"
#include "harness/coverage/execution_paths.hpp"
#include "harness/coverage/neighbours.hpp"
#include "harness/coverage/reach.hpp"
#include "harness/coverage/relatives.hpp"
#include "harness/coverage/run.hpp"
#include "harness/report/explanation.hpp"
#include "harness/suite/explicit_call.hpp"

namespace callgate::coverage {
namespace {

using verifier::Diagrams;
using verifier::Ending;
using verifier::Space;
using Ref = Space::Ref;
using Way = Target::Way;

// What is made on top of what the analysis has used up.
constexpr std::size_t kReserve = 2'000'000;
// How often it is asked whether a call could come to one thing more.
constexpr std::size_t kMostAdditions = 300'000;

std::string words(const Target& target, const FilterStack& stack) {
  std::string out = stack.size() > 1 ? fmt::format("filter {}, ", target.filter) : std::string();
  out += fmt::format("instruction {}", target.instruction);
  if (target.way == Way::Taken) out += ", taken";
  if (target.way == Way::NotTaken) out += ", not taken";
  return out;
}

// A call, and all that it comes to.
struct Ran {
  SeccompData data;
  std::vector<std::size_t> targets;  // by rising place
};

class Finder {
 public:
  Finder(const FilterStack& stack, verifier::Endings& endings,
         const verifier::StackMeaning& meaning, const CaseOptions& options)
      : stack_(stack),
        endings_(endings),
        space_(endings.space()),
        meaning_(meaning),
        options_(options),
        choice_(space_, stack.model(), options.abis) {
    for (std::size_t filter = 0; filter < stack.size(); ++filter) {
      jumps_.emplace_back(stack.program(filter));
    }
    list_targets();
  }

  Cases find() {
    switch (options_.per) {
      case Per::Branch:
        find_branches();
        break;
      case Per::Path:
        find_paths();
        break;
      case Per::Verdict:
        find_verdicts();
        break;
    }
    check_and_describe();
    if (options_.neighbours) add_neighbours();
    if (options_.neighbours) add_relatives();
    return std::move(out_);
  }

 private:
  // Everything that there is to come to: its condition among the calls that are meant.
  struct Goal {
    Target target;
    Ref condition = 0;
    bool all = true;  // no other calls come there
    bool found = false;
  };

  void list_targets() {
    for (std::size_t filter = 0; filter < stack_.size(); ++filter) {
      const verifier::ProgramMeaning& its = meaning_.filters[filter];
      const std::size_t length = stack_.program(filter).size();
      const std::size_t known = followed_before(endings_, its, length);
      first_goal_.emplace_back();
      for (std::size_t at = 0; at < length; ++at) {
        first_goal_.back().push_back(goals_.size());
        const auto add = [&](Way way, Ref condition) {
          const Ref meant = space_.diagrams().both(condition, choice_.meant());
          goals_.push_back({{filter, at, way}, meant, at < known});
        };
        add(Way::Executed, its.reached[at]);
        if (!jumps_[filter].is_branch(at)) continue;
        add(Way::Taken, its.taken[at]);
        add(Way::NotTaken, its.not_taken[at]);
      }
    }
  }

  // All goals that a call comes to.
  std::vector<std::size_t> goals_of(const SeccompData& data) const {
    std::vector<std::size_t> out;
    for (std::size_t filter = 0; filter < stack_.size(); ++filter) {
      Tally tally(stack_.program(filter).size());
      (void)counted(stack_.program(filter), data, stack_.model(), jumps_[filter], tally);
      for (std::size_t at = 0; at < tally.executed.size(); ++at) {
        if (tally.executed[at] == 0) continue;
        const std::size_t goal = first_goal_[filter][at];
        out.push_back(goal);
        if (!jumps_[filter].is_branch(at)) continue;
        // A fault cannot be at a jump: each has one of both directions.
        out.push_back(goal + (tally.taken[at] > 0 ? 1 : 2));
      }
    }
    return out;
  }

  void keep(const SeccompData& data) {
    for (const Ran& each : ran_) {
      if (each.data == data) return;
    }
    ran_.push_back({data, goals_of(data)});
    for (const std::size_t goal : ran_.back().targets) goals_[goal].found = true;
  }

  // From the end of the programs: what leads to a goal is covered along with it.
  void find_branches() {
    std::size_t additions = 0;
    for (std::size_t i = goals_.size(); i-- > 0;) {
      if (goals_[i].found || goals_[i].condition == Diagrams::kFalse) continue;
      std::optional<SeccompData> call;
      try {
        Ref condition = choice_.most_welcome(goals_[i].condition);
        for (std::size_t j = i; j-- > 0 && additions < kMostAdditions;) {
          if (goals_[j].found || goals_[j].condition == Diagrams::kFalse) continue;
          ++additions;
          const Ref with = space_.diagrams().both(condition, goals_[j].condition);
          if (with != Diagrams::kFalse) condition = with;
        }
        call = space_.find(condition);
        if (!call) call = choice_.find(goals_[i].condition);
      } catch (const Diagrams::Full&) {
        call = space_.find(goals_[i].condition);
      }
      if (call) keep(*call);
    }
    leave_out_needless();
  }

  // A call whose goals others come to as well is not needed.
  void leave_out_needless() {
    std::vector<std::size_t> times(goals_.size(), 0);
    for (const Ran& each : ran_) {
      for (const std::size_t goal : each.targets) ++times[goal];
    }
    std::erase_if(ran_, [&](const Ran& each) {
      const bool needless =
          std::ranges::all_of(each.targets, [&](std::size_t goal) { return times[goal] > 1; });
      if (needless) {
        for (const std::size_t goal : each.targets) --times[goal];
      }
      return needless;
    });
  }

  void find_paths() {
    std::size_t paths = 0;
    std::size_t not_found = 0;
    bool all = true;
    try {
      all = for_each_execution(stack_, space_, meaning_, choice_.meant(), [&](Ref condition) {
        if (++paths > options_.most_paths) return false;
        if (const auto call = choice_.find(condition)) {
          ran_.push_back({*call, goals_of(*call)});
        } else {
          ++not_found;
        }
        return true;
      });
    } catch (const Diagrams::Full&) {
      out_.left_out.emplace_back("further paths: their conditions are too complicated");
    }
    if (!all) {
      out_.left_out.push_back(
          fmt::format("there are more than {} paths; these are the first", options_.most_paths));
    }
    if (not_found > 0) {
      out_.left_out.push_back(
          fmt::format("paths for which no call was found, and which may have none: {}", not_found));
    }
    for (const Ran& each : ran_) {
      for (const std::size_t goal : each.targets) goals_[goal].found = true;
    }
  }

  void find_verdicts() {
    Diagrams& diagrams = space_.diagrams();
    for (const Ref end : diagrams.ends(meaning_.verdict)) {
      const Ending& ending = endings_.at(end);
      if (ending.kind == Ending::Kind::NotFollowed) continue;
      std::optional<SeccompData> call;
      try {
        const Ref condition = diagrams.changed(meaning_.verdict, [&](std::uint32_t number) {
          return diagrams.end(number) == end ? Diagrams::kTrue : Diagrams::kFalse;
        });
        const Ref meant = diagrams.both(condition, choice_.meant());
        if (meant == Diagrams::kFalse) continue;
        call = choice_.find(meant);
      } catch (const Diagrams::Full&) {
        call.reset();
      }
      if (call) {
        keep(*call);
      } else {
        out_.left_out.emplace_back("a verdict for which no call was found");
      }
    }
  }

  std::size_t abi_place(const SeccompData& data) const {
    const auto abi = arch_of_call(data.arch, static_cast<std::uint32_t>(data.nr));
    if (!abi) return arches().size() + 100;
    const std::vector<Arch> own = report::abis_of(stack_.model().arch);
    const auto place = std::ranges::find(own, *abi);
    if (place != own.end()) return static_cast<std::size_t>(place - own.begin());
    return own.size() + static_cast<std::size_t>(*abi);
  }

  auto order_of(const SeccompData& data) const {
    return std::tuple(abi_place(data), data.arch, static_cast<std::uint32_t>(data.nr), data.args,
                      data.instruction_pointer);
  }

  Case described(const SeccompData& data) const {
    Case out;
    out.data = data;
    bool open = false;
    for (std::size_t filter = 0; filter < stack_.size(); ++filter) {
      const reference::Result result = reference::run(stack_.program(filter), data, stack_.model());
      open = open || result.fault != reference::Fault::None;
      out.ends_at.push_back(result.last);
    }
    if (!open) out.verdict = stack_.run(data);
    return out;
  }

  // What was found, in order; that it holds what was promised is made sure.
  void check_and_describe() {
    std::ranges::sort(ran_, {}, [&](const Ran& each) { return order_of(each.data); });
    std::set<std::size_t> covered;
    for (const Ran& each : ran_) {
      Case made = described(each.data);
      for (const std::size_t goal : each.targets) {
        const Goal& its = goals_[goal];
        if (its.all && !space_.holds(its.condition, each.data)) {
          throw std::logic_error(
              fmt::format("{} comes to {}, and the analysis says that it does "
                          "not",
                          suite::explicit_call_text(each.data, stack_.model().arch),
                          words(its.target, stack_)));
        }
        const bool fresh = covered.insert(goal).second;
        const bool told = options_.per == Per::Path ? its.target.way == Way::Taken : fresh;
        if (told) made.covers.push_back(its.target);
      }
      out_.cases.push_back(std::move(made));
    }
    out_.targets = covered.size();
    for (std::size_t goal = 0; goal < goals_.size(); ++goal) {
      const Goal& its = goals_[goal];
      if (its.condition == Diagrams::kFalse && its.all) {
        out_.unreachable.push_back(its.target);
      } else if (options_.per == Per::Branch && !covered.contains(goal)) {
        not_covered(its);
      }
    }
    if (meaning_.not_followed != Diagrams::kFalse) {
      out_.left_out.emplace_back("not all ways through the filters could be followed");
    }
  }

  void not_covered(const Goal& goal) {
    if (goal.condition != Diagrams::kFalse && !space_.has_opaque(goal.condition)) {
      throw std::logic_error(
          fmt::format("{} can be reached, and no call does", words(goal.target, stack_)));
    }
    out_.left_out.push_back(fmt::format(
        "{}: {}", words(goal.target, stack_),
        goal.condition == Diagrams::kFalse
            ? "the analysis gave up before it came there"
            : "no call was found that comes there, and it is not proved that there is none"));
  }

  void add_neighbours() {
    std::set<std::tuple<std::int32_t, std::uint32_t, std::uint64_t, std::array<std::uint64_t, 6>>>
        there;
    const auto is_new = [&](const SeccompData& data) {
      return there.emplace(data.nr, data.arch, data.instruction_pointer, data.args).second;
    };
    for (const Case& each : out_.cases) (void)is_new(each.data);
    std::vector<Case> all;
    std::size_t count = 0;
    std::size_t without = 0;
    for (Case& each : out_.cases) {
      const std::size_t place = all.size();
      all.push_back(std::move(each));
      std::vector<SeccompData> beside;
      try {
        if (count < options_.most_neighbours) {
          beside = neighbours_of(space_, stack_, meaning_, all[place].data);
        } else {
          ++without;
        }
      } catch (const Diagrams::Full&) {
        ++without;
      }
      for (const SeccompData& data : beside) {
        if (!is_new(data)) continue;
        Case fresh = described(data);
        fresh.neighbour_of = place;
        all.push_back(std::move(fresh));
        ++count;
      }
    }
    out_.cases = std::move(all);
    if (without > 0) {
      out_.left_out.push_back(fmt::format("the neighbours of {} calls", without));
    }
  }

  void add_relatives() {
    std::vector<SeccompData> calls;
    for (const Case& each : out_.cases) calls.push_back(each.data);
    for (Relative& each : relatives_of(stack_, calls, options_.abis)) {
      const bool there = std::ranges::find(calls, each.data) != calls.end();
      if (there) continue;
      Case made = described(each.data);
      made.relative = std::move(each.why);
      out_.cases.push_back(std::move(made));
    }
  }

  const FilterStack& stack_;
  verifier::Endings& endings_;
  Space& space_;
  const verifier::StackMeaning& meaning_;
  CaseOptions options_;
  Choice choice_;
  std::vector<Jumps> jumps_;
  std::vector<Goal> goals_;
  std::vector<std::vector<std::size_t>> first_goal_;  // by filter and instruction
  std::vector<Ran> ran_;
  Cases out_;
};

}  // namespace

std::string_view to_string(Per per) noexcept {
  switch (per) {
    case Per::Branch:
      return "branch";
    case Per::Path:
      return "path";
    case Per::Verdict:
      return "verdict";
  }
  return "";
}

Cases cases_of(const FilterStack& stack, verifier::Endings& endings,
               const verifier::StackMeaning& meaning, const CaseOptions& options) {
  Diagrams& diagrams = endings.space().diagrams();
  const Diagrams::Budget before = diagrams.allow_more(kReserve);
  Cases out;
  try {
    out = Finder(stack, endings, meaning, options).find();
  } catch (const Diagrams::Full&) {
    out = {};
    out.left_out.emplace_back("everything: the conditions of the filters are too complicated");
  }
  diagrams.allow(before);
  return out;
}

}  // namespace callgate::coverage
