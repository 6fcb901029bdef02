#include "harness/report/conditions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <map>
#include <optional>
#include <vector>

#include "harness/report/arguments.hpp"
#include "harness/report/words.hpp"

namespace callgate::report {
namespace {

using verifier::BitRun;
using verifier::Diagrams;
using verifier::Field;
using verifier::MaskedValue;
using verifier::Space;
using verifier::TermId;
using verifier::TermKind;
using verifier::Terms;
using verifier::ValueRange;
using Ref = Space::Ref;

constexpr std::size_t kMost = 40;        // of anything that is listed
constexpr std::size_t kFew = 4;          // values that are better listed than told by their bits
constexpr std::size_t kLongTerm = 2000;  // characters of a formula

// Whether registers of this ABI have 64 bits, whatever its pointers have.
bool has_wide_registers(Arch arch) {
  return info(arch).bits == 64 || arch == Arch::X32 || arch == Arch::Mips64n32 ||
         arch == Arch::Mipsel64n32;
}

ArgumentWords name_of(Field field, const CallView& view) {
  if (field == Field::Arch) return {"arch", nullptr};
  if (field == Field::Nr) return {"nr", nullptr};
  if (field == Field::InstructionPointer) return {"instruction_pointer", nullptr};
  const auto index = static_cast<unsigned>(field) - static_cast<unsigned>(Field::Arg0);
  if (view.call.empty()) return {fmt::format("arg{}", index), nullptr};
  return argument_words(view.call, index, view.arch);
}

std::string listed(const std::vector<std::string>& items) {
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i != 0) out += i + 1 == items.size() ? " or " : ", ";
    out += items[i];
  }
  return out;
}

std::string joined(const std::vector<std::string>& items, std::string_view between) {
  return fmt::format("{}", fmt::join(items, between));
}

// What a condition is about: a field, or the half of it that is looked at.
class Subject {
 public:
  Subject(Space& space, Field field, Ref values, const CallView& view)
      : space_(space),
        field_(field),
        values_(values),
        view_(view),
        words_(name_of(field, view)),
        name_(words_.name),
        bits_(verifier::bits_of(field)) {
    if (width(field) != 64) return;
    const std::uint32_t low = Space::first_variable(field) + 32;
    const Diagrams& diagrams = space.diagrams();
    const bool asks_high = diagrams.variable_of(values) < low;
    if (!diagrams.asks_from(values, low)) {
      bits_ = verifier::bits_of(verifier::Word{field, true});
      name_ = fmt::format("({} >> 32)", words_.name);
      shifted_ = true;
    } else if (!asks_high) {
      bits_ = verifier::bits_of(verifier::Word{field, false});
      if (has_wide_registers(view.arch)) name_ = fmt::format("({} as 32 bits)", words_.name);
    }
  }

  [[nodiscard]] Words words() const {
    const auto ranges = verifier::ranges_of(space_, values_, bits_, kMost);
    const auto others = ranges ? std::optional(complement(*ranges)) : std::nullopt;
    const auto singles = [](const auto& of, std::size_t most) {
      return of && of->size() <= most && std::ranges::all_of(*of, [](const ValueRange& each) {
               return each.first == each.last;
             });
    };
    if (singles(ranges, kFew)) return values_words(*ranges, false);
    if (singles(others, kFew)) return values_words(*others, true);
    const auto masks = verifier::masks_of(space_, values_, field_, kMost);
    const auto not_masks = negated_masks();
    const bool one_bit = masks && not_masks && masks->size() == 1 && not_masks->size() == 1;
    if (one_bit && (is_flags() || !ranges || ranges->size() > 1)) {
      return masks->front().value == 0 ? masks_words(*masks, false) : masks_words(*not_masks, true);
    }
    if (masks && masks->size() == 1 && (is_flags() || !ranges || ranges->size() > 1)) {
      return masks_words(*masks, false);
    }
    if (not_masks && not_masks->size() == 1 && (is_flags() || !ranges || others->size() > 1)) {
      return masks_words(*not_masks, true);
    }
    if (ranges && ranges->size() <= kFew) return ranges_words(*ranges);
    const std::size_t of_masks = masks ? masks->size() : kMost + 1;
    const std::size_t of_others = not_masks ? not_masks->size() : kMost + 1;
    const std::size_t of_ranges = ranges ? ranges->size() : kMost + 1;
    if (of_ranges <= std::min(of_masks, of_others) || singles(ranges, kMost)) {
      if (ranges && singles(others, of_ranges)) return values_words(*others, true);
      if (ranges) return ranges_words(*ranges);
    }
    if (masks && of_masks <= of_others) return masks_words(*masks, false);
    if (not_masks) return masks_words(*not_masks, true);
    return {
        fmt::format("{} is one of {:.0f} values, too many of them to be listed", name_, count()),
        false, false};
  }

