#include "verifier/test_search.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>
#include <unordered_set>
#include <utility>

#include "verifier/paths.hpp"

namespace callgate::verifier {
namespace {

using Ref = Space::Ref;

constexpr std::size_t kMostExact = 9;        // tests
constexpr std::size_t kMostOfAll = 200'000;  // effort for all functions
constexpr std::size_t kNodesOfAnEffort = 64;
constexpr std::size_t kMostChoices = 20'000;
constexpr double kNodesOfATest = 24;  // of a diagram, about

}  // namespace

TestSearch::TestSearch(Endings& endings, FlowGraph& graph, ByteOrder order,
                       const GraphOptions& options, std::function<FlowId(Ref)> end)
    : endings_(endings),
      space_(endings.space()),
      diagrams_(space_.diagrams()),
      graph_(graph),
      order_(order),
      options_(options),
      end_(std::move(end)),
      open_(endings.end({.kind = Ending::Kind::NotFollowed,
                         .filter = {},
                         .reason = "no call comes here: tests have excluded it"})),
      budget_of_all_(kMostOfAll) {}

std::optional<FlowId> TestSearch::found(Ref function, std::span<const WeighedCall> calls,
                                        std::size_t effort) {
  tests_.clear();
  choices_.clear();
  nodes_.clear();
  parted_.clear();
  const auto with_budget = [&](auto&& run) {
    const std::size_t allowed = std::min(effort, budget_of_all_);
    budget_ = allowed;
    bool done = true;
    try {
      run();
    } catch (const GivenUp&) {
      done = false;
    }
    budget_of_all_ -= allowed - budget_;
    return done;
  };
  if (!with_budget([&] { collect(function); })) return std::nullopt;
  const Samples samples = samples_of(calls);
  const std::uint64_t all = (std::uint64_t{1} << tests_.size()) - 1;
  for (const bool exact : {true, false}) {
    if (exact && tests_.size() > kMostExact) continue;
    exact_ = exact;
    choices_.clear();
    if (with_budget([&] { choose(function, {}, samples, all); })) {
      return emitted(function, {}, samples);
    }
  }
  return std::nullopt;
}

std::size_t TestSearch::size_of(Ref function) {
  const auto [place, fresh] = sizes_.try_emplace(function);
  if (fresh) place->second = diagrams_.size(function);
  return place->second;
}

// For parting a function by a test.
void TestSearch::spend(Ref function) {
  const std::size_t work = 1 + size_of(function) / kNodesOfAnEffort;
  if (budget_ < work) throw GivenUp{};
  budget_ -= work;
}

TestSearch::Samples TestSearch::samples_of(std::span<const WeighedCall> calls) const {
  std::map<std::pair<std::uint64_t, std::uint64_t>, double> weights;
  for (const WeighedCall& each : calls) {
    std::uint64_t holds = 0;
    std::uint64_t unknown = 0;
    for (std::size_t i = 0; i < tests_.size(); ++i) {
      const WordTest& test = tests_[i];
      if ((each.call.known >> word_bit(test.offset, order_) & 1U) == 0) {
        unknown |= std::uint64_t{1} << i;
      } else if (callgate::holds(test_of(test.opcode),
                                 load_word(each.call.data, test.offset, order_) & test.mask,
                                 test.k)) {
        holds |= std::uint64_t{1} << i;
      }
    }
    weights[{holds, unknown}] += each.weight;
  }
  Samples samples;
  for (const auto& [key, weight] : weights) samples.push_back({key.first, key.second, weight});
  return samples;
}

std::optional<Ref> TestSearch::only_end(Ref function) {
  const auto [place, fresh] = only_ends_.try_emplace(function);
  if (!fresh) return place->second;
  std::vector<Ref> ends = diagrams_.ends(function);
  std::erase(ends, open_);
  if (ends.size() == 1) place->second = ends.front();
  return place->second;
}

// The function where a test fails, and where it holds.
std::pair<Ref, Ref> TestSearch::parted(Ref function, std::size_t test) {
  const std::pair key{function, test};
  if (const auto found = parted_.find(key); found != parted_.end()) return found->second;
  spend(function);
  const Ref condition = tests_[test].condition;
  const Ref no = simplified(diagrams_.choose(condition, open_, function));
  const Ref yes = simplified(diagrams_.choose(condition, function, open_));
  return parted_.emplace(key, std::pair(no, yes)).first->second;
}

// Without the words whose values lead to nothing different, where they are not excluded.
Ref TestSearch::simplified(Ref function) {
  if (const auto found = simplified_.find(function); found != simplified_.end()) {
    return found->second;
  }
  Ref result = function;
  for (const std::uint32_t place : words_of(diagrams_, function)) {
    std::map<Ref, Ref> known;
    if (const auto less = without_word(result, place * 32, known)) result = *less;
  }
  simplified_.emplace(function, result);
  return result;
}

// Two functions as one, where each is open wherever they differ; else nothing.
std::optional<Ref> TestSearch::merged(Ref a, Ref b, std::map<std::uint64_t, Ref>& known) {
  if (a == b || b == open_) return a;
  if (a == open_) return b;
  if (diagrams_.is_end(a) && diagrams_.is_end(b)) return std::nullopt;
  const std::uint64_t key = static_cast<std::uint64_t>(a) << 32U | b;
  if (const auto found = known.find(key); found != known.end()) return found->second;
  const std::uint32_t top = std::min(diagrams_.variable_of(a), diagrams_.variable_of(b));
  const bool in_a = diagrams_.variable_of(a) == top;
  const bool in_b = diagrams_.variable_of(b) == top;
  const auto no = merged(in_a ? diagrams_.no(a) : a, in_b ? diagrams_.no(b) : b, known);
  if (!no) return std::nullopt;
  const auto yes = merged(in_a ? diagrams_.yes(a) : a, in_b ? diagrams_.yes(b) : b, known);
  if (!yes) return std::nullopt;
  return known.emplace(key, diagrams_.node(top, *no, *yes)).first->second;
}

std::optional<Ref> TestSearch::without_word(Ref function, std::uint32_t first,
                                            std::map<Ref, Ref>& known) {
  const std::uint32_t variable = diagrams_.variable_of(function);
  if (variable >= first + 32) return function;
  if (const auto found = known.find(function); found != known.end()) return found->second;
  const auto no = without_word(diagrams_.no(function), first, known);
  if (!no) return std::nullopt;
  const auto yes = without_word(diagrams_.yes(function), first, known);
  if (!yes) return std::nullopt;
  std::optional<Ref> result;
  if (variable < first) {
    result = diagrams_.node(variable, *no, *yes);
  } else {
    std::map<std::uint64_t, Ref> of_two;
    result = merged(*no, *yes, of_two);
  }
  if (result) known.emplace(function, *result);
  return result;
}

TestSearch::Step TestSearch::step_to(const WordTest& test, const Content& content) const {
  Step step;
  step.after = {test.offset, test.mask};
  // Bits under what A is masked with are there still.
  const bool bits_alone = test.opcode == Opcode::JsetK;
  const std::uint32_t needed = bits_alone ? test.k : test.mask;
  step.load = content.offset != test.offset || (content.mask & needed) != needed;
  if (!step.load && (bits_alone || content.mask == test.mask)) {
    step.after = content;
    return step;
  }
  step.mask = test.mask != ~0U;
  return step;
}

double TestSearch::step_cost(const Step& step, double yes, double no) const {
  const int instructions = 1 + (step.load ? 1 : 0) + (step.mask ? 1 : 0);
  const double jumps = options_.prices.jump_taken;
  const double all = yes + no;
  double cost = instructions * (all * options_.prices.instruction + options_.size_price);
  if (step.mask) cost += all * options_.prices.arithmetic;
  return cost + jumps * (jumps > 0 ? std::min(yes, no) : std::max(yes, no));
}

TestSearch::Samples TestSearch::kept(const Samples& samples, std::size_t test, bool yes) const {
  const std::uint64_t bit = std::uint64_t{1} << test;
  Samples left;
  for (Sample each : samples) {
    if ((each.unknown & bit) != 0) {
      each.weight /= 2;
    } else if (((each.holds & bit) != 0) != yes) {
      continue;
    }
    left.push_back(each);
  }
  return left;
}

// What deciding a function may cost, for want of knowing.
double TestSearch::guessed(Ref function, double weight) {
  if (only_end(function)) return 0;
  const double tests = static_cast<double>(size_of(function)) / kNodesOfATest;
  return weight * options_.prices.instruction * (1 + std::log2(1 + tests)) +
         options_.size_price * tests;
}

namespace {

double sum_of(const auto& samples) {
  double sum = 0;
  for (const auto& each : samples) sum += each.weight;
  return sum;
}

std::uint64_t hash_of(const auto& samples) {
  std::uint64_t hash = 0;
  for (const auto& each : samples) {
    for (const std::uint64_t part :
         {each.holds, each.unknown, std::bit_cast<std::uint64_t>(each.weight)}) {
      hash = (hash ^ part) * 0x9e3779b97f4a7c15ULL;
      hash ^= hash >> 29U;
    }
  }
  return hash;
}

}  // namespace

TestSearch::Choice TestSearch::choose(Ref function, const Content& content, const Samples& samples,
                                      std::uint64_t useful) {
  if (only_end(function)) return {};
  const Key key{function, content, hash_of(samples)};
  if (const auto found = choices_.find(key); found != choices_.end()) return found->second;
  if (choices_.size() >= kMostChoices) throw GivenUp{};
  Choice best;
  best.objective = -1;
  std::uint64_t still = 0;
  for (std::size_t i = 0; i < tests_.size(); ++i) {
    if ((useful >> i & 1U) == 0) continue;
    const auto [no, yes] = parted(function, i);
    if (no != function && yes != function && no != open_ && yes != open_) {
      still |= std::uint64_t{1} << i;
    }
  }
  for (std::size_t i = 0; i < tests_.size(); ++i) {
    if ((still >> i & 1U) == 0) continue;
    const auto [no, yes] = parted(function, i);
    const Samples when = kept(samples, i, true);
    const Samples when_not = kept(samples, i, false);
    const Step step = step_to(tests_[i], content);
    const double yes_weight = sum_of(when);
    const double no_weight = sum_of(when_not);
    double objective = step_cost(step, yes_weight, no_weight);
    if (best.test >= 0 && objective >= best.objective) continue;
    if (exact_) {
      objective += choose(yes, step.after, when, still).objective;
      if (best.test >= 0 && objective >= best.objective) continue;
      objective += choose(no, step.after, when_not, still).objective;
    } else {
      objective += guessed(yes, yes_weight) + guessed(no, no_weight);
    }
    if (best.test < 0 || objective < best.objective) {
      best.objective = objective;
      best.test = static_cast<int>(i);
    }
  }
  if (best.test < 0) throw GivenUp{};
  if (!exact_) {
    const auto test = static_cast<std::size_t>(best.test);
    const auto [no, yes] = parted(function, test);
    const Step step = step_to(tests_[test], content);
    choose(yes, step.after, kept(samples, test, true), still);
    choose(no, step.after, kept(samples, test, false), still);
  }
  choices_.emplace(key, best);
  return best;
}

FlowId TestSearch::emitted(Ref function, const Content& content, const Samples& samples) {
  if (const auto end = only_end(function)) return end_(*end);
  const Key key{function, content, hash_of(samples)};
  if (const auto found = nodes_.find(key); found != nodes_.end()) return found->second;
  const auto i = static_cast<std::size_t>(choices_.at(key).test);
  const auto [no, yes] = parted(function, i);
  const WordTest& test = tests_[i];
  const Step step = step_to(test, content);
  const FlowId when = emitted(yes, step.after, kept(samples, i, true));
  const FlowId when_not = emitted(no, step.after, kept(samples, i, false));
  FlowId node = graph_.keep(Instruction{static_cast<std::uint16_t>(test.opcode), 0, 0, test.k},
                            when, when_not);
  const auto before = [&](Opcode opcode, std::uint32_t k) {
    node = graph_.keep(Instruction{static_cast<std::uint16_t>(opcode), 0, 0, k}, node, 0);
  };
  if (node != when || node != when_not) {
    if (step.mask) before(Opcode::AndK, test.mask);
    if (step.load) before(Opcode::LdAbs, test.offset);
  }
  nodes_.emplace(key, node);
  return node;
}

}  // namespace callgate::verifier
