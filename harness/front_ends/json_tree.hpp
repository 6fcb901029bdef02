#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/front_ends/program_reader.hpp"

/// JSON with the places of its parts, for errors that say where.
namespace callgate::front_ends {

enum class JsonKind : std::uint8_t { Null, Boolean, Integer, Real, String, Array, Object };

/// "a string", "an object", and so on.
[[nodiscard]] std::string_view words(JsonKind kind) noexcept;

struct JsonMember;

/// A value of a JSON text.
struct JsonNode {
  JsonKind kind = JsonKind::Null;
  std::size_t offset = 0;  ///< in bytes, of its first character
  bool boolean = false;
  bool negative = false;            ///< an Integer below 0: `number` is its distance from 0
  std::uint64_t number = 0;         ///< Integer
  std::string text{};               ///< String; Real as it is written
  std::vector<JsonNode> items;      ///< Array
  std::vector<JsonMember> members;  ///< Object, in the order of the text, duplicates too

  /// The member of a key, the last one of several; nullptr where there is none, or null.
  [[nodiscard]] const JsonNode* find(std::string_view key) const noexcept;
};

struct JsonMember {
  std::string key;
  std::size_t offset = 0;  ///< of the key
  JsonNode value;
};

inline constexpr std::size_t kMaxJsonDepth = 32;
inline constexpr std::size_t kMaxJsonValues = 2'000'000;

/// Reads one JSON value (RFC 8259) with nothing but white space around it. Refused, with the place:
/// anything else, more than kMaxJsonDepth levels, more than kMaxJsonValues values, an integer of
/// more than 64 bits.
[[nodiscard]] std::expected<JsonNode, ReadError> read_json(std::string_view text);

}  // namespace callgate::front_ends
