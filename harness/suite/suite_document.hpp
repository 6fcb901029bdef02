#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/front_ends/policy_text.hpp"
#include "harness/suite/scanner.hpp"
#include "harness/suite/suite.hpp"
#include "harness/suite/yaml_tree.hpp"

/// How the values of a suite's YAML are taken. For the reader alone.
namespace callgate::suite {

inline constexpr unsigned kMostMerged = 8;
inline constexpr std::size_t kLongestText = 65536;
inline constexpr std::size_t kLongestName = 64;  // of a template's parameter

/// What the reader throws inside.
struct WrongSuite {
  SuiteError error;
};

/// What a template's parameters stand for.
using Values = std::map<std::string, std::string, std::less<>>;

/// How much a suite may come to, aliases and templates written out: bytes, or steps that cost as
/// much. The tree is no bound for that: lists of aliases of lists of aliases grow with each level.
class Budget {
 public:
  /// What is looked at costs this much, whatever it is.
  static constexpr std::size_t kStep = 64;

  explicit Budget(std::size_t bytes = std::size_t{512} << 20U) : left_(bytes) {}
  /// False where that much is not left.
  [[nodiscard]] bool spend(std::size_t bytes) noexcept {
    if (bytes > left_) return false;
    left_ -= bytes;
    return true;
  }

 private:
  std::size_t left_;
};

/// One file of YAML, and how its values are taken.
class Document {
 public:
  Document(const YamlTree& tree, std::string path, Budget& budget)
      : tree_(tree), path_(std::move(path)), budget_(budget) {}

  [[nodiscard]] const YamlNode& at(YamlId id) const { return tree_[id]; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] CasePlace place(YamlId id) const {
    return {path_, tree_[id].line, tree_[id].column};
  }
  [[noreturn]] void fail(YamlId id, std::string message) const {
    throw WrongSuite{{place(id), std::move(message)}};
  }

  /// Fails where more than that is not left to be spent.
  void spend(YamlId id, std::size_t bytes = Budget::kStep) const {
    if (!budget_.spend(bytes)) {
      fail(id, "aliases and templates make too much of this suite; split it");
    }
  }

  /// A text, with what parameters stand for in it.
  [[nodiscard]] std::string text(YamlId id, const Values& values, std::string_view what) const {
    const YamlNode& node = at(id);
    if (node.kind != YamlNode::Kind::Scalar) fail(id, fmt::format("{} is a text", what));
    if (node.scalar.size() > kLongestText) fail(id, "a text of more than 64 KiB");
    spend(id, Budget::kStep + node.scalar.size());
    if (values.empty() || node.scalar.find('{') == std::string::npos) return node.scalar;
    std::string out;
    for (std::size_t i = 0; i < node.scalar.size();) {
      auto found = values.end();
      if (node.scalar[i] == '{') {
        // Names are short: what is far away is no end of one.
        const std::string_view rest = std::string_view(node.scalar).substr(i + 1, kLongestName + 1);
        const std::size_t end = rest.find('}');
        if (end != std::string_view::npos) found = values.find(rest.substr(0, end));
      }
      if (found == values.end()) {
        out += node.scalar[i++];
      } else {
        out += found->second;
        i += found->first.size() + 2;
      }
      if (out.size() > kLongestText) fail(id, "a text of more than 64 KiB");
    }
    spend(id, out.size());
    return out;
  }

  /// One thing, or a list of them.
  [[nodiscard]] std::vector<YamlId> items(YamlId id) const {
    const YamlNode& node = at(id);
    spend(id, Budget::kStep + node.children.size() * sizeof(YamlId));
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
    spend(id);
    std::vector<Entry> out;
    std::set<std::string_view> names;  // of scalars in the tree
    std::vector<YamlId> merged;
    for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
      const YamlId key = node.children[i];
      if (at(key).kind != YamlNode::Kind::Scalar) fail(key, "a key is a text");
      if (at(key).scalar == "<<" && !at(key).quoted) {
        for (const YamlId each : items(node.children[i + 1])) merged.push_back(each);
        continue;
      }
      if (at(key).scalar.size() > kLongestText) fail(key, "a text of more than 64 KiB");
      spend(key, Budget::kStep + at(key).scalar.size());
      if (!names.insert(at(key).scalar).second) {
        fail(key, fmt::format("{} stands here twice", front_ends::shown(at(key).scalar)));
      }
      out.push_back({at(key).scalar, key, node.children[i + 1]});
    }
    for (const YamlId each : merged) {
      for (Entry& entry : entries(each, "what `<<` names", depth + 1)) {
        if (names.insert(at(entry.key_id).scalar).second) out.push_back(std::move(entry));
      }
    }
    return out;
  }

 private:
  const YamlTree& tree_;
  std::string path_;
  Budget& budget_;
};

inline bool ignored(const Document::Entry& entry) { return entry.key.starts_with("x-"); }

/// The name of a list that a word was probably meant to be; empty: none is near.
inline std::string_view nearest(std::string_view word, std::span<const std::string_view> names) {
  constexpr std::size_t kLongest = 32;
  std::string_view found;
  std::size_t best = 3;
  if (word.size() > kLongest) return found;
  for (const std::string_view name : names) {
    const std::size_t far = letters_apart(word, name);
    if (far >= best) continue;
    best = far;
    found = name;
  }
  return found;
}

[[noreturn]] inline void unknown_key(const Document& in, const Document::Entry& entry,
                                     std::string_view known) {
  in.fail(entry.key_id,
          fmt::format("{}: no such key; there are {}", front_ends::shown(entry.key), known));
}

}  // namespace callgate::suite
