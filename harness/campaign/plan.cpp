#include "harness/campaign/plan.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace callgate::campaign {
namespace {

constexpr PropertyInfo kRows[] = {
#define PROPERTY(enumerator, token, unit, counted) {Property::enumerator, token, unit, counted},
#include "harness/campaign/properties.def"
#undef PROPERTY
};

// The finaliser of splitmix64: every bit of the result depends on every bit of `x`.
constexpr std::uint64_t mixed(std::uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

std::optional<std::uint64_t> number(std::string_view text) noexcept {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::span<const PropertyInfo> properties() noexcept { return kRows; }

const PropertyInfo& info(Property property) noexcept {
  return kRows[static_cast<std::size_t>(property)];
}

std::vector<Unit> plan(const Settings& settings) {
  struct Placed {
    double at;  // how far its property is when it is half done
    Unit unit;
  };
  std::vector<Placed> placed;
  for (const PropertyInfo& row : kRows) {
    const std::uint64_t amount = settings.amount(row.property);
    const std::uint64_t units = (amount + row.unit - 1) / row.unit;
    for (std::uint64_t i = settings.shard.index - 1; i < units; i += settings.shard.count) {
      placed.push_back({(static_cast<double>(i) + 0.5) / static_cast<double>(units),
                        {row.property, i, std::min(row.unit, amount - i * row.unit)}});
    }
  }
  std::ranges::sort(placed, [](const Placed& a, const Placed& b) {
    return std::pair(a.at, a.unit.property) < std::pair(b.at, b.unit.property);
  });
  std::vector<Unit> out;
  out.reserve(placed.size());
  for (const Placed& each : placed) out.push_back(each.unit);
  return out;
}

std::uint64_t seed_of(const Unit& unit, std::uint64_t campaign_seed) noexcept {
  return mixed(mixed(mixed(campaign_seed) + static_cast<std::uint64_t>(unit.property)) +
               unit.number);
}

std::optional<Shard> parse_shard(std::string_view text) noexcept {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto index = number(text.substr(0, slash));
  const auto count = number(text.substr(slash + 1));
  if (!index || !count || *index == 0 || *index > *count) return std::nullopt;
  return Shard{*index, *count};
}

}  // namespace callgate::campaign