 private:
  [[nodiscard]] bool is_flags() const {
    return words_.family != nullptr && words_.family->kind != FamilyKind::Values;
  }

  [[nodiscard]] double count() const {
    const double all = space_.count(values_, field_);
    return bits_.width == width(field_) ? all : all / 4294967296.0;
  }

  [[nodiscard]] std::uint64_t largest() const {
    return bits_.width == 64 ? std::numeric_limits<std::uint64_t>::max() : 0xffffffffU;
  }

  [[nodiscard]] std::vector<ValueRange> complement(const std::vector<ValueRange>& ranges) const {
    std::vector<ValueRange> out;
    std::uint64_t next = 0;
    for (const ValueRange& each : ranges) {
      if (each.first > next) out.push_back({next, each.first - 1});
      if (each.last == largest()) return out;
      next = each.last + 1;
    }
    out.push_back({next, largest()});
    return out;
  }

  [[nodiscard]] std::optional<std::vector<MaskedValue>> negated_masks() const {
    try {
      return verifier::masks_of(space_, space_.diagrams().negated(values_), field_, kMost);
    } catch (const Diagrams::Full&) {
      return std::nullopt;
    }
  }

  [[nodiscard]] std::string value(std::uint64_t of) const {
    return value_words(of, bits_.width, shifted_ ? nullptr : words_.family, view_.arch);
  }

  [[nodiscard]] Words values_words(const std::vector<ValueRange>& singles, bool no) const {
    if (singles.size() == 1) {
      return {fmt::format("{} {} {}", name_, no ? "!=" : "==", value(singles.front().first)), true,
              false};
    }
    std::vector<std::string> items;
    for (const ValueRange& each : singles) items.push_back(value(each.first));
    return {fmt::format("{} is {}{}", name_, no ? "none of " : "",
                        no ? joined(items, ", ") : listed(items)),
            true, true};
  }

  [[nodiscard]] Words ranges_words(const std::vector<ValueRange>& ranges) const {
    if (ranges.size() == 1) {
      const ValueRange& only = ranges.front();
      if (only.first == only.last) return values_words(ranges, false);
      if (only.first == 0)
        return {fmt::format("{} <= {}", name_, number_words(only.last)), true, false};
      if (only.last == largest()) {
        return {fmt::format("{} >= {}", name_, number_words(only.first)), true, false};
      }
    }
    std::vector<std::string> items;
    for (const ValueRange& each : ranges) {
      constexpr std::uint64_t kNamed = 4;  // values with names are better listed
      const bool named = words_.family != nullptr && !is_flags() && !shifted_;
      if (each.first == each.last || (named && each.last - each.first < kNamed)) {
        for (std::uint64_t at = each.first; at - each.first <= each.last - each.first; ++at) {
          items.push_back(value(at));
        }
      } else if (each.last == largest()) {
        items.push_back(fmt::format("at least {}", number_words(each.first)));
      } else {
        items.push_back(fmt::format("{} to {}", number_words(each.first), number_words(each.last)));
      }
    }
    return {fmt::format("{} is {}", name_, listed(items)), true, items.size() > 1};
  }

  [[nodiscard]] std::string mask_text(const MaskedValue& each, bool no) const {
    const auto bits = [&](std::uint64_t of) { return mask_words(of, words_.family, view_.arch); };
    const bool most = std::popcount(each.mask) > 32 && each.mask != ~std::uint64_t{0};
    std::string mask = bits(most ? ~each.mask : each.mask);
    if (mask.contains('|')) mask = fmt::format("({})", mask);
    if (most) mask.insert(0, "~");
    const std::string wanted =
        each.value == 0 ? "0" : value_words(each.value, 64, words_.family, view_.arch);
    return fmt::format("({} & {}) {} {}", words_.name, mask, no ? "!=" : "==", wanted);
  }

  [[nodiscard]] Words masks_words(const std::vector<MaskedValue>& masks, bool no) const {
    std::vector<std::string> items;
    for (const MaskedValue& each : masks) items.push_back(mask_text(each, no));
    return {joined(items, no ? " and " : " or "), true, items.size() > 1};
  }

