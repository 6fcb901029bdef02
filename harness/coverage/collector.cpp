#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/coverage/calls.hpp"
#include "harness/coverage/coverage.hpp"
#include "harness/coverage/reach.hpp"
#include "harness/coverage/run.hpp"
#include "harness/front_ends/policy_conditions.hpp"
#include "harness/report/words.hpp"
#include "harness/suite/explicit_call.hpp"
#include "harness/suite/vector_writer.hpp"
#include "vm/outcome.hpp"

namespace callgate::coverage {
namespace {

using front_ends::Policy;
using front_ends::PolicyEvaluator;
using verifier::Diagrams;
using verifier::Ending;
using verifier::Holds;
using verifier::Space;
using Ref = Space::Ref;

// What is made for a report on top of what an analysis has used up.
constexpr std::size_t kReserve = 1'000'000;

constexpr std::string_view kProofsTooLarge =
    "the calls that proofs are about are too complicated to be put together";
constexpr std::string_view kTooComplicated = "the calls that come here are too complicated";
constexpr std::string_view kNoCallFound =
    "no call was found that comes here, and it is not proved that there is none";

// One filter of the stack, and what its runs came to.
struct Filter {
  Filter(const filters::FilterFile& its_file, std::span<const Instruction> program)
      : file(&its_file), jumps(program), tally(program.size()) {
    if (!its_file.policy) return;
    evaluator.emplace(*its_file.policy);
    decided.resize(its_file.policy->rules.size());
    differs.resize(decided.size());
  }

  const filters::FilterFile* file;
  Jumps jumps;
  Tally tally;
  std::optional<PolicyEvaluator> evaluator;
  std::vector<std::uint64_t> decided;               // inputs, by rule of the policy
  std::vector<std::optional<SeccompData>> differs;  // a call that the program says otherwise of
};

std::string call_of(const front_ends::Rule& rule) {
  return rule.number ? fmt::format("{}", *rule.number) : rule.syscall;
}

}  // namespace

class Collector::Impl {
 public:
  Impl(std::span<const filters::FilterFile> files, const FilterStack& stack,
       verifier::Endings& endings, const verifier::StackMeaning& meaning)
      : stack_(stack), endings_(endings), meaning_(meaning) {
    filters_.reserve(files.size());
    for (std::size_t i = 0; i < files.size(); ++i) {
      filters_.emplace_back(files[i], stack.program(i));
    }
  }

  void add(const SeccompData& data) {
    ++inputs_;
    if (is_exempt(data, stack_.model())) return;
    for (std::size_t i = 0; i < filters_.size(); ++i) {
      Filter& filter = filters_[i];
      const reference::Result result =
          counted(stack_.program(i), data, stack_.model(), filter.jumps, filter.tally);
      if (!filter.evaluator || result.fault != reference::Fault::None) continue;
      const front_ends::Decision decision = filter.evaluator->evaluate(data);
      if (!decision.rule || !decision.unknown.empty()) continue;
      if (decision.value == result.value) {
        ++filter.decided[*decision.rule];
      } else if (!filter.differs[*decision.rule]) {
        filter.differs[*decision.rule] = data;
      }
    }
  }

  void add(Ref condition) {
    ++proofs_;
    if (std::ranges::find(conditions_, condition) == conditions_.end()) {
      conditions_.push_back(condition);
    }
  }

  Report report() {
    Diagrams& diagrams = endings_.space().diagrams();
    const Diagrams::Budget before = diagrams.allow_more(kReserve);
    Report out;
    out.inputs = inputs_;
    out.proofs = proofs_;
    unite();
    make_choice();
    for (std::size_t i = 0; i < filters_.size(); ++i) {
      add_program(i, out);
      add_rules(i, out);
    }
    diagrams.allow(before);
    return out;
  }

 private:
  // Two by two, so that what is put together grows late.
  void unite() {
    Diagrams& diagrams = endings_.space().diagrams();
    while (conditions_.size() > 1 && !proofs_lost_) {
      std::vector<Ref> next;
      try {
        for (std::size_t i = 0; i < conditions_.size(); i += 2) {
          next.push_back(i + 1 == conditions_.size()
                             ? conditions_[i]
                             : diagrams.either(conditions_[i], conditions_[i + 1]));
        }
        conditions_ = std::move(next);
      } catch (const Diagrams::Full&) {
        proofs_lost_ = true;
      }
    }
  }

