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
constexpr std::size_t kMostTests = 60;       // of the 64 that a Sample has bits for
constexpr std::size_t kMostAsked = 24;       // with those that filters made
constexpr std::size_t kMostOfAll = 200'000;  // effort for all functions
constexpr std::size_t kNodesOfAnEffort = 64;
constexpr std::size_t kMostChoices = 20'000;
constexpr std::size_t kMostParts = 64;  // of a word
constexpr std::size_t kMostRanges = 16;
constexpr std::size_t kMostMasks = 8;
constexpr double kNodesOfATest = 24;  // of a diagram, about

// Where a word's questions are come to from above, each once.
std::set<Ref> entries(const Diagrams& diagrams, Ref function, std::uint32_t first) {
  std::set<Ref> seen{function};
  std::vector<Ref> open{function};
  std::set<Ref> found;
  const auto inside = [&](Ref at) {
    const std::uint32_t variable = diagrams.variable_of(at);
    return variable >= first && variable < first + 32;
  };
  if (inside(function)) found.insert(function);
  while (!open.empty()) {
    const Ref at = open.back();
    open.pop_back();
    if (diagrams.is_end(at)) continue;
    for (const Ref next : {diagrams.no(at), diagrams.yes(at)}) {
      if (!inside(at) && inside(next)) found.insert(next);
      if (seen.insert(next).second) open.push_back(next);
    }
  }
  return found;
}

// The words that a function asks for: places of their 32 variables.
std::vector<std::uint32_t> words_of(const Diagrams& diagrams, Ref function) {
  std::unordered_set<Ref> seen{function};
  std::vector<Ref> open{function};
  std::uint64_t asked = 0;
  while (!open.empty()) {
    const Ref at = open.back();
    open.pop_back();
    if (diagrams.is_end(at)) continue;
    asked |= std::uint64_t{1} << std::min(diagrams.variable_of(at) / 32, 63U);
    for (const Ref next : {diagrams.no(at), diagrams.yes(at)}) {
      if (seen.insert(next).second) open.push_back(next);
    }
  }
  std::vector<std::uint32_t> words;
  for (std::uint32_t place = 0; place < Space::kFirstOpaque / 32; ++place) {
    if ((asked >> place & 1U) != 0) words.push_back(place);
  }
  return words;
}

}  // namespace

Word word_of_place(std::uint32_t place) noexcept {
  if (place < 2) return {static_cast<Field>(place), false};
  return {static_cast<Field>(2 + (place - 2) / 2), place % 2 == 0};
}

std::uint32_t offset_of_word(std::uint32_t place, ByteOrder order) {
  const Word word = word_of_place(place);
  std::uint32_t offset = 0;
  while (word_at(offset, order) != word) offset += 4;
  return offset;
}

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

void TestSearch::collect(Ref function) {
  bool whole = true;
  const auto add = [&](std::uint32_t offset, std::uint32_t mask, Opcode opcode, std::uint32_t k) {
    if (const auto made = made_test(offset, mask, opcode, k)) add_test(*made);
  };
  for (const std::uint32_t place : words_of(diagrams_, function)) {
    const BitRun bits{place * 32, 32};
    for (const Ref entry : entries(diagrams_, function, bits.first)) {
      const auto parts = split(space_, entry, bits, kMostParts);
      if (!parts) {
        whole = false;
        continue;
      }
      // What is told by all others needs no tests of its own: the part that takes most of them.
      struct Tests {
        std::optional<std::vector<ValueRange>> ranges;
        std::optional<std::vector<MaskedValue>> masks;
        std::size_t count = ~std::size_t{0};
      };
      std::vector<Tests> tests;
      for (const Part& part : *parts) {
        Tests made;
        made.ranges = ranges_of(space_, part.values, bits, kMostRanges);
        made.masks = masks_of(space_, part.values, bits, kMostMasks);
        if (made.ranges && made.masks && made.ranges->size() > 2 * made.masks->size()) {
          made.ranges.reset();
        }
        if (made.ranges) {
          made.count = 0;
          for (const ValueRange& each : *made.ranges) {
            made.count += each.first == each.last || each.first == 0 || each.last == ~0U ? 1 : 2;
          }
        } else if (made.masks) {
          made.count = 2 * made.masks->size();
        }
        tests.push_back(std::move(made));
      }
      tests.erase(std::ranges::max_element(tests, {}, &Tests::count));
      const std::uint32_t offset = offset_of_word(place, order_);
      for (const Tests& each : tests) {
        if (each.ranges) {
          for (const ValueRange& range : *each.ranges) {
            const auto first = static_cast<std::uint32_t>(range.first);
            const auto last = static_cast<std::uint32_t>(range.last);
            if (first == last) {
              add(offset, ~0U, Opcode::JeqK, first);
              continue;
            }
            if (first != 0) add(offset, ~0U, Opcode::JgeK, first);
            if (last != ~0U) add(offset, ~0U, Opcode::JgeK, last + 1);
          }
        } else if (each.masks) {
          for (const MaskedValue& masked : *each.masks) {
            const auto mask = static_cast<std::uint32_t>(masked.mask);
            const auto value = static_cast<std::uint32_t>(masked.value);
            if (value == 0 || std::has_single_bit(mask)) {
              add(offset, ~0U, Opcode::JsetK, mask);
            } else {
              add(offset, mask, Opcode::JeqK, value);
            }
          }
        } else {
          whole = false;
        }
      }
    }
  }
  if (!whole) collect_asked(function);
}

