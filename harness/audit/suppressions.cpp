#include "harness/audit/suppressions.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/front_ends/json_tree.hpp"

namespace callgate::audit {
namespace {

using front_ends::JsonKind;
using front_ends::JsonMember;
using front_ends::JsonNode;
using front_ends::ReadError;

struct Malformed {
  std::size_t offset = 0;
  std::string message;
};

ReadError error_at(std::string_view text, const Malformed& malformed) {
  const std::string_view before = text.substr(0, malformed.offset);
  const auto lines = static_cast<std::size_t>(std::ranges::count(before, '\n'));
  const std::size_t newline = before.rfind('\n');
  ReadError error;
  error.line = lines + 1;
  error.column =
      newline == std::string_view::npos ? malformed.offset + 1 : malformed.offset - newline;
  error.message = malformed.message;
  return error;
}

const std::string& text_of(const JsonNode& node, std::string_view key) {
  if (node.kind != JsonKind::String || node.text.empty()) {
    throw Malformed{node.offset, fmt::format("{} has to be a text, and not an empty one", key)};
  }
  return node.text;
}

Suppression read_one(const JsonNode& node) {
  if (node.kind != JsonKind::Object) {
    throw Malformed{node.offset, fmt::format("an object is wanted, not {}", words(node.kind))};
  }
  Suppression out;
  bool named = false;
  for (const JsonMember& member : node.members) {
    if (member.key == "id") {
      const FindingInfo* row = find_finding(text_of(member.value, "id"));
      if (row == nullptr) {
        throw Malformed{member.value.offset,
                        fmt::format("{}: no such finding; `callgate audit --list` has them",
                                    member.value.text)};
      }
      out.id = row->id;
      named = true;
    } else if (member.key == "reason") {
      out.reason = text_of(member.value, "reason");
    } else if (member.key == "syscall") {
      out.syscall = text_of(member.value, "syscall");
    } else {
      throw Malformed{member.offset,
                      fmt::format("{}: a suppression has id, reason and syscall", member.key)};
    }
  }
  if (!named) throw Malformed{node.offset, "a suppression needs an id"};
  if (out.reason.empty()) throw Malformed{node.offset, "a suppression needs a reason"};
  return out;
}

std::vector<Suppression> read_all(const JsonNode& root) {
  if (root.kind != JsonKind::Object) {
    throw Malformed{root.offset, fmt::format("an object is wanted, not {}", words(root.kind))};
  }
  std::vector<Suppression> out;
  for (const JsonMember& member : root.members) {
    if (member.key != "suppress") {
      throw Malformed{member.offset, fmt::format("{}: only `suppress` is known", member.key)};
    }
    if (member.value.kind != JsonKind::Array) {
      throw Malformed{member.value.offset, "suppress has to be an array"};
    }
    for (const JsonNode& item : member.value.items) out.push_back(read_one(item));
  }
  return out;
}

}  // namespace

std::expected<std::vector<Suppression>, ReadError> read_suppressions(std::string_view json) {
  const auto root = front_ends::read_json(json);
  if (!root) return std::unexpected(root.error());
  try {
    return read_all(*root);
  } catch (const Malformed& malformed) {
    return std::unexpected(error_at(json, malformed));
  }
}

void suppress(Report& report, const std::vector<Suppression>& suppressions) {
  for (Finding& finding : report.found) {
    for (const Suppression& each : suppressions) {
      if (each.id != finding.id) continue;
      if (!each.syscall.empty() && each.syscall != finding.syscall) continue;
      finding.suppressed = each.reason;
      break;
    }
  }
}

}  // namespace callgate::audit