  void make_choice() {
    if (choice_) return;
    try {
      choice_.emplace(endings_.space(), stack_.model());
    } catch (const Diagrams::Full&) {
      choice_.reset();
    }
  }

  // What is known of calls for which a condition holds. `all`: the condition says all there is;
  // otherwise there may be more such calls. `comes(call)`: whether running it shows it.
  template <typename Comes>
  Point point(std::uint64_t inputs, Ref condition, bool all, const Comes& comes) {
    Point out;
    out.inputs = inputs;
    if (inputs > 0) out.state = State::Covered;
    try {
      if (!choice_) throw Diagrams::Full{};
      Diagrams& diagrams = endings_.space().diagrams();
      const Ref meant = diagrams.both(condition, choice_->meant());
      for (const Ref proved : conditions_) {
        if (out.proved) break;
        out.proved = endings_.space().holds_ever(diagrams.both(meant, proved)) == Holds::Sometimes;
      }
      if (out.proved) out.state = State::Covered;
      if (out.state == State::Covered) return out;
      not_covered(out, meant, all, comes);
    } catch (const Diagrams::Full&) {
      if (out.state != State::Covered) out.why = kTooComplicated;
    }
    return out;
  }

  template <typename Comes>
  void not_covered(Point& out, Ref meant, bool all, const Comes& comes) {
    if (meant == Diagrams::kFalse) {
      out.state = all ? State::Unreachable : State::NotKnown;
      if (!all) out.why = "the analysis gave up before it came here";
      return;
    }
    if (proofs_lost_) {
      out.why = kProofsTooLarge;
      return;
    }
    const auto call = choice_->find(meant);
    if (!call || !comes(*call)) {
      out.why = kNoCallFound;
      return;
    }
    const bool own = endings_.space().holds(choice_->own(), *call);
    const bool foreign_alone =
        !own && all && endings_.space().diagrams().both(meant, choice_->own()) == Diagrams::kFalse;
    out.state = foreign_alone ? State::Foreign : State::NotVisited;
    out.would = call;
  }

  void add_program(std::size_t i, Report& out) {
    const Filter& filter = filters_[i];
    const verifier::ProgramMeaning& meaning = meaning_.filters[i];
    const std::span<const Instruction> program = stack_.program(i);
    ProgramCoverage made;
    made.file = filter.file->path;
    made.arch = stack_.model().arch;
    made.kernels = {stack_.model().version};
    made.program.assign(program.begin(), program.end());
    const std::size_t known = followed_before(endings_, meaning, program.size());
    for (std::size_t at = 0; at < program.size(); ++at) {
      const bool all = at < known;
      const auto ran = [&](const SeccompData& call) {
        Tally tally(program.size());
        (void)counted(program, call, stack_.model(), filter.jumps, tally);
        return tally;
      };
      made.instructions.push_back(
          point(filter.tally.executed[at], meaning.reached[at], all,
                [&](const SeccompData& call) { return ran(call).executed[at] > 0; }));
      if (!filter.jumps.is_branch(at)) continue;
      const std::uint64_t taken = filter.tally.taken[at];
      Branch branch;
      branch.taken = point(taken, meaning.taken[at], all,
                           [&](const SeccompData& call) { return ran(call).taken[at] > 0; });
      branch.not_taken = point(filter.tally.executed[at] - taken, meaning.not_taken[at], all,
                               [&](const SeccompData& call) {
                                 const Tally tally = ran(call);
                                 return tally.executed[at] > tally.taken[at];
                               });
      made.branches.emplace(at, std::move(branch));
    }
    Report one;
    one.programs.push_back(std::move(made));
    out.merge(one);
  }

  // Where a program returns a value.
  Ref returns(std::size_t i, std::uint32_t value) {
    Space& space = endings_.space();
    const verifier::TermId wanted = space.terms().constant(value);
    return space.diagrams().changed(meaning_.filters[i].value, [&](std::uint32_t number) {
      const Ending& ending = endings_.at(space.diagrams().end(number));
      if (ending.kind != Ending::Kind::Value) return Diagrams::kFalse;
      return space.compared(Test::Equal, ending.value, wanted);
    });
  }

