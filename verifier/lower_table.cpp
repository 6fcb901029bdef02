#include "verifier/lower_table.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "vm/opcodes.hpp"

namespace callgate::verifier {
namespace {

using Ref = Space::Ref;

constexpr std::size_t kLongest = 4096;  // BPF_MAXINSNS
constexpr std::size_t kReach = 255;     // of a conditional jump

// How many instructions stand from a place to the program's end, itself included.
using Label = std::size_t;

// Why a table has no program.
struct NotLowered {
  std::string_view reason;
};

// A program, made from its end: all jumps go to what is there already.
class Backward {
 public:
  Label returns(std::uint32_t value) {
    Label& known = returns_[value];
    if (known == 0 || size() + 1 - known > kReach / 2) {
      known = add({static_cast<std::uint16_t>(Opcode::RetK), 0, 0, value});
    }
    return known;
  }

  // What comes next is run after it.
  Label add(const Instruction& instruction) {
    if (code_.size() == kLongest) throw NotLowered{"it would be longer than a kernel takes"};
    code_.push_back(instruction);
    return size();
  }

  Label test(Opcode opcode, std::uint32_t k, Label yes, Label no) {
    if (yes == no) return yes;
    while (too_far(yes) || too_far(no)) {
      if (too_far(yes)) yes = nearer(yes);
      if (too_far(no)) no = nearer(no);
    }
    return add({static_cast<std::uint16_t>(opcode), distance(yes), distance(no), k});
  }

  // A place that goes on at `to` and is the last that was made.
  Label here(Label to) {
    if (to == size()) return to;
    const auto far = static_cast<std::uint32_t>(size() - to);
    return add({static_cast<std::uint16_t>(Opcode::Ja), 0, 0, far});
  }

  [[nodiscard]] Program finish() {
    std::ranges::reverse(code_);
    return std::move(code_);
  }

 private:
  [[nodiscard]] Label size() const { return code_.size(); }
  // From the instruction that would come next.
  [[nodiscard]] bool too_far(Label to) const { return size() - to > kReach; }
  [[nodiscard]] std::uint8_t distance(Label to) const {
    return static_cast<std::uint8_t>(size() - to);
  }
  Label nearer(Label to) {
    Label& known = bridges_[to];
    // Not one that is about to be out of reach: both sides of a test may need one.
    if (known == 0 || size() - known > kReach - 4) known = here(to);
    return known;
  }

  Program code_;  // the last instruction first
  std::map<std::uint32_t, Label> returns_;
  std::map<Label, Label> bridges_;
};

class Lowering {
 public:
  Lowering(Endings& endings, ByteOrder order)
      : endings_(endings), space_(endings.space()), order_(order) {}

  Program lower(const DecisionTable& table) {
    // Rows of one token differ in their numbers: one test of the number is for both.
    std::map<Ref, std::vector<Leads>> rows;
    for (const ArchRow& row : table.rows) {
      if (row.cut) throw NotLowered{"the table is cut"};
      for (const CallClass& each : row.classes) {
        rows[row.tokens].push_back({each.numbers, lower_class(each)});
      }
    }
    std::vector<Leads> archs;
    for (const auto& [tokens, classes] : rows) {
      archs.push_back({tokens, word_test({Field::Nr, false}, classes)});
    }
    out_.here(word_test({Field::Arch, false}, archs));
    return out_.finish();
  }

 private:
  // Values of a word, and where they go on.
  struct Leads {
    Ref values = 0;
    Label to = 0;
  };

  Label ends(Ref end) {
    const Ending& ending = endings_.at(end);
    if (ending.kind == Ending::Kind::NotFollowed) throw NotLowered{"not all was followed"};
    if (ending.kind == Ending::Kind::Undefined) throw NotLowered{"a result is left undefined"};
    const auto value = space_.terms().value(ending.value);
    if (!value) throw NotLowered{"a result is a formula"};
    return out_.returns(*value);
  }

  Label lower_class(const CallClass& each) {
    if (!each.otherwise) throw NotLowered{"the table is cut"};
    Label next = ends(*each.otherwise);
    for (const Path& rule : each.rules) {
      if (!rule.opaques.empty()) throw NotLowered{"a comparison is opaque"};
      Label yes = ends(rule.end);
      for (std::size_t i = rule.values.size(); i-- > 0;) {
        yes = field_test(rule.values[i].first, rule.values[i].second, yes, next);
      }
      next = yes;
    }
    return next;
  }

