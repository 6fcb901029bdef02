#include "harness/coverage/read_json.hpp"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <string>
#include <utility>

#include "harness/front_ends/formats.hpp"
#include "harness/front_ends/json_tree.hpp"
#include "harness/front_ends/policy_text.hpp"
#include "harness/suite/explicit_call.hpp"
#include "vm/arches.hpp"
#include "vm/opcodes.hpp"

namespace callgate::coverage {
namespace {

using front_ends::JsonKind;
using front_ends::JsonNode;

// The words of write_json.cpp.
constexpr std::array<std::pair<std::string_view, State>, 5> kStates = {{
    {"covered", State::Covered},
    {"not_visited", State::NotVisited},
    {"foreign", State::Foreign},
    {"unreachable", State::Unreachable},
    {"not_known", State::NotKnown},
}};

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Report read(const JsonNode& root) const {
    expect(root, JsonKind::Object, "coverage");
    const JsonNode& version = need(root, "callgate", JsonKind::Integer);
    if (version.negative || version.number != 1) {
      fail(version, fmt::format("this is coverage of version {}{}, and this program reads 1",
                                version.negative ? "-" : "", version.number));
    }
    Report out;
    out.inputs = number(root, "inputs");
    out.proofs = number(root, "proofs");
    for (const JsonNode& each : need(root, "programs", JsonKind::Array).items) {
      out.programs.push_back(program(each));
    }
    for (const JsonNode& each : need(root, "rules", JsonKind::Array).items) {
      out.rules.push_back(rule(each));
    }
    return out;
  }

 private:
  [[noreturn]] void fail(const JsonNode& node, std::string message) const {
    throw front_ends::error_at(text_, node.offset, std::move(message));
  }

  void expect(const JsonNode& node, JsonKind kind, std::string_view what) const {
    if (node.kind == kind) return;
    fail(node, fmt::format("{} is {}, not {}", what, words(kind), words(node.kind)));
  }

  const JsonNode& need(const JsonNode& object, std::string_view key, JsonKind kind) const {
    const JsonNode* found = object.find(key);
    if (found == nullptr) {
      fail(object, fmt::format("`{}` is missing: write the file by `callgate test --coverage "
                               "json=FILE`",
                               key));
    }
    expect(*found, kind, fmt::format("`{}`", key));
    return *found;
  }

  std::uint64_t number(const JsonNode& object, std::string_view key,
                       std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) const {
    const JsonNode& node = need(object, key, JsonKind::Integer);
    if (node.negative || node.number > most) {
      fail(node, fmt::format("`{}` is a number from 0 to {}", key, most));
    }
    return node.number;
  }

  const std::string& text(const JsonNode& object, std::string_view key) const {
    return need(object, key, JsonKind::String).text;
  }

  // Nothing where the key is not there.
  std::string optional_text(const JsonNode& object, std::string_view key) const {
    return object.find(key) == nullptr ? std::string{} : text(object, key);
  }

  Arch machine(const JsonNode& object) const {
    const JsonNode& node = need(object, "arch", JsonKind::String);
    const auto arch = arch_from_name(node.text);
    if (!arch) {
      fail(node, fmt::format("{} is no architecture that this program knows",
                             front_ends::shown(node.text)));
    }
    return *arch;
  }

  Point point(const JsonNode& object, Arch arch) const {
    expect(object, JsonKind::Object, "what was covered");
    Point out;
    const JsonNode& word = need(object, "state", JsonKind::String);
    bool known = false;
    for (const auto& [name, state] : kStates) {
      if (name != word.text) continue;
      out.state = state;
      known = true;
    }
    if (!known) fail(word, fmt::format("{} is no state", front_ends::shown(word.text)));
    out.inputs = number(object, "inputs");
    out.proved = need(object, "proved", JsonKind::Boolean).boolean;
    if (object.find("would") != nullptr) {
      const JsonNode& call = need(object, "would", JsonKind::String);
      const auto data = suite::parse_explicit_call(call.text, arch);
      if (!data) {
        fail(call, fmt::format("{}: {}", front_ends::shown(call.text), data.error().message));
      }
      out.would = *data;
    }
    out.why = optional_text(object, "why");
    return out;
  }

  ProgramCoverage program(const JsonNode& node) const {
    expect(node, JsonKind::Object, "a program");
    ProgramCoverage out;
    out.file = text(node, "file");
    out.arch = machine(node);
    for (const JsonNode& each : need(node, "kernels", JsonKind::Array).items) {
      expect(each, JsonKind::String, "a kernel");
      const auto version = parse_version(each.text);
      if (!version) fail(each, fmt::format("{} is no version", front_ends::shown(each.text)));
      out.kernels.push_back(*version);
    }
    const JsonNode& rows = need(node, "instructions", JsonKind::Array);
    if (rows.items.empty()) fail(rows, "a program has an instruction at least");
    for (const JsonNode& row : rows.items) add_instruction(out, row);
    return out;
  }

  void add_instruction(ProgramCoverage& to, const JsonNode& row) const {
    const std::size_t at = to.program.size();
    to.instructions.push_back(point(row, to.arch));
    const Instruction here{static_cast<std::uint16_t>(number(row, "code", 0xffff)),
                           static_cast<std::uint8_t>(number(row, "jt", 0xff)),
                           static_cast<std::uint8_t>(number(row, "jf", 0xff)),
                           static_cast<std::uint32_t>(number(row, "k", 0xffffffff))};
    to.program.push_back(here);
    const OpcodeInfo* known = find_opcode(here.code);
    if (known == nullptr || known->kind != OpcodeKind::Branch) return;
    to.branches.emplace(at, Branch{point(need(row, "taken", JsonKind::Object), to.arch),
                                   point(need(row, "not_taken", JsonKind::Object), to.arch)});
  }

  RuleCoverage rule(const JsonNode& node) const {
    expect(node, JsonKind::Object, "a rule");
    constexpr std::uint64_t kMostPlace = std::numeric_limits<std::uint32_t>::max();
    RuleCoverage out;
    out.file = text(node, "file");
    out.line = static_cast<std::size_t>(number(node, "line", kMostPlace));
    out.column = static_cast<std::size_t>(number(node, "column", kMostPlace));
    out.call = text(node, "call");
    out.arch = machine(node);
    out.point = point(node, out.arch);
    out.differs = optional_text(node, "differs");
    return out;
  }

  std::string_view text_;
};

}  // namespace

std::expected<Report, front_ends::ReadError> read_coverage(std::string_view json) {
  const auto root = front_ends::read_json(json);
  if (!root) return std::unexpected(root.error());
  try {
    return Reader(json).read(*root);
  } catch (front_ends::ReadError& error) {
    return std::unexpected(std::move(error));
  }
}

}  // namespace callgate::coverage