  void add_rules(std::size_t i, Report& out) {
    const Filter& filter = filters_[i];
    if (!filter.evaluator) return;
    const Policy& policy = *filter.file->policy;
    std::vector<front_ends::RuleCalls> calls;
    std::map<std::uint32_t, Ref> where;
    try {
      calls = front_ends::calls_of_rules(endings_.space(), policy);
      for (const front_ends::Rule& rule : policy.rules) {
        if (!where.contains(rule.value)) where.emplace(rule.value, returns(i, rule.value));
      }
    } catch (const Diagrams::Full&) {
      calls.clear();
    }
    Report rules;
    for (std::size_t at = 0; at < policy.rules.size(); ++at) {
      const front_ends::Rule& rule = policy.rules[at];
      // What stands nowhere is the tool's own: nobody wrote it.
      if (rule.place.line == 0) continue;
      RuleCoverage made{filters::file_of(filter.file->path),
                        rule.place.line,
                        rule.place.column,
                        call_of(rule),
                        stack_.model().arch,
                        {},
                        {}};
      made.point.inputs = filter.decided[at];
      if (made.point.inputs > 0) made.point.state = State::Covered;
      if (calls.empty()) {
        if (made.point.inputs == 0) made.point.why = kTooComplicated;
        if (filter.differs[at]) made.differs = difference(i, rule, *filter.differs[at]);
      } else {
        look_at_rule(i, at, calls[at], where.at(rule.value), made);
      }
      Report one;
      one.rules.push_back(std::move(made));
      rules.merge(one);
    }
    out.merge(rules);
  }

  void look_at_rule(std::size_t i, std::size_t at, const front_ends::RuleCalls& calls, Ref value,
                    RuleCoverage& made) {
    const Filter& filter = filters_[i];
    const front_ends::Rule& rule = filter.file->policy->rules[at];
    Space& space = endings_.space();
    const bool all = meaning_.filters[i].not_followed == Diagrams::kFalse;
    try {
      const Ref decides = space.diagrams().both(calls.decides, value);
      made.point = point(filter.decided[at], decides, all, [&](const SeccompData& call) {
        const front_ends::Decision decision = filter.evaluator->evaluate(call);
        return decision.rule == at &&
               reference::run(stack_.program(i), call, stack_.model()).value == decision.value;
      });
      std::optional<SeccompData> other = filter.differs[at];
      const Ref otherwise = space.diagrams().without(calls.decides, value);
      if (!other && all && choice_) other = choice_->find(otherwise);
      if (other) made.differs = difference(i, rule, *other);
      if (made.point.state != State::Unreachable) return;
      if (!calls.resolves) {
        made.point.why = "no ABI of the profile has the call";
      } else if (calls.fits == Diagrams::kFalse) {
        made.point.why = "its tests contradict each other";
      } else if (calls.decides == Diagrams::kFalse) {
        made.point.why = "rules before it decide all of its calls";
      } else {
        made.point.why = "the program never does what it says";
      }
    } catch (const Diagrams::Full&) {
      if (made.point.state != State::Covered) made.point.why = kTooComplicated;
    }
  }

  std::string difference(std::size_t i, const front_ends::Rule& rule, const SeccompData& call) {
    const reference::Result result = reference::run(stack_.program(i), call, stack_.model());
    if (result.fault != reference::Fault::None || result.value == rule.value) return {};
    return fmt::format("{} gets {} by the profile, and {} by the program",
                       suite::explicit_call_text(call, stack_.model().arch),
                       suite::result_text(rule.value), suite::result_text(result.value));
  }

  const FilterStack& stack_;
  verifier::Endings& endings_;
  const verifier::StackMeaning& meaning_;
  std::vector<Filter> filters_;
  std::optional<Choice> choice_;
  std::vector<Ref> conditions_;
  bool proofs_lost_ = false;  // what is left of them is not all in one
  std::uint64_t inputs_ = 0;
  std::uint64_t proofs_ = 0;
};

Collector::Collector(std::span<const filters::FilterFile> files, const FilterStack& stack,
                     verifier::Endings& endings, const verifier::StackMeaning& meaning)
    : impl_(std::make_unique<Impl>(files, stack, endings, meaning)) {}
Collector::Collector(Collector&&) noexcept = default;
Collector& Collector::operator=(Collector&&) noexcept = default;
Collector::~Collector() = default;

void Collector::add(const SeccompData& data) { impl_->add(data); }
void Collector::add(std::span<const SeccompData> data) {
  for (const SeccompData& each : data) impl_->add(each);
}
void Collector::add(Space::Ref condition) { impl_->add(condition); }
Report Collector::report() { return impl_->report(); }

}  // namespace callgate::coverage
