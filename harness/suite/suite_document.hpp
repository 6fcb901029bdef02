#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/front_ends/policy_text.hpp"
#include "harness/suite/suite.hpp"
#include "harness/suite/yaml_tree.hpp"

/// How the values of a suite's YAML are taken. For the reader alone.
namespace callgate::suite {

inline constexpr unsigned kMostMerged = 8;

/// What the reader throws inside.
struct WrongSuite {
  SuiteError error;
};

/// What a template's parameters stand for.
using Values = std::map<std::string, std::string, std::less<>>;

/// One file of YAML, and how its values are taken.
class Document {
 public:
  Document(const YamlTree& tree, std::string path) : tree_(tree), path_(std::move(path)) {}

  [[nodiscard]] const YamlNode& at(YamlId id) const { return tree_[id]; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] CasePlace place(YamlId id) const {
    return {path_, tree_[id].line, tree_[id].column};
  }
  [[noreturn]] void fail(YamlId id, std::string message) const {
    throw WrongSuite{{place(id), std::move(message)}};
  }

  /// A text, with what parameters stand for in it.
  [[nodiscard]] std::string text(YamlId id, const Values& values, std::string_view what) const {
    const YamlNode& node = at(id);
    if (node.kind != YamlNode::Kind::Scalar) fail(id, fmt::format("{} is a text", what));
    if (values.empty() || node.scalar.find('{') == std::string::npos) return node.scalar;
    std::string out;
    for (std::size_t i = 0; i < node.scalar.size();) {
      const std::size_t end = node.scalar[i] == '{' ? node.scalar.find('}', i) : std::string::npos;
      const auto found =
          end == std::string::npos
              ? values.end()
              : values.find(std::string_view(node.scalar).substr(i + 1, end - i - 1));
      if (found == values.end()) {
        out += node.scalar[i++];
      } else {
        out += found->second;
        i = end + 1;
      }
    }
    if (out.size() > 65536) fail(id, "a text of more than 64 KiB");
    return out;
  }

  /// One thing, or a list of them.
  [[nodiscard]] std::vector<YamlId> items(YamlId id) const {
    const YamlNode& node = at(id);
    if (node.kind == YamlNode::Kind::Sequence) return node.children;
    if (node.kind == YamlNode::Kind::Null) return {};
    return {id};
  }

  /// A map's entries; `<<` is what others have, where there is none of that name here.
  struct Entry {
    std::string key;
    YamlId key_id;
    YamlId value;
  };
  [[nodiscard]] std::vector<Entry> entries(YamlId id, std::string_view what,
                                           unsigned depth = 0) const {
    const YamlNode& node = at(id);
    if (node.kind != YamlNode::Kind::Map) {
      fail(id, fmt::format("{} has keys with values: `key: value`", what));
    }
    if (depth > kMostMerged) fail(id, "<< is nested too deeply");
    std::vector<Entry> out;
    std::vector<YamlId> merged;
    for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
      const YamlId key = node.children[i];
      if (at(key).kind != YamlNode::Kind::Scalar) fail(key, "a key is a text");
      if (at(key).scalar == "<<" && !at(key).quoted) {
        for (const YamlId each : items(node.children[i + 1])) merged.push_back(each);
        continue;
      }
      if (std::ranges::find(out, at(key).scalar, &Entry::key) != out.end()) {
        fail(key, fmt::format("{} stands here twice", front_ends::shown(at(key).scalar)));
      }
      out.push_back({at(key).scalar, key, node.children[i + 1]});
    }
    for (const YamlId each : merged) {
      for (Entry& entry : entries(each, "what `<<` names", depth + 1)) {
        if (std::ranges::find(out, entry.key, &Entry::key) == out.end()) {
          out.push_back(std::move(entry));
        }
      }
    }
    return out;
  }

 private:
  const YamlTree& tree_;
  std::string path_;
};

inline bool ignored(const Document::Entry& entry) { return entry.key.starts_with("x-"); }

[[noreturn]] inline void unknown_key(const Document& in, const Document::Entry& entry,
                                     std::string_view known) {
  in.fail(entry.key_id,
          fmt::format("{}: no such key; there are {}", front_ends::shown(entry.key), known));
}

}  // namespace callgate::suite
