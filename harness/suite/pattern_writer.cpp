#include "harness/suite/pattern_writer.hpp"

#include <fmt/format.h>

#include "harness/report/arguments.hpp"
#include "harness/suite/scanner.hpp"

namespace callgate::suite {
namespace {

using verifier::Field;
using verifier::MaskedValue;
using verifier::Space;
using verifier::ValueRange;

constexpr std::uint64_t kLastSmall = 4;  // alternatives that read well
constexpr std::size_t kMostRanges = 24;
constexpr std::size_t kMostMasks = 8;

// One field of a path, as the text of its test: one of these holds.
class FieldWriter {
 public:
  FieldWriter(Space& space, Field field, std::string_view call, Arch abi)
      : space_(space), field_(field), call_(call), abi_(abi) {
    if (field == Field::InstructionPointer) {
      name_ = "ip";
      return;
    }
    index_ = static_cast<unsigned>(field) - static_cast<unsigned>(Field::Arg0);
    name_ = report::argument_words(call, index_, abi).name;
  }

  [[nodiscard]] std::optional<std::vector<std::string>> tests(Space::Ref values) {
    const auto ranges = verifier::ranges_of(space_, values, field_, kMostRanges);
    if (ranges && ranges->size() <= kLastSmall) return one(in_ranges(*ranges, ""));
    const auto masks = verifier::masks_of(space_, values, field_, kMostMasks);
    if (masks && masks->size() == 1) return one(masked(masks->front(), "=="));
    const Space::Ref others = space_.diagrams().negated(values);
    const auto no_masks = verifier::masks_of(space_, others, field_, 1);
    if (no_masks && no_masks->size() == 1) return one(masked(no_masks->front(), "!="));
    const auto no_ranges = verifier::ranges_of(space_, others, field_, kMostRanges);
    if (no_ranges && (!ranges || no_ranges->size() < ranges->size())) {
      return one(in_ranges(*no_ranges, "!= "));
    }
    if (ranges) return one(in_ranges(*ranges, ""));
    if (!masks) return std::nullopt;
    std::vector<std::string> out;
    for (const MaskedValue& each : *masks) out.push_back(masked(each, "=="));
    return out;
  }

 private:
  static std::vector<std::string> one(std::string text) {
    std::vector<std::string> out;
    out.push_back(std::move(text));
    return out;
  }
  [[nodiscard]] std::string value(std::uint64_t number) const {
    return field_ == Field::InstructionPointer ? fmt::format("{:#x}", number)
                                               : pattern_value(number, call_, index_, abi_);
  }
  // Bounds are unsigned: no names, which may be those of negative numbers.
  [[nodiscard]] static std::string bound(std::uint64_t number) {
    return report::number_words(number);
  }
  [[nodiscard]] std::string in_ranges(const std::vector<ValueRange>& ranges,
                                      std::string_view sign) const {
    if (ranges.size() == 1 && ranges[0].first == ranges[0].last) {
      return fmt::format("{} {} {}", name_, sign.empty() ? "==" : "!=", value(ranges[0].first));
    }
    constexpr std::uint64_t kLast = ~std::uint64_t{0};
    if (ranges.size() == 1 && sign.empty() && ranges[0].first == 0) {
      return fmt::format("{} <= {}", name_, bound(ranges[0].last));
    }
    if (ranges.size() == 1 && sign.empty() && ranges[0].last == kLast) {
      return fmt::format("{} >= {}", name_, bound(ranges[0].first));
    }
    std::string out;
    for (const ValueRange& each : ranges) {
      out += out.empty() ? "" : ", ";
      out += each.first == each.last ? value(each.first)
                                     : fmt::format("{}..{}", bound(each.first), bound(each.last));
    }
    return fmt::format("{} {}{{{}}}", name_, sign.empty() ? "in " : sign, out);
  }
  [[nodiscard]] std::string masked(const MaskedValue& test, std::string_view sign) const {
    const std::string mask = value(test.mask);
    const std::string wanted = value(test.value);
    return fmt::format("{} & {} {} {}", name_, mask, sign, wanted);
  }

  Space& space_;
  Field field_;
  std::string_view call_;
  Arch abi_;
  unsigned index_ = 0;
  std::string name_;
};

}  // namespace

std::string pattern_value(std::uint64_t value, std::string_view call, unsigned index, Arch abi) {
  return value_words(value, call, index, abi).value_or(report::number_words(value));
}

std::optional<std::vector<std::string>> path_patterns(Space& space, const verifier::Path& path,
                                                      std::string_view call, Arch abi) {
  if (!path.opaques.empty()) return std::nullopt;
  std::vector<std::string> out{""};
  for (const auto& [field, values] : path.values) {
    if (field == Field::Arch || field == Field::Nr) return std::nullopt;
    const auto tests = FieldWriter(space, field, call, abi).tests(values);
    if (!tests || tests->size() * out.size() > kMostMasks) return std::nullopt;
    std::vector<std::string> longer;
    for (const std::string& before : out) {
      for (const std::string& test : *tests) {
        longer.push_back(before.empty() ? test : before + ", " + test);
      }
    }
    out = std::move(longer);
  }
  for (std::string& each : out) {
    each = each.empty() ? std::string(call) : fmt::format("{}({})", call, each);
  }
  return out;
}

}  // namespace callgate::suite
