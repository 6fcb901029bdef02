#include "verifier/rewrite.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "verifier/cache.hpp"
#include "verifier/check.hpp"
#include "verifier/decision_graph.hpp"
#include "verifier/decision_table.hpp"
#include "verifier/lower_table.hpp"
#include "verifier/reduce.hpp"
#include "vm/outcome.hpp"

namespace callgate::verifier {
namespace {

using Ref = Space::Ref;

// The share of calls that the workload does not have, whatever they are: what is never seen is
// kept short and in balance by it. It counts in no figure that is given.
constexpr double kUnseen = 0.001;
// Longer programs are not put to reduced(): it would take too long.
constexpr std::size_t kMostReduced = 1024;
// What sums of shares may be off by.
constexpr double kRounding = 1e-9;

constexpr std::string_view kTooComplicated = "the conditions are too complicated";

// Which words a program may load.
KnownWords words_of(std::span<const Instruction> program, ByteOrder order) {
  KnownWords words = 0;
  for (const Instruction& each : program) {
    if (each.code == static_cast<std::uint16_t>(Opcode::LdAbs)) {
      words = static_cast<KnownWords>(words | 1U << word_bit(each.k, order));
    }
  }
  return words;
}

// The calls with what no filter looks at taken out, each once; weights are shares of all.
std::vector<WeighedCall> weighed(std::span<const KnownCall> workload, KnownWords looked_at) {
  using Key = std::tuple<KnownWords, std::int32_t, std::uint32_t, std::uint64_t,
                         std::array<std::uint64_t, 6>>;
  std::map<Key, double> counts;
  double all = 0;
  for (const KnownCall& each : workload) {
    const auto known = static_cast<KnownWords>(each.known & looked_at);
    const auto masked = [&](std::uint64_t value, unsigned word) {
      const std::uint64_t low = (known >> word & 1U) != 0 ? 0xffffffffU : 0;
      const std::uint64_t high = (known >> (word + 1) & 1U) != 0 ? 0xffffffff00000000U : 0;
      return value & (low | high);
    };
    std::array<std::uint64_t, 6> args{};
    for (unsigned i = 0; i < 6; ++i) args[i] = masked(each.data.args[i], 4 + 2 * i);
    const auto count = static_cast<double>(each.count);
    counts[{known, (known & kNumberKnown) != 0 ? each.data.nr : 0,
            (known & kArchKnown) != 0 ? each.data.arch : 0,
            masked(each.data.instruction_pointer, 2), args}] += count;
    all += count;
  }
  std::vector<WeighedCall> calls;
  for (const auto& [key, count] : counts) {
    WeighedCall made;
    const auto& [known, nr, arch, pointer, args] = key;
    made.call.known = known;
    made.call.data.nr = nr;
    made.call.data.arch = arch;
    made.call.data.instruction_pointer = pointer;
    made.call.data.args = args;
    if (all > 0) made.weight = count / all;
    calls.push_back(made);
  }
  return calls;
}

// A number of an ABI: its token comes first.
using Number = std::pair<std::uint32_t, std::uint32_t>;

// Numbers that the cache may hold, and that are plainly allowed whatever the arguments are.
std::set<Number> cacheable_numbers(const Endings& endings, const KernelModel& model, Ref value,
                                   std::span<const WeighedCall> calls) {
  const Space& space = endings.space();
  std::set<Arch> abis{model.arch};
  if (model.arch == Arch::X86_64) abis.insert(Arch::X86);
  for (const WeighedCall& each : calls) {
    if ((each.call.known & kArchKnown) == 0) continue;
    if (const auto arch = arch_from_token(each.call.data.arch)) abis.insert(*arch);
  }
  std::set<Number> numbers;
  for (const Arch arch : abis) {
    KernelModel abi = model;
    abi.arch = arch;
    const auto range = cache_range(abi);
    if (!range) continue;
    const std::uint32_t token = info(arch).token;
    const Ref of_abi = space.fixed(value, Field::Arch, token);
    for (std::uint32_t nr = 0; nr < range->surely; ++nr) {
      const Ref end = space.fixed(of_abi, Field::Nr, nr);
      if (!space.diagrams().is_end(end)) continue;
      const Ending& ending = endings.at(end);
      if (ending.kind != Ending::Kind::Value) continue;
      const auto constant = space.terms().value(ending.value);
      if (constant == static_cast<std::uint32_t>(Action::Allow)) numbers.emplace(token, nr);
    }
  }
  return numbers;
}

// What programs cost together, and what of them is served.
struct Figures {
  double cost = 0;
  double run = 0;
  std::size_t cached = 0;
};

class Judge {
 public:
  Judge(const KernelModel& model, const Prices& prices, std::span<const WeighedCall> calls,
        const std::set<Number>& cacheable)
      : model_(model), prices_(prices), calls_(calls), cacheable_(cacheable) {}

