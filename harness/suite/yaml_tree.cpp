#include "harness/suite/yaml_tree.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <istream>
#include <map>
#include <streambuf>
#include <utility>

namespace callgate::suite {
namespace {

struct TooMuch {
  YamlError error;
};

// A text as a stream, without a copy. The parser keeps all of a list in brackets before it says
// anything of it, a hundred bytes for each comma: what it may read without a word has an end.
class TextBuffer : public std::streambuf {
 public:
  TextBuffer(std::string_view text, std::size_t most_silent)
      : text_(text), most_silent_(most_silent) {
    hand_out(0);
  }

  // The parser has said something of what was read.
  void heard() noexcept { heard_at_ = given_; }

 protected:
  int_type underflow() override {
    if (given_ == text_.size()) return traits_type::eof();
    if (given_ - heard_at_ > most_silent_) {
      const std::string_view before = text_.substr(0, heard_at_);
      throw TooMuch{
          {static_cast<std::size_t>(std::ranges::count(before, '\n')) + 1, 1,
           fmt::format("a list in brackets, a text or a comment of more than {} MiB; write lists "
                       "with a dash before each item",
                       most_silent_ >> 20U)}};
    }
    hand_out(std::min(kPart, text_.size() - given_));
    return traits_type::to_int_type(*gptr());
  }

 private:
  static constexpr std::size_t kPart = 4096;

  void hand_out(std::size_t count) {
    // Never written through: it is read alone.
    char* const start = const_cast<char*>(text_.data()) + given_;
    setg(start, start, start + count);
    given_ += count;
  }

  std::string_view text_;
  std::size_t most_silent_;
  std::size_t given_ = 0;
  std::size_t heard_at_ = 0;
};

YamlError error_at(const YAML::Mark& mark, std::string message) {
  if (mark.is_null()) return {0, 0, std::move(message)};
  return {static_cast<std::size_t>(mark.line) + 1, static_cast<std::size_t>(mark.column) + 1,
          std::move(message)};
}

// Patterns of calls have characters that mean something else in YAML. `message` is the parser's.
std::string_view hint_of_quotes(std::string_view message, std::string_view text, std::size_t line) {
  const auto says = [&](std::string_view part) { return message.find(part) != message.npos; };
  for (; line > 1 && !text.empty(); --line) {
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  }
  text = text.substr(0, text.find('\n'));
  const bool calls = text.find('(') != text.npos;
  const bool meant = says(YAML::ErrorMsg::ALIAS_NOT_FOUND) ||
                     (says(YAML::ErrorMsg::UNKNOWN_ANCHOR) && calls) ||
                     (says(YAML::ErrorMsg::UNKNOWN_TOKEN) && text.find('@') != text.npos) ||
                     (says(YAML::ErrorMsg::MAP_VALUE) && calls) ||
                     (says(YAML::ErrorMsg::END_OF_SEQ_FLOW) && calls);
  return meant ? "; put patterns in quotes: `allow: [\"read(*, 0x0)\", \"@unknown\"]`" : "";
}

// Makes nodes of what the parser meets, and stops it where that is too much.
class Builder : public YAML::EventHandler {
 public:
  Builder(std::vector<YamlNode>& nodes, std::vector<YamlId>& documents, const YamlLimits& limits,
          TextBuffer& text)
      : nodes_(nodes), documents_(documents), limits_(limits), text_(text) {}

  void OnDocumentStart(const YAML::Mark& /*mark*/) override { anchors_.clear(); }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    place(made(YamlNode::Kind::Null, mark, anchor));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      throw TooMuch{error_at(mark, "an alias of what it stands in itself")};
    }
    place(found->second);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const YamlId id = made(YamlNode::Kind::Scalar, mark, anchor);
    nodes_[id].scalar = value;
    nodes_[id].quoted = tag == "!";
    if (tag == "?" && (value == "~" || value == "null" || value.empty())) {
      nodes_[id].kind = YamlNode::Kind::Null;
    }
    place(id);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(YamlNode::Kind::Sequence, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(YamlNode::Kind::Map, mark, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlId id;
    YAML::anchor_t anchor;
  };

  YamlId made(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    text_.heard();
    if (nodes_.size() >= limits_.nodes) {
      throw TooMuch{
          error_at(mark, fmt::format("more than {} values; split the file", limits_.nodes))};
    }
    const auto id = static_cast<YamlId>(nodes_.size());
    YamlNode& node = nodes_.emplace_back();
    node.kind = kind;
    node.line = static_cast<std::uint32_t>(mark.line + 1);
    node.column = static_cast<std::uint32_t>(mark.column + 1);
    node.shared = anchor != YAML::NullAnchor;
    if (anchor == YAML::NullAnchor) return id;
    if (++count_ > limits_.anchors) {
      throw TooMuch{
          error_at(mark, fmt::format("more than {} anchors; a template does with one what they do",
                                     limits_.anchors))};
    }
    // What has children can be meant only when it is whole.
    if (kind == YamlNode::Kind::Scalar || kind == YamlNode::Kind::Null) anchors_[anchor] = id;
    return id;
  }
  void open(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    const YamlId id = made(kind, mark, anchor);
    if (open_.size() >= limits_.depth) {
      throw TooMuch{error_at(mark, fmt::format("nested more than {} deep", limits_.depth))};
    }
    open_.push_back({id, anchor});
  }
  void close() {
    const Open done = open_.back();
    open_.pop_back();
    if (done.anchor != YAML::NullAnchor) anchors_[done.anchor] = done.id;
    place(done.id);
  }
  void place(YamlId id) {
    if (open_.empty()) {
      documents_.push_back(id);
    } else {
      nodes_[open_.back().id].children.push_back(id);
    }
  }

  std::vector<YamlNode>& nodes_;
  std::vector<YamlId>& documents_;
  const YamlLimits& limits_;
  TextBuffer& text_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlId> anchors_;
  std::size_t count_ = 0;
};

// The parser remembers where simple keys may begin, and is slow where there are very many open
// brackets in a row: they are counted before it sees them.
std::optional<YamlError> too_deep(std::string_view text, unsigned depth) {
  std::size_t line = 1;
  unsigned open = 0;
  for (const char c : text) {
    line += c == '\n' ? 1 : 0;
    if (c == '[' || c == '{') ++open;
    if ((c == ']' || c == '}') && open != 0) --open;
    if (open > depth * 20) return YamlError{line, 1, "brackets are nested too deeply"};
  }
  return std::nullopt;
}

}  // namespace

std::expected<YamlTree, YamlError> parse_yaml(std::string_view text, const YamlLimits& limits) {
  if (text.size() > limits.bytes) {
    return std::unexpected(YamlError{0, 0, fmt::format("larger than {} MiB", limits.bytes >> 20U)});
  }
  if (const auto deep = too_deep(text, limits.depth)) return std::unexpected(*deep);
  YamlTree tree;
  TextBuffer buffer(text, limits.silent);
  std::istream stream(&buffer);
  try {
    Builder builder(tree.nodes_, tree.documents_, limits, buffer);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
      if (tree.documents_.size() > 1000) {
        return std::unexpected(YamlError{0, 0, "more than 1,000 documents"});
      }
    }
  } catch (TooMuch& too_much) {
    return std::unexpected(std::move(too_much.error));
  } catch (const YAML::Exception& wrong) {
    YamlError error = error_at(wrong.mark, wrong.msg);
    error.message += hint_of_quotes(error.message, text, error.line);
    return std::unexpected(std::move(error));
  }
  return tree;
}

}  // namespace callgate::suite
