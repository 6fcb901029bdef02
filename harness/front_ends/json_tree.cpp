#include "harness/front_ends/json_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <ranges>

#include "harness/front_ends/formats.hpp"

namespace callgate::front_ends {
namespace {

// Hands a text to the parser byte by byte and knows how far that has come.
class Counted {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  Counted() = default;
  Counted(const char* at, std::size_t* read) : at_(at), read_(read) {}
  reference operator*() const { return *at_; }
  Counted& operator++() {
    ++at_;
    ++*read_;
    return *this;
  }
  Counted operator++(int) {
    Counted before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const Counted& a, const Counted& b) { return a.at_ == b.at_; }

 private:
  const char* at_ = nullptr;
  std::size_t* read_ = nullptr;
};

bool of_number(char c) {
  return is_digit(c) || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

// Builds the tree from the parser's events; `read` is how far the parser has come.
class Builder {
 public:
  using Json = nlohmann::json;

  Builder(std::string_view text, const std::size_t& read) : text_(text), read_(read) {}

  bool null() { return add(JsonKind::Null, word_start()) != nullptr; }

  bool boolean(bool value) {
    JsonNode* node = add(JsonKind::Boolean, word_start());
    if (node != nullptr) node->boolean = value;
    return node != nullptr;
  }

  bool number_integer(Json::number_integer_t value) {
    JsonNode* node = add(JsonKind::Integer, number_start());
    if (node == nullptr) return false;
    node->negative = value < 0;
    node->number =
        value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    return true;
  }

  bool number_unsigned(Json::number_unsigned_t value) {
    JsonNode* node = add(JsonKind::Integer, number_start());
    if (node != nullptr) node->number = value;
    return node != nullptr;
  }

  bool number_float(Json::number_float_t /*value*/, const std::string& written) {
    const std::size_t start = number_start();
    if (written.find_first_of(".eE") == std::string::npos) {
      return fail(start, written + ": an integer of more than 64 bits");
    }
    JsonNode* node = add(JsonKind::Real, start);
    if (node != nullptr) node->text = written;
    return node != nullptr;
  }

  bool string(std::string& value) {
    JsonNode* node = add(JsonKind::String, string_start());
    if (node != nullptr) node->text = std::move(value);
    return node != nullptr;
  }

  static bool binary(Json::binary_t& /*value*/) { return false; }

  bool start_object(std::size_t /*size*/) { return open(JsonKind::Object); }
  bool start_array(std::size_t /*size*/) { return open(JsonKind::Array); }

  bool key(std::string& value) {
    open_.back()->members.push_back({std::move(value), string_start(), {}});
    return true;
  }

  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool parse_error(std::size_t /*position*/, const std::string& token,
                   const nlohmann::detail::exception& thrown) {
    std::string_view why = thrown.what();
    // "[json.exception.parse_error.101] parse error at line 1, column 2: what is wrong"
    const std::size_t colon = why.find(": ");
    if (colon != std::string_view::npos) why.remove_prefix(colon + 2);
    const bool number = !token.empty() && is_digit(token.back());
    return fail(number       ? number_start()
                : read_ == 0 ? 0
                             : read_ - 1,
                "not JSON: " + std::string(why));
  }

  JsonNode root;
  std::optional<ReadError> error;

 private:
  bool fail(std::size_t offset, std::string message) {
    error = error_at(text_, offset, std::move(message));
    return false;
  }

  // A new value in the innermost open one, or the root.
  JsonNode* add(JsonKind kind, std::size_t offset) {
    if (++values_ > kMaxJsonValues) {
      fail(offset, fmt::format("more than {} values", kMaxJsonValues));
      return nullptr;
    }
    JsonNode* node = &root;
    if (!open_.empty()) {
      JsonNode& parent = *open_.back();
      node = parent.kind == JsonKind::Object ? &parent.members.back().value
                                             : &parent.items.emplace_back();
    }
    node->kind = kind;
    node->offset = offset;
    return node;
  }

  bool open(JsonKind kind) {
    const std::size_t offset = read_ == 0 ? 0 : read_ - 1;
    if (open_.size() == kMaxJsonDepth) {
      return fail(offset, fmt::format("nested more than {} levels deep", kMaxJsonDepth));
    }
    JsonNode* node = add(kind, offset);
    if (node != nullptr) open_.push_back(node);
    return node != nullptr;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  // Where the token ends that was read last, one behind its last character. The parser has looked
  // at the character after a number.
  [[nodiscard]] std::size_t number_start() const {
    std::size_t end = std::min(read_, text_.size());
    while (end > 0 && !of_number(text_[end - 1])) --end;
    while (end > 0 && of_number(text_[end - 1])) --end;
    return end;
  }

  [[nodiscard]] std::size_t word_start() const {
    std::size_t at = std::min(read_, text_.size());
    while (at > 0 && text_[at - 1] >= 'a' && text_[at - 1] <= 'z') --at;
    return at;
  }

  // The quote that opens the string whose closing one was read last.
  [[nodiscard]] std::size_t string_start() const {
    std::size_t at = std::min(read_, text_.size());
    if (at < 2) return 0;
    for (at -= 2; at > 0; --at) {
      if (text_[at] != '"') continue;
      std::size_t backslashes = 0;
      while (backslashes < at && text_[at - 1 - backslashes] == '\\') ++backslashes;
      if (backslashes % 2 == 0) break;
    }
    return at;
  }

  std::string_view text_;
  const std::size_t& read_;
  std::vector<JsonNode*> open_;
  std::size_t values_ = 0;
};

}  // namespace

std::string_view words(JsonKind kind) noexcept {
  switch (kind) {
    case JsonKind::Null:
      return "null";
    case JsonKind::Boolean:
      return "true or false";
    case JsonKind::Integer:
      return "an integer";
    case JsonKind::Real:
      return "a number with a fraction or an exponent";
    case JsonKind::String:
      return "a string";
    case JsonKind::Array:
      return "an array";
    case JsonKind::Object:
      return "an object";
  }
  return "";
}

const JsonNode* JsonNode::find(std::string_view key) const noexcept {
  for (const JsonMember& member : members | std::views::reverse) {
    if (member.key != key) continue;
    return member.value.kind == JsonKind::Null ? nullptr : &member.value;
  }
  return nullptr;
}

std::expected<JsonNode, ReadError> read_json(std::string_view text) {
  std::size_t read = 0;
  Builder builder(text, read);
  const bool whole = nlohmann::json::sax_parse(Counted(text.data(), &read),
                                               Counted(text.data() + text.size(), &read), &builder);
  if (!whole || builder.error) {
    return std::unexpected(builder.error ? std::move(*builder.error)
                                         : error_at(text, read, "not JSON"));
  }
  return std::move(builder.root);
}

}  // namespace callgate::front_ends
