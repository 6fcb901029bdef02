// What TestSearch chooses among.

#include <algorithm>
#include <bit>
#include <set>
#include <unordered_set>
#include <utility>

#include "verifier/paths.hpp"
#include "verifier/test_search.hpp"

namespace callgate::verifier {
namespace {

using Ref = Space::Ref;

constexpr std::size_t kMostTests = 60;  // of the 64 that a Sample has bits for
constexpr std::size_t kMostAsked = 24;  // with those that filters made
constexpr std::size_t kMostParts = 64;  // of a word
constexpr std::size_t kMostRanges = 16;
constexpr std::size_t kMostMasks = 8;

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

// Where a function leads once the word is known whose variables come before `end`.
Ref after_word(const Diagrams& diagrams, Ref at, std::uint32_t end, std::uint32_t value) {
  while (diagrams.variable_of(at) < end) {
    const bool yes = (value >> (end - 1 - diagrams.variable_of(at)) & 1U) != 0;
    at = yes ? diagrams.yes(at) : diagrams.no(at);
  }
  return at;
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

void TestSearch::collect(Ref function) {
  bool whole = true;
  const auto add = [&](std::uint32_t offset, std::uint32_t mask, Opcode opcode, std::uint32_t k) {
    if (const auto made = made_test(offset, mask, opcode, k)) add_test(*made);
  };
  // Of tests that cost the same the first is taken: low halves tell more calls apart than high
  // ones.
  std::vector<std::uint32_t> places = words_of(diagrams_, function);
  std::ranges::sort(places, {}, [](std::uint32_t place) {
    return std::pair(place >= 2 && word_of_place(place).high, place);
  });
  for (const std::uint32_t place : places) {
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
  struct Asked {
    std::uint32_t offset = 0;
    std::uint32_t end = 0;  // of its variables
    std::set<Ref> entries;
  };
  std::map<Word, Asked> words;
  for (const std::uint32_t place : words_of(diagrams_, function)) {
    words.emplace(word_of_place(place), Asked{offset_of_word(place, order_), place * 32 + 32,
                                              entries(diagrams_, function, place * 32)});
  }
  // A value that leads where both of its neighbours do is no border.
  const auto is_border = [&](const Asked& word, std::uint32_t value) {
    return std::ranges::any_of(word.entries, [&](Ref entry) {
      const Ref here = after_word(diagrams_, entry, word.end, value);
      return here != after_word(diagrams_, entry, word.end, value - 1) ||
             here != after_word(diagrams_, entry, word.end, value + 1);
    });
  };
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
    const auto word = words.find(terms.word_of(tested));
    if (word == words.end()) continue;
    test.offset = word->second.offset;
    test.k = *k;
    switch (comparison.test) {
      case Test::Equal:
        test.opcode = Opcode::JeqK;
        if (test.mask == ~0U && !is_border(word->second, *k)) continue;
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
  std::vector<WordTest> rated;
  std::vector<std::pair<std::size_t, std::size_t>> order;  // what is left, and the place in `rated`
  for (const WordTest& each : asked) {
    const auto made = made_test(each.offset, each.mask, each.opcode, each.k);
    if (!made) continue;
    spend(function);
    const Ref no = simplified(diagrams_.choose(made->condition, open_, function));
    const Ref yes = simplified(diagrams_.choose(made->condition, function, open_));
    if (no == function || yes == function || no == open_ || yes == open_) continue;
    order.emplace_back(size_of(no) + size_of(yes), rated.size());
    rated.push_back(*made);
  }
  std::ranges::sort(order);
  for (const auto& [size, place] : order) {
    if (tests_.size() >= kMostAsked) break;
    add_test(rated[place]);
  }
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

}  // namespace callgate::verifier