  [[nodiscard]] Figures figures(std::span<const CheckedProgram> programs,
                                Profile* profile = nullptr) const {
    Figures figures;
    std::vector<WeighedCall> run;
    for (const WeighedCall& each : calls_) {
      if (is_served(programs, model_, each.call)) continue;
      run.push_back(each);
      figures.run += each.weight;
    }
    for (const CheckedProgram& each : programs) {
      figures.cost += expected_cost(each.instructions(), model_, run, prices_, profile);
    }
    for (const auto& [token, nr] : cacheable_) {
      const bool cached = std::ranges::all_of(programs, [&](const CheckedProgram& each) {
        return emulate(each.instructions(), nr, token).cached == Cached::Yes;
      });
      if (cached) ++figures.cached;
    }
    return figures;
  }

 private:
  const KernelModel& model_;
  Prices prices_;
  std::span<const WeighedCall> calls_;
  const std::set<Number>& cacheable_;
};

struct Candidate {
  CheckedProgram program;
  RewriteOrigin origin = RewriteOrigin::Trees;
  bool by_workload = false;
  Figures figures;
};

class Rewriter {
 public:
  Rewriter(Endings& endings, const FilterStack& stack, Ref value,
           std::span<const KnownCall> workload, const RewriteOptions& options)
      : endings_(endings), model_(stack.model()), value_(value), options_(options) {
    KnownWords looked_at = kNumberKnown | kArchKnown;
    for (std::size_t filter = 0; filter < stack.size(); ++filter) {
      programs_.push_back(stack.checked(filter));
      looked_at = static_cast<KnownWords>(
          looked_at | words_of(programs_.back().instructions(), byte_order(model_.arch)));
    }
    calls_ = weighed(workload, looked_at);
    cacheable_ = cacheable_numbers(endings, model_, value, calls_);
  }

  std::expected<Rewritten, std::string> made() {
    const Judge judge(model_, options_.prices, calls_, cacheable_);
    const Figures before = judge.figures(programs_);
    const std::string reason = find(judge);
    const Candidate* best = nullptr;
    const auto objective = [&](const Candidate& each) {
      const auto program = each.program.instructions();
      const WeighedCall call = unseen();
      return each.figures.cost + options_.size_price * static_cast<double>(program.size()) +
             expected_cost(program, model_, std::span(&call, 1), options_.prices);
    };
    // One that lets the cache serve all that it can, if there is one as cheap as the stack.
    for (const bool all_cached : {true, false}) {
      for (const Candidate& each : candidates_) {
        if (each.figures.cost > before.cost + kRounding) continue;
        if (all_cached && each.figures.cached < cacheable_.size()) continue;
        if (best == nullptr || objective(each) < objective(*best)) best = &each;
      }
      if (best != nullptr) break;
    }
    if (best == nullptr) {
      return std::unexpected(candidates_.empty()
                                 ? reason
                                 : "no single program that was found is as cheap for this workload "
                                   "as the filters are");
    }
    if (!proved_same(endings_, best->program, value_)) {
      return std::unexpected(
          "the program that was made could not be proved to do the same; it was not taken");
    }
    Rewritten out{best->program, best->origin, best->by_workload};
    out.cost_before = before.cost;
    out.cost_after = best->figures.cost;
    out.run_before = before.run;
    out.run_after = best->figures.run;
    out.cacheable = cacheable_.size();
    out.cached_before = before.cached;
    out.cached_after = best->figures.cached;
    return out;
  }

 private:
  // Returns why the first of them, which is made for the workload, is not there.
  std::string find(const Judge& judge) {
    const std::string reason = find_graphs(judge);
    try {
      constexpr std::array<Arch, 0> kNone{};
      const DecisionTable table = decision_table(endings_, value_, kNone);
      const auto lowered = lower_table(endings_, table, byte_order(model_.arch));
      if (lowered) add(judge, *lowered, RewriteOrigin::Table);
    } catch (const Diagrams::Full&) {
      // There are others.
    }
    if (programs_.size() == 1) {
      const auto instructions = programs_.front().instructions();
      if (instructions.size() <= kMostReduced) {
        const Reduced shorter = reduced(programs_.front());
        if (!shorter.steps.empty()) {
          const auto left = shorter.program.instructions();
          add(judge, {left.begin(), left.end()}, RewriteOrigin::Reduced);
        }
      }
      add(judge, {instructions.begin(), instructions.end()}, RewriteOrigin::Original);
    }
    return reason;
  }