// The tests that filters made themselves, of words that the function asks for.
void TestSearch::collect_asked(Ref function) {
  const Terms& terms = space_.terms();
  std::map<Word, std::uint32_t> offsets;
  for (const std::uint32_t place : words_of(diagrams_, function)) {
    offsets.emplace(word_of_place(place), offset_of_word(place, order_));
  }
  std::vector<WordTest> asked;
  for (const auto& [comparison, condition] : space_.comparisons()) {
    const bool swapped = terms.value(comparison.a).has_value();
    const auto k = terms.value(swapped ? comparison.a : comparison.b);
    TermId tested = swapped ? comparison.b : comparison.a;
    if (!k) continue;
    WordTest test;
    if (terms[tested].kind == TermKind::And) {
      const auto mask = terms.value(terms[tested].b);
      if (!mask) continue;
      test.mask = *mask;
      tested = terms[tested].a;
    }
    if (terms[tested].kind != TermKind::Word) continue;
    const auto offset = offsets.find(terms.word_of(tested));
    if (offset == offsets.end()) continue;
    test.offset = offset->second;
    test.k = *k;
    switch (comparison.test) {
      case Test::Equal:
        test.opcode = Opcode::JeqK;
        break;
      case Test::Greater:
      case Test::GreaterOrEqual:
        test.opcode = swapped ? Opcode::JgeK : Opcode::JgtK;
        break;
      case Test::AnyBit:
        test.opcode = Opcode::JsetK;
        test.k &= std::exchange(test.mask, ~0U);
        break;
    }
    asked.push_back(test);
  }
  // Those that leave least to be asked on their two sides.
  std::vector<WordTest> own = std::exchange(tests_, {});
  std::vector<std::pair<std::size_t, WordTest>> rated;
  for (const WordTest& each : asked) {
    const auto made = made_test(each.offset, each.mask, each.opcode, each.k);
    if (!made) continue;
    spend(1 + size_of(function) / kNodesOfAnEffort);
    const Ref no = simplified(diagrams_.choose(made->condition, open_, function));
    const Ref yes = simplified(diagrams_.choose(made->condition, function, open_));
    if (no == function || yes == function || no == open_ || yes == open_) continue;
    rated.emplace_back(size_of(no) + size_of(yes), *made);
  }
  std::ranges::stable_sort(rated, {}, &std::pair<std::size_t, WordTest>::first);
  tests_ = std::move(own);
  for (const auto& [size, test] : rated) {
    if (tests_.size() >= kMostAsked) break;
    add_test(test);
  }
}

std::size_t TestSearch::size_of(Ref function) {
  const auto [place, fresh] = sizes_.try_emplace(function);
  if (fresh) place->second = diagrams_.size(function);
  return place->second;
}

void TestSearch::spend(std::size_t work) {
  if (budget_ < work) throw GivenUp{};
  budget_ -= work;
}

std::optional<TestSearch::WordTest> TestSearch::made_test(std::uint32_t offset, std::uint32_t mask,
                                                          Opcode opcode, std::uint32_t k) {
  Terms& terms = space_.terms();
  const TermId word = terms.word(word_at(offset, order_));
  const TermId tested = mask == ~0U ? word : terms.bit_and(word, terms.constant(mask));
  const Ref condition = space_.compared(test_of(opcode), tested, terms.constant(k));
  if (condition == Diagrams::kTrue || condition == Diagrams::kFalse) return std::nullopt;
  return WordTest{offset, mask, opcode, k, condition};
}

void TestSearch::add_test(const WordTest& test) {
  const Ref contrary = diagrams_.negated(test.condition);
  for (const WordTest& each : tests_) {
    if (each.condition == test.condition || each.condition == contrary) return;
  }
  if (tests_.size() == kMostTests) throw GivenUp{};
  tests_.push_back(test);
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
  spend(1 + size_of(function) / kNodesOfAnEffort);
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
