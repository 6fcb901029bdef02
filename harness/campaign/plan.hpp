#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

/// How a campaign is cut into units, and those into shards.
namespace callgate::campaign {

/// The rows of properties.def.
enum class Property : std::uint8_t {
#define PROPERTY(enumerator, ...) enumerator,
#include "harness/campaign/properties.def"
#undef PROPERTY
};

inline constexpr std::size_t kProperties = 0
#define PROPERTY(...) +1
#include "harness/campaign/properties.def"
#undef PROPERTY
    ;

/// A row of properties.def.
struct PropertyInfo {
  Property property;
  std::string_view token;
  std::uint64_t unit;
  std::string_view counted;
};

/// Every row, in the order of the table.
[[nodiscard]] std::span<const PropertyInfo> properties() noexcept;
[[nodiscard]] const PropertyInfo& info(Property property) noexcept;

/// One of `count` parts of a campaign; `index` from 1.
struct Shard {
  std::uint64_t index = 1;
  std::uint64_t count = 1;

  friend bool operator==(const Shard&, const Shard&) = default;
};

/// What a campaign is; the same settings make the same programs, inputs and scripts.
struct Settings {
  std::array<std::uint64_t, kProperties> amounts{};  ///< of all shards together
  std::uint64_t inputs = 20;                         ///< calls for each program that is run
  std::uint64_t seed = 1;
  Shard shard;

  [[nodiscard]] std::uint64_t amount(Property property) const {
    return amounts[static_cast<std::size_t>(property)];
  }
  friend bool operator==(const Settings&, const Settings&) = default;
};

/// Some programs, stacks or scripts of a campaign. What they are depends on the seed, the property
/// and the number, on nothing else.
struct Unit {
  Property property{};
  std::uint64_t number = 0;  ///< among the units of that property
  std::uint64_t count = 0;

  friend bool operator==(const Unit&, const Unit&) = default;
};

/// The units of the settings' shard, in the order in which they are done: all properties advance at
/// the same pace. The units of different shards are disjoint, and together they are those of the
/// whole.
[[nodiscard]] std::vector<Unit> plan(const Settings& settings);

/// What the unit's programs are made from.
[[nodiscard]] std::uint64_t seed_of(const Unit& unit, std::uint64_t campaign_seed) noexcept;

/// A shard of "2/8"; nothing where that is none.
[[nodiscard]] std::optional<Shard> parse_shard(std::string_view text) noexcept;

}  // namespace callgate::campaign