  Space& space_;
  Field field_;
  Ref values_;
  CallView view_;
  ArgumentWords words_;
  std::string name_;
  BitRun bits_;
  bool shifted_ = false;
};

std::string_view sign_of(TermKind kind) {
  switch (kind) {
    case TermKind::Add:
      return "+";
    case TermKind::Multiply:
      return "*";
    case TermKind::Divide:
      return "/";
    case TermKind::And:
      return "&";
    case TermKind::Or:
      return "|";
    case TermKind::Xor:
      return "^";
    case TermKind::Left:
      return "<<";
    case TermKind::Right:
      return ">>";
    case TermKind::Constant:
    case TermKind::Word:
      return "";
  }
  return "";
}

}  // namespace

Words field_words(Space& space, Field field, Ref values, const CallView& view) {
  return Subject(space, field, values, view).words();
}

Words condition_words(Space& space, const verifier::Path& rule, const CallView& view) {
  std::vector<Words> parts;
  for (const auto& [field, values] : rule.values) {
    if (values != Diagrams::kTrue) parts.push_back(field_words(space, field, values, view));
  }
  for (const auto& [variable, holds] : rule.opaques) {
    parts.push_back({opaque_words(space, variable, holds, view), true, false});
  }
  Words all;
  for (const Words& each : parts) {
    if (!all.text.empty()) all.text += " and ";
    all.text += each.joined && parts.size() > 1 ? fmt::format("({})", each.text) : each.text;
    all.whole = all.whole && each.whole;
    all.joined = each.joined || parts.size() > 1;
  }
  return all;
}

std::string term_words(const Terms& terms, TermId term, const CallView& view) {
  // Parts stand before what is made of them, and may be used often: what is too long has no text.
  std::map<TermId, std::string> known;
  std::vector<TermId> open{term};
  while (!open.empty()) {
    const TermId at = open.back();
    const verifier::Term& here = terms[at];
    if (known.contains(at)) {
      open.pop_back();
      continue;
    }
    if (here.kind == TermKind::Constant) {
      known[at] = number_words(here.a);
    } else if (here.kind == TermKind::Word) {
      const verifier::Word word = terms.word_of(at);
      known[at] = name_of(word.field, view).name;
      if (width(word.field) == 64) known[at] += word.high ? ".high" : ".low";
    } else if (!known.contains(here.a)) {
      open.push_back(here.a);
      continue;
    } else if (!known.contains(here.b)) {
      open.push_back(here.b);
      continue;
    } else {
      const std::string& a = known[here.a];
      const std::string& b = known[here.b];
      known[at] = a.empty() || b.empty() || a.size() + b.size() > kLongTerm
                      ? std::string{}
                      : fmt::format("({} {} {})", a, sign_of(here.kind), b);
    }
    open.pop_back();
  }
  return known[term].empty() ? fmt::format("(a formula of {} parts)", known.size()) : known[term];
}

std::string opaque_words(const Space& space, std::uint32_t variable, bool holds,
                         const CallView& view) {
  const verifier::Opaque& asked = space.opaque(variable);
  const std::string a = term_words(space.terms(), asked.a, view);
  const std::string b = term_words(space.terms(), asked.b, view);
  switch (asked.test) {
    case Test::Equal:
      return fmt::format("{} {} {}", a, holds ? "==" : "!=", b);
    case Test::Greater:
      return fmt::format("{} {} {}", a, holds ? ">" : "<=", b);
    case Test::GreaterOrEqual:
      return fmt::format("{} {} {}", a, holds ? ">=" : "<", b);
    case Test::AnyBit:
      return fmt::format("({} & {}) {} 0", a, b, holds ? "!=" : "==");
  }
  return "";
}

std::string ending_words(const verifier::Endings& endings, const verifier::Ending& ending,
                         const KernelModel& model) {
  const Terms& terms = endings.space().terms();
  switch (ending.kind) {
    case verifier::Ending::Kind::Value:
      if (const auto value = terms.value(ending.value)) return verdict_words(*value, model);
      return fmt::format("what {} says, as action and data", term_words(terms, ending.value, {}));
    case verifier::Ending::Kind::Undefined:
      return fmt::format(
          "unknown: instruction {} shifts by 32 or more, which this kernel leaves undefined",
          ending.instruction);
    case verifier::Ending::Kind::NotFollowed:
      return fmt::format("not analysed: {} (instruction {})", ending.reason, ending.instruction);
  }
  return "";
}

}  // namespace callgate::report
