#include "harness/suite/call_pattern.hpp"

#include <algorithm>
#include <array>
#include <random>

#include "vm/arithmetic.hpp"

namespace callgate::suite {
namespace {

using verifier::Diagrams;
using verifier::Field;
using verifier::Space;
using Ref = Space::Ref;

constexpr std::uint64_t kLow = 0xffffffffU;
constexpr std::uint64_t kTopOfLow = 0x80000000U;

Field field_of(unsigned index) {
  if (index == ArgumentTest::kInstructionPointer) return Field::InstructionPointer;
  return static_cast<Field>(static_cast<unsigned>(Field::Arg0) + index);
}

// That a field is from first to last; under a mask, that it is one value.
Ref in_atom(Space& space, Field field, const Atom& atom) {
  if (atom.mask == ~std::uint64_t{0}) return space.between(field, atom.first, atom.last);
  return space.masked_equal(field, atom.mask, atom.first);
}

std::uint64_t value_at(const SeccompData& data, unsigned index) {
  return index == ArgumentTest::kInstructionPointer ? data.instruction_pointer : data.args[index];
}
void set_value_at(SeccompData& data, unsigned index, std::uint64_t value) {
  (index == ArgumentTest::kInstructionPointer ? data.instruction_pointer : data.args[index]) =
      value;
}

// The values that an argument is tried with, most telling first.
std::vector<std::uint64_t> edges(const CallPattern& pattern, unsigned index,
                                 const std::vector<std::uint32_t>& constants) {
  std::vector<std::uint64_t> out;
  const auto near = [&](std::uint64_t value) {
    for (const std::uint64_t each : {value, value - 1, value + 1}) out.push_back(each);
  };
  for (const ArgumentTest& test : pattern.tests) {
    if (test.index != index) continue;
    for (const Atom& atom : test.atoms) {
      if (atom.mask != ~std::uint64_t{0}) {
        for (unsigned bit = 0; bit < 64; ++bit) {
          const std::uint64_t one = std::uint64_t{1} << bit;
          if ((atom.mask & one) != 0) out.push_back(one);
          if ((atom.mask & one) != 0) out.push_back(atom.first ^ one);
        }
        out.push_back(atom.first | ~atom.mask);
      }
      near(atom.first);
      near(atom.last);
    }
  }
  for (const std::uint64_t each : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    out.push_back(each);
  }
  for (const std::uint32_t each : constants) near(each);
  for (const std::uint64_t each : {kLow, kTopOfLow, kTopOfLow - 1, kLow + 1}) out.push_back(each);
  // Each with something in the upper half.
  const std::size_t plain = out.size();
  for (std::size_t i = 0; i < plain; ++i) {
    out.push_back((out[i] & kLow) | (std::uint64_t{1} << 32U));
    out.push_back((out[i] & kLow) | ~kLow);
  }
  std::erase_if(out, [&](std::uint64_t value) {
    return !std::ranges::all_of(pattern.tests, [&](const ArgumentTest& test) {
      return test.index != index || test.holds(value);
    });
  });
  std::vector<std::uint64_t> once;
  for (const std::uint64_t each : out) {
    if (std::ranges::find(once, each) == once.end()) once.push_back(each);
    if (once.size() >= 200) break;
  }
  return once;
}

}  // namespace

std::string_view to_string(HighHalf high) noexcept {
  switch (high) {
    case HighHalf::Any:
      return "any";
    case HighHalf::Extended:
      return "extended";
    case HighHalf::Exact:
      return "exact";
  }
  return "";
}

bool ArgumentTest::holds(std::uint64_t value) const noexcept {
  const std::uint64_t above = value >> 32U;
  const bool negative = is_signed && (value & kTopOfLow) != 0;
  if (low && high == HighHalf::Extended && above != 0 && !(negative && above == kLow)) {
    return false;
  }
  const std::uint64_t here = low ? value & kLow : value;
  const bool in_one = std::ranges::any_of(atoms, [&](const Atom& atom) {
    return (here & atom.mask) >= atom.first && (here & atom.mask) <= atom.last;
  });
  return in_one != none;
}

Ref ArgumentTest::condition(Space& space) const {
  Diagrams& diagrams = space.diagrams();
  const Field field = field_of(index);
  const verifier::TermId lower = space.terms().word({field, false});
  const verifier::TermId upper = space.terms().word({field, true});
  const auto constant = [&](std::uint64_t value) {
    return space.terms().constant(static_cast<std::uint32_t>(value));
  };
  Ref in_one = Diagrams::kFalse;
  for (const Atom& atom : atoms) {
    Ref here = Diagrams::kFalse;
    if (!low) {
      here = in_atom(space, field, atom);
    } else {
      const verifier::TermId bits = atom.mask == ~std::uint64_t{0}
                                        ? lower
                                        : space.terms().bit_and(lower, constant(atom.mask));
      if (atom.first <= kLow) {
        here = diagrams.without(space.compared(Test::GreaterOrEqual, bits, constant(atom.first)),
                                atom.last >= kLow
                                    ? Ref{Diagrams::kFalse}
                                    : space.compared(Test::Greater, bits, constant(atom.last)));
      }
    }
    in_one = diagrams.either(in_one, here);
  }
  Ref out = none ? diagrams.negated(in_one) : in_one;
  if (low && high == HighHalf::Extended) {
    Ref extended = space.compared(Test::Equal, upper, constant(0));
    if (is_signed) {
      const Ref negative = space.compared(Test::AnyBit, lower, constant(kTopOfLow));
      extended = diagrams.either(
          extended, diagrams.both(negative, space.compared(Test::Equal, upper, constant(kLow))));
    }
    out = diagrams.both(out, extended);
  }
  return out;
}

bool CallPattern::holds(const SeccompData& data) const noexcept {
  const auto number = static_cast<std::uint32_t>(data.nr);
  if (data.arch != token) return false;
  if (!std::ranges::any_of(numbers, [&](const NumberRange& range) {
        return range.first <= number && number <= range.last;
      })) {
    return false;
  }
  return std::ranges::all_of(
      tests, [&](const ArgumentTest& test) { return test.holds(value_at(data, test.index)); });
}

Ref CallPattern::arguments(Space& space) const {
  Ref out = Diagrams::kTrue;
  for (const ArgumentTest& test : tests) {
    out = space.diagrams().both(out, test.condition(space));
  }
  return out;
}

Ref CallPattern::number(Space& space) const {
  Ref out = Diagrams::kFalse;
  for (const NumberRange& range : numbers) {
    out = space.diagrams().either(out, space.between(Field::Nr, range.first, range.last));
  }
  return out;
}

Ref CallPattern::condition(Space& space) const {
  Diagrams& diagrams = space.diagrams();
  return diagrams.both(space.equal(Field::Arch, token),
                       diagrams.both(number(space), arguments(space)));
}

std::vector<SeccompData> edge_calls(const CallPattern& pattern,
                                    const std::vector<std::uint32_t>& constants, std::size_t most) {
  std::array<std::vector<std::uint64_t>, 7> values;
  for (unsigned i = 0; i < values.size(); ++i) {
    values[i] = edges(pattern, i, constants);
    if (values[i].empty()) return {};
  }
  std::vector<std::uint32_t> numbers;
  for (const NumberRange& range : pattern.numbers) {
    numbers.push_back(range.first);
    if (range.last != range.first) numbers.push_back(range.last);
    if (numbers.size() >= most) break;
  }
  std::mt19937_64 chance(0x9e3779b97f4a7c15U);  // the same for the same pattern
  std::vector<SeccompData> out;
  const auto keep = [&](const SeccompData& data) {
    if (out.size() < most && pattern.holds(data)) out.push_back(data);
  };
  for (const std::uint32_t number : numbers) {
    SeccompData plain{};
    plain.arch = pattern.token;
    plain.nr = static_cast<std::int32_t>(number);
    for (unsigned i = 0; i < values.size(); ++i) set_value_at(plain, i, values[i].front());
    keep(plain);
    // One argument after the other.
    for (unsigned i = 0; i < values.size() && out.size() < most / 2 + 1; ++i) {
      for (std::size_t j = 1; j < values[i].size() && out.size() < most / 2 + 1; ++j) {
        SeccompData other = plain;
        set_value_at(other, i, values[i][j]);
        keep(other);
      }
    }
  }
  // All of them by chance.
  for (std::size_t i = 0; i < most * 2 && out.size() < most && !numbers.empty(); ++i) {
    SeccompData data{};
    data.arch = pattern.token;
    data.nr = static_cast<std::int32_t>(numbers[chance() % numbers.size()]);
    for (unsigned j = 0; j < values.size(); ++j) {
      set_value_at(data, j, values[j][chance() % values[j].size()]);
    }
    keep(data);
  }
  return out;
}

}  // namespace callgate::suite