  Label field_test(Field field, Ref values, Label yes, Label no) {
    if (width(field) == 32) return condition(values, {field, false}, yes, no);
    const auto parts = split(space_, values, bits_of(Word{field, true}), kLongest);
    if (!parts) throw NotLowered{"it would be longer than a kernel takes"};
    std::vector<Leads> high;
    for (const Part& part : *parts) {
      high.push_back({part.values, condition(part.next, {field, false}, yes, no)});
    }
    return word_test({field, true}, high);
  }

  Label condition(Ref values, Word word, Label yes, Label no) {
    if (values == Diagrams::kTrue) return yes;
    if (values == Diagrams::kFalse) return no;
    return word_test(word, {{values, yes}, {space_.diagrams().negated(values), no}});
  }

  // The values are disjoint and make up all.
  Label word_test(Word word, const std::vector<Leads>& all) {
    struct Tests {
      Label to = 0;
      std::vector<ValueRange> ranges;
      std::vector<MaskedValue> masks;
      [[nodiscard]] std::size_t count() const { return ranges.size() + 2 * masks.size(); }
    };
    std::map<Label, Ref> by_place;
    for (const Leads& each : all) {
      const auto [place, fresh] = by_place.try_emplace(each.to, each.values);
      if (!fresh) place->second = space_.diagrams().either(place->second, each.values);
    }
    if (by_place.size() == 1) return all.front().to;
    std::vector<Tests> tests;
    for (const auto& [to, values] : by_place) {
      Tests made{to, {}, {}};
      auto ranges = ranges_of(space_, values, bits_of(word), kLongest);
      auto masks = masks_of(space_, values, bits_of(word), kLongest);
      if (ranges && (!masks || ranges->size() <= 2 * masks->size())) {
        made.ranges = *std::move(ranges);
      } else if (masks) {
        made.masks = *std::move(masks);
      } else {
        made.ranges.resize(kLongest);  // only good for being left over
      }
      tests.push_back(std::move(made));
    }
    const auto longest = std::ranges::max_element(tests, {}, &Tests::count);
    Label next = longest->to;
    tests.erase(longest);
    // A test of bits changes A: it loads the word again, and comes after those that do not.
    for (const Tests& each : tests) {
      for (const MaskedValue& mask : each.masks) {
        out_.here(out_.test(Opcode::JeqK, static_cast<std::uint32_t>(mask.value), each.to, next));
        out_.add({static_cast<std::uint16_t>(Opcode::AndK), 0, 0,
                  static_cast<std::uint32_t>(mask.mask)});
        next = load(word);
      }
    }
    bool loaded = false;
    for (const Tests& each : tests) {
      for (const ValueRange& range : each.ranges) {
        next = range_test(range, each.to, next);
        loaded = true;
      }
    }
    if (!loaded) return next;
    out_.here(next);
    return load(word);
  }

  Label range_test(const ValueRange& range, Label yes, Label no) {
    const auto first = static_cast<std::uint32_t>(range.first);
    const auto last = static_cast<std::uint32_t>(range.last);
    if (first == last) return out_.test(Opcode::JeqK, first, yes, no);
    if (last != 0xffffffffU) yes = out_.test(Opcode::JgtK, last, no, yes);
    return first == 0 ? yes : out_.test(Opcode::JgeK, first, yes, no);
  }

  Label load(Word word) {
    std::uint32_t offset = 0;
    while (word_at(offset, order_) != word) offset += 4;
    return out_.add({static_cast<std::uint16_t>(Opcode::LdAbs), 0, 0, offset});
  }

  Endings& endings_;
  Space& space_;
  ByteOrder order_;
  Backward out_;
};

}  // namespace

std::expected<Program, std::string_view> lower_table(Endings& endings, const DecisionTable& table,
                                                     ByteOrder order) {
  try {
    return Lowering(endings, order).lower(table);
  } catch (const NotLowered& why) {
    return std::unexpected(why.reason);
  }
}

}  // namespace callgate::verifier
