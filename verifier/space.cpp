#include "verifier/space.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>
#include <utility>

namespace callgate::verifier {
namespace {

// Tries to find a call for which opaque comparisons come out as a diagram's way asks.
constexpr int kTries = 64;

SeccompData drawn(std::mt19937_64& chance) {
  SeccompData data;
  data.nr = static_cast<std::int32_t>(chance());
  data.arch = static_cast<std::uint32_t>(chance());
  data.instruction_pointer = chance();
  std::ranges::generate(data.args, std::ref(chance));
  return data;
}

void set_bit(SeccompData& data, std::uint32_t variable, Field field, bool value) {
  const unsigned bit = width(field) - 1 - (variable - Space::first_variable(field));
  const std::uint64_t mask = 1ULL << bit;
  const std::uint64_t before = value_of(data, field);
  set_value(data, field, value ? before | mask : before & ~mask);
}

bool bit_of(const SeccompData& data, std::uint32_t variable, Field field) {
  const unsigned bit = width(field) - 1 - (variable - Space::first_variable(field));
  return (value_of(data, field) >> bit & 1U) != 0;
}

}  // namespace

Space::Space(SpaceLimits limits) : limits_(limits), diagrams_(limits.nodes) {}

std::optional<Field> Space::field_of(std::uint32_t variable) noexcept {
  if (variable >= kFirstOpaque) return std::nullopt;
  return static_cast<Field>(variable < 64 ? variable / 32 : 2 + (variable - 64) / 64);
}

Space::Ref Space::equal(Field field, std::uint64_t value) {
  return masked_equal(field, ~0ULL, value);
}

Space::Ref Space::masked_equal(Field field, std::uint64_t mask, std::uint64_t value) {
  Ref result = Diagrams::kTrue;
  for (unsigned bit = 0; bit < width(field); ++bit) {
    if ((mask >> bit & 1U) == 0) continue;
    const std::uint32_t variable = first_variable(field) + width(field) - 1 - bit;
    const bool one = (value >> bit & 1U) != 0;
    result = one ? diagrams_.node(variable, Diagrams::kFalse, result)
                 : diagrams_.node(variable, result, Diagrams::kFalse);
  }
  return result;
}

Space::Ref Space::between(Field field, std::uint64_t first, std::uint64_t last) {
  Ref not_below = Diagrams::kTrue;
  Ref not_above = Diagrams::kTrue;
  for (unsigned bit = 0; bit < width(field); ++bit) {
    const std::uint32_t variable = first_variable(field) + width(field) - 1 - bit;
    not_below = (first >> bit & 1U) != 0 ? diagrams_.node(variable, Diagrams::kFalse, not_below)
                                         : diagrams_.node(variable, not_below, Diagrams::kTrue);
    not_above = (last >> bit & 1U) != 0 ? diagrams_.node(variable, Diagrams::kTrue, not_above)
                                        : diagrams_.node(variable, not_above, Diagrams::kFalse);
  }
  return diagrams_.both(not_below, not_above);
}

const std::optional<Space::Bits>& Space::bits_of(TermId id) {
  if (const auto found = bits_.find(id); found != bits_.end()) return found->second;
  std::optional<Bits> bits;
  const Term term = terms_[id];
  const bool leaf = term.kind == TermKind::Constant || term.kind == TermKind::Word;
  // Parts first, each with a budget of its own; what is made of a part without bits has none.
  if (leaf || (bits_of(term.a) && bits_of(term.b))) {
    const Diagrams::Budget before = diagrams_.allow_at_most(limits_.nodes_of_a_term);
    try {
      bits = made_bits(id);
    } catch (const Diagrams::Full&) {
      bits.reset();
    }
    diagrams_.allow(before);
  }
  return bits_.emplace(id, bits).first->second;
}

Space::Bits Space::made_bits(TermId id) {
  const Term term = terms_[id];
  Bits bits{};
  if (term.kind == TermKind::Constant) {
    for (unsigned i = 0; i < 32; ++i) {
      bits[i] = (term.a >> i & 1U) != 0 ? Diagrams::kTrue : Diagrams::kFalse;
    }
    return bits;
  }
  if (term.kind == TermKind::Word) {
    const Word word = terms_.word_of(id);
    const std::uint32_t lowest = first_variable(word.field) + width(word.field) - 1;
    for (unsigned i = 0; i < 32; ++i)
      bits[i] = diagrams_.variable(lowest - i - (word.high ? 32 : 0));
    return bits;
  }
  const Bits a = *bits_.at(term.a);
  const Bits b = *bits_.at(term.b);
  switch (term.kind) {
    case TermKind::Constant:
    case TermKind::Word:
      break;
    case TermKind::Add:
      return sum(a, b, Diagrams::kFalse);
    case TermKind::Multiply:
      return product(a, b);
    case TermKind::Divide:
      return quotient(a, b);
    case TermKind::And:
      for (unsigned i = 0; i < 32; ++i) bits[i] = diagrams_.both(a[i], b[i]);
      break;
    case TermKind::Or:
      for (unsigned i = 0; i < 32; ++i) bits[i] = diagrams_.either(a[i], b[i]);
      break;
    case TermKind::Xor:
      for (unsigned i = 0; i < 32; ++i) bits[i] = diagrams_.unequal(a[i], b[i]);
      break;
    case TermKind::Left:
      return moved(a, b, true);
    case TermKind::Right:
      return moved(a, b, false);
  }
  return bits;
}

Space::Bits Space::sum(const Bits& a, const Bits& b, Ref carry) {
  Bits bits{};
  for (unsigned i = 0; i < 32; ++i) {
    const Ref half = diagrams_.unequal(a[i], b[i]);
    bits[i] = diagrams_.unequal(half, carry);
    carry = diagrams_.choose(half, carry, a[i]);
  }
  return bits;
}

// By adding what is shifted; a constant of many bits, as -1 is, by taking away.
Space::Bits Space::product(const Bits& a, const Bits& b) {
  const auto is_bit = [](Ref bit) { return bit == Diagrams::kTrue || bit == Diagrams::kFalse; };
  const bool constant = std::ranges::all_of(b, is_bit);
  const bool negative = constant && std::ranges::count(b, Diagrams::kTrue) > 16;
  Bits factor = b;
  const auto negate = [&](Bits bits) {
    for (Ref& bit : bits) bit = diagrams_.negated(bit);
    return sum(bits, Bits{}, Diagrams::kTrue);
  };
  if (negative) factor = negate(factor);
  Bits result{};
  for (unsigned shift = 0; shift < 32; ++shift) {
    if (factor[shift] == Diagrams::kFalse) continue;
    Bits part{};
    for (unsigned i = shift; i < 32; ++i) part[i] = diagrams_.both(a[i - shift], factor[shift]);
    result = sum(result, part, Diagrams::kFalse);
  }
  return negative ? negate(result) : result;
}

// By long division, the highest bit first. A divisor of 0 gives what Terms gives: 0.
Space::Bits Space::quotient(const Bits& a, const Bits& b) {
  Bits result{};
  Bits rest{};
  Ref divisor_is_zero = Diagrams::kTrue;
  for (const Ref bit : b) divisor_is_zero = diagrams_.without(divisor_is_zero, bit);
  for (unsigned i = 32; i-- > 0;) {
    const Ref out = rest[31];  // the 33rd bit of the rest: it is then above any divisor
    for (unsigned j = 31; j > 0; --j) rest[j] = rest[j - 1];
    rest[0] = a[i];
    const Ref fits = diagrams_.either(out, compared_bits(Test::GreaterOrEqual, rest, b));
    Bits minus = b;
    for (Ref& bit : minus) bit = diagrams_.negated(bit);
    const Bits less = sum(rest, minus, Diagrams::kTrue);
    for (unsigned j = 0; j < 32; ++j) rest[j] = diagrams_.choose(fits, less[j], rest[j]);
    result[i] = diagrams_.without(fits, divisor_is_zero);
  }
  return result;
}

Space::Bits Space::moved(const Bits& a, const Bits& count, bool left) {
  Bits bits = a;
  for (unsigned step = 0; step < 5; ++step) {
    const unsigned distance = 1U << step;
    Bits next{};
    for (unsigned i = 0; i < 32; ++i) {
      Ref from = Diagrams::kFalse;
      if (left && i >= distance) from = bits[i - distance];
      if (!left && i + distance < 32) from = bits[i + distance];
      next[i] = diagrams_.choose(count[step], from, bits[i]);
    }
    bits = next;
  }
  Ref too_far = Diagrams::kFalse;
  for (unsigned i = 5; i < 32; ++i) too_far = diagrams_.either(too_far, count[i]);
  for (Ref& bit : bits) bit = diagrams_.without(bit, too_far);
  return bits;
}

Space::Ref Space::compared_bits(Test test, const Bits& a, const Bits& b) {
  Ref result =
      test == Test::Equal || test == Test::GreaterOrEqual ? Diagrams::kTrue : Diagrams::kFalse;
  for (unsigned i = 0; i < 32; ++i) {  // the lowest first: what higher bits say comes on top
    switch (test) {
      case Test::Equal:
        result = diagrams_.without(result, diagrams_.unequal(a[i], b[i]));
        break;
      case Test::Greater:
      case Test::GreaterOrEqual:
        result = diagrams_.choose(diagrams_.unequal(a[i], b[i]), a[i], result);
        break;
      case Test::AnyBit:
        result = diagrams_.either(result, diagrams_.both(a[i], b[i]));
        break;
    }
  }
  return result;
}

Space::Ref Space::compared(Test test, TermId a, TermId b) {
  if (a == b) {
    if (test == Test::Equal || test == Test::GreaterOrEqual) return Diagrams::kTrue;
    if (test == Test::Greater) return Diagrams::kFalse;
  }
  if (terms_.value(a) && terms_.value(b)) {
    return callgate::holds(test, *terms_.value(a), *terms_.value(b)) ? Diagrams::kTrue
                                                                     : Diagrams::kFalse;
  }
  // Both say the same where they come first: a >= b is not (b > a).
  if (test == Test::GreaterOrEqual) return diagrams_.negated(compared(Test::Greater, b, a));
  if (test != Test::Greater && b < a) std::swap(a, b);
  const Opaque key{test, a, b};
  if (const auto found = compared_.find(key); found != compared_.end()) return found->second;
  std::optional<Ref> result;
  if (bits_of(a) && bits_of(b)) {
    const Diagrams::Budget before = diagrams_.allow_at_most(limits_.nodes_of_a_term);
    try {
      result = compared_bits(test, *bits_of(a), *bits_of(b));
    } catch (const Diagrams::Full&) {
      result.reset();
    }
    diagrams_.allow(before);
  }
  if (!result) result = kept_opaque(test, a, b);
  compared_.emplace(key, *result);
  return *result;
}

Space::Ref Space::kept_opaque(Test test, TermId a, TermId b) {
  const Ref result = diagrams_.variable(kFirstOpaque + static_cast<std::uint32_t>(opaques_.size()));
  opaques_.push_back({test, a, b});
  return result;
}

Space::Ref Space::fixed(Ref function, Field field, std::uint64_t value) const {
  const std::uint32_t end = first_variable(field) + width(field);
  while (diagrams_.variable_of(function) < end) {
    const bool yes = (value >> (end - 1 - diagrams_.variable_of(function)) & 1U) != 0;
    function = yes ? diagrams_.yes(function) : diagrams_.no(function);
  }
  return function;
}

Space::Ref Space::evaluate(Ref function, const SeccompData& data) const {
  while (!diagrams_.is_end(function)) {
    const std::uint32_t variable = diagrams_.variable_of(function);
    bool yes = false;
    if (const auto field = field_of(variable)) {
      yes = bit_of(data, variable, *field);
    } else {
      const Opaque& asked = opaque(variable);
      const std::array<TermId, 2> both{asked.a, asked.b};
      const std::vector<std::uint32_t> values = terms_.evaluate(both, data);
      yes = callgate::holds(asked.test, values[0], values[1]);
    }
    function = yes ? diagrams_.yes(function) : diagrams_.no(function);
  }
  return function;
}

std::optional<SeccompData> Space::find(Ref condition, std::mt19937_64* chance) const {
  if (condition == Diagrams::kFalse) return std::nullopt;
  const bool surely = !has_opaque(condition);
  std::mt19937_64 own(condition);
  for (int attempt = 0; attempt < (surely ? 1 : kTries); ++attempt) {
    std::mt19937_64* source = chance != nullptr ? chance : attempt > 0 ? &own : nullptr;
    SeccompData data = source != nullptr ? drawn(*source) : SeccompData{};
    // A way to kTrue: from each node that is not kFalse there is one.
    for (Ref at = condition; !diagrams_.is_end(at);) {
      const std::uint32_t variable = diagrams_.variable_of(at);
      const auto field = field_of(variable);
      if (!field) break;  // what the bits say to the comparisons is seen below
      bool yes = source != nullptr ? bit_of(data, variable, *field) : false;
      if ((yes ? diagrams_.yes(at) : diagrams_.no(at)) == Diagrams::kFalse) yes = !yes;
      set_bit(data, variable, *field, yes);
      at = yes ? diagrams_.yes(at) : diagrams_.no(at);
    }
    if (surely || holds(condition, data)) return data;
  }
  return std::nullopt;
}

Holds Space::holds_ever(Ref condition) const {
  if (condition == Diagrams::kFalse) return Holds::Never;
  return find(condition) ? Holds::Sometimes : Holds::NotKnown;
}

double Space::count(Ref condition, Field field) const {
  const std::uint32_t end = first_variable(field) + width(field);
  std::map<Ref, double> known;
  // The share of all values, times their number.
  const auto share = [&](auto&& self, Ref at) -> double {
    if (at == Diagrams::kFalse) return 0;
    if (at == Diagrams::kTrue || diagrams_.variable_of(at) >= end) return 1;
    if (const auto found = known.find(at); found != known.end()) return found->second;
    const double result = (self(self, diagrams_.no(at)) + self(self, diagrams_.yes(at))) / 2;
    known.emplace(at, result);
    return result;
  };
  return std::ldexp(share(share, condition), static_cast<int>(width(field)));
}

}  // namespace callgate::verifier
