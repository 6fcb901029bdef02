#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// YAML as a tree, with places and within bounds: aliases are not copied, so that none can blow up.
namespace callgate::suite {

struct YamlError {
  std::size_t line = 0;    ///< from 1
  std::size_t column = 0;  ///< from 1
  std::string message;
};

struct YamlLimits {
  std::size_t bytes = std::size_t{64} << 20U;
  std::size_t nodes = 6'000'000;
  std::size_t anchors = 10'000;
  unsigned depth = 100;
  std::size_t silent = std::size_t{4} << 20U;  ///< bytes of one list in brackets, or of one text
};

/// A node's place in its YamlTree.
using YamlId = std::uint32_t;

struct YamlNode {
  enum class Kind : std::uint8_t { Null, Scalar, Sequence, Map };
  Kind kind = Kind::Null;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string scalar;
  /// Sequence: the items; Map: key and value in turn. An alias is the node that it stands for.
  std::vector<YamlId> children;
  bool quoted = false;  ///< a scalar that was written in quotes
  bool shared = false;  ///< it has an anchor: several places may lead here
};

class YamlTree {
 public:
  [[nodiscard]] const YamlNode& operator[](YamlId id) const { return nodes_[id]; }
  [[nodiscard]] const std::vector<YamlId>& documents() const noexcept { return documents_; }

  friend std::expected<YamlTree, YamlError> parse_yaml(std::string_view text,
                                                       const YamlLimits& limits);

 private:
  std::vector<YamlNode> nodes_;
  std::vector<YamlId> documents_;
};

/// Any bytes at all are a tree or an error. A node's children may be shared, and never lead back to
/// it.
[[nodiscard]] std::expected<YamlTree, YamlError> parse_yaml(std::string_view text,
                                                            const YamlLimits& limits = {});

}  // namespace callgate::suite