  // Returns why there is none of trees.
  std::string find_graphs(const Judge& judge) {
    std::vector<WeighedCall> run;
    for (const WeighedCall& each : calls_) {
      if (!is_left_out(each.call)) run.push_back(each);
    }
    run.push_back(unseen());
    GraphOptions options;
    options.prices = options_.prices;
    options.size_price = options_.size_price;
    DecisionGraph tests(endings_, model_, options);
    if (const auto start = tests.made_of_tests(value_, run)) {
      const auto program = laid_out(tests.graph(), *start);
      if (program) add(judge, *program, RewriteOrigin::Tests);
    }
    std::string reason = "the kernel would not take it";
    // Where it gets too long, size counts for more.
    for (const double size_price : {options_.size_price, 0.01, 1.0}) {
      if (size_price < options_.size_price) continue;
      options.size_price = size_price;
      try {
        DecisionGraph trees(endings_, model_, options);
        const auto program = laid_out(trees.graph(), trees.made(value_, run));
        if (program && program->size() <= options_.most_instructions) {
          add(judge, *program, RewriteOrigin::Trees);
          return reason;
        }
        reason = "it would be longer than is allowed";
      } catch (const NotDecided& why) {
        return why.reason;
      } catch (const Diagrams::Full&) {
        return std::string(kTooComplicated);
      }
    }
    return reason;
  }

  [[nodiscard]] static WeighedCall unseen() {
    WeighedCall made;
    made.call.known = 0;
    made.weight = kUnseen;
    return made;
  }

  // A call that no filter is run for once all is cached that can be.
  [[nodiscard]] bool is_left_out(const KnownCall& call) const {
    constexpr KnownWords kBoth = kNumberKnown | kArchKnown;
    if ((call.known & kBoth) != kBoth) return false;
    if (is_exempt(call.data, model_)) return true;
    return cacheable_.contains({call.data.arch, static_cast<std::uint32_t>(call.data.nr)});
  }

  void add(const Judge& judge, const Program& program, RewriteOrigin origin) {
    const auto checked = check(program, model_);
    if (!checked || program.size() > options_.most_instructions) return;
    Profile profile;
    const Figures figures = judge.figures(std::span(&*checked, 1), &profile);
    candidates_.push_back({*checked, origin, false, figures});
    const auto turned = by_workload(program, profile);
    if (!turned || turned->size() > options_.most_instructions) return;
    const auto turned_checked = check(*turned, model_);
    if (!turned_checked) return;
    candidates_.push_back(
        {*turned_checked, origin, true, judge.figures(std::span(&*turned_checked, 1))});
  }

  // What most of the workload does after a branch stands behind it, or where a jump that is taken
  // is cheaper, elsewhere.
  [[nodiscard]] std::optional<Program> by_workload(const Program& program,
                                                   const Profile& profile) const {
    const ProgramGraph graph = graph_of(program);
    std::map<FlowId, double> more_taken;
    for (std::size_t i = 0; i < program.size(); ++i) {
      if (find_opcode(program[i].code)->kind != OpcodeKind::Branch) continue;
      if (program[i].jt == program[i].jf) continue;
      more_taken[graph.nodes[i]] += profile.taken[i] - profile.not_taken[i];
    }
    std::vector<bool> taken_follows(graph.nodes.front() + 1);
    for (const auto& [node, more] : more_taken) {
      if (node < taken_follows.size()) {
        taken_follows[node] = options_.prices.jump_taken < 0 ? more < 0 : more > 0;
      }
    }
    return laid_out(graph.graph, graph.nodes.front(), taken_follows);
  }

  Endings& endings_;
  const KernelModel& model_;
  Ref value_;
  const RewriteOptions& options_;
  std::vector<CheckedProgram> programs_;
  std::vector<WeighedCall> calls_;
  std::set<Number> cacheable_;
  std::vector<Candidate> candidates_;
};

}  // namespace

std::string_view to_string(RewriteOrigin origin) noexcept {
  switch (origin) {
    case RewriteOrigin::Trees:
      return "search trees and graphs of tests, made for the workload";
    case RewriteOrigin::Tests:
      return "a graph of tests of all words, made for the workload";
    case RewriteOrigin::Table:
      return "the decision table as it stands";
    case RewriteOrigin::Reduced:
      return "the program, made shorter";
    case RewriteOrigin::Original:
      return "the program as it was";
  }
  return "";
}

std::expected<Rewritten, std::string> rewritten(Endings& endings, const FilterStack& stack,
                                                const StackMeaning& meaning,
                                                std::span<const KnownCall> workload,
                                                const RewriteOptions& options) {
  if (stack.size() == 0) return std::unexpected("there is no filter");
  if (meaning.not_followed != Diagrams::kFalse) {
    return std::unexpected("the analysis did not come to every part of the filters");
  }
  if (auto reason = not_decidable(endings, meaning.value)) {
    return std::unexpected(*std::move(reason));
  }
  try {
    return Rewriter(endings, stack, meaning.value, workload, options).made();
  } catch (const Diagrams::Full&) {
    return std::unexpected(std::string(kTooComplicated));
  }
}

bool proved_same(Endings& endings, const CheckedProgram& program, Ref value) {
  FilterStack alone(program.model());
  if (!alone.push(program)) return false;
  const StackMeaning meaning = meaning_of(endings, alone);
  return meaning.not_followed == Diagrams::kFalse && meaning.value == value;
}

}  // namespace callgate::verifier
