// Filters of rust-vmm's seccompiler, and of Firecracker's, of which newer versions use libseccomp.
// Both read JSON with a filter for each thread. Facts from their sources (rust-vmm/seccompiler,
// src/frontend/json.rs at 16eed50 and src/backend; Firecracker, src/seccompiler at d675892):
//   seccompiler   dword compares low words; other architectures end the process; x32 calls are
//                 numbers as others; a rule without args is lost where the call has one with args
//   Firecracker   dword matters for eq alone; the rest is libseccomp's

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "harness/front_ends/json_tree.hpp"
#include "harness/front_ends/policy_text.hpp"
#include "harness/front_ends/policy_writing.hpp"
#include "harness/front_ends/profile_formats.hpp"
#include "vm/syscalls.hpp"

namespace callgate::front_ends {
namespace {

constexpr std::size_t kLongestProgram = 4096;  // BPF_MAX_LEN: what reaches it is refused
constexpr std::uint64_t kLowWord = 0xffffffffU;

struct ActionWord {
  std::string_view name;
  std::uint32_t value;
  bool has_data;
};
constexpr std::array kActions = {ActionWord{"allow", kAllowValue, false},
                                 ActionWord{"errno", kErrnoValue, true},
                                 ActionWord{"kill_thread", kKillThreadValue, false},
                                 ActionWord{"kill_process", kKillProcessValue, false},
                                 ActionWord{"log", kLogValue, false},
                                 ActionWord{"trace", kTraceValue, true},
                                 ActionWord{"trap", kTrapValue, false}};

struct ComparisonWord {
  std::string_view name;
  Comparison comparison;
};
constexpr std::array kComparisons = {
    ComparisonWord{"eq", Comparison::Equal},        ComparisonWord{"ne", Comparison::NotEqual},
    ComparisonWord{"ge", Comparison::GreaterEqual}, ComparisonWord{"gt", Comparison::Greater},
    ComparisonWord{"le", Comparison::LessEqual},    ComparisonWord{"lt", Comparison::Less}};

// An action as it is written: what a filter returns, and what tells it from others.
struct WrittenAction {
  std::uint32_t value = 0;
  std::uint64_t data = 0;

  friend bool operator==(const WrittenAction& a, const WrittenAction& b) {
    return (a.value & kActionMask) == (b.value & kActionMask) && a.data == b.data;
  }
};

struct ReadCondition {
  ArgTest test;
  std::size_t instructions = 0;  // that seccompiler makes of it
};

class Reader {
 public:
  Reader(std::string_view text, std::string_view path, const Deployment& deployment,
         bool firecracker)
      : text_(text),
        places_(text),
        path_(path),
        arch_(deployment.model.arch),
        firecracker_(firecracker) {}

  Profile read() {
    if (std::ranges::find(kSeccompilerMachines, arch_) == kSeccompilerMachines.end()) {
      fail(0,
           fmt::format("seccompiler has no filters for {}; it has for x86_64, aarch64 and riscv64",
                       info(arch_).name));
    }
    auto tree = read_json(text_);
    if (!tree) throw Malformed{std::move(tree.error())};
    if (tree->kind != JsonKind::Object || tree->members.empty()) {
      fail(tree->offset, "an object with a filter for each thread is wanted: {\"vmm\": {...}}");
    }
    const JsonMember& wanted = chosen(*tree);
    Profile out;
    std::set<std::string_view> seen;
    for (const JsonMember& each : tree->members) {
      if (!seen.insert(each.key).second) fail(each.offset, shown(each.key) + ": stands twice");
      Layer layer = filter(each);
      if (&each == &wanted) out.layers.push_back(std::move(layer));
    }
    out.notes = std::move(notes_);
    return out;
  }

 private:
  [[noreturn]] void fail(std::size_t offset, std::string message) const {
    places_.fail(offset, std::move(message));
  }

  // "file.json#vmm" names one; a single one needs no name.
  const JsonMember& chosen(const JsonNode& tree) const {
    const std::size_t hash = path_.rfind('#');
    std::string names;
    for (const JsonMember& each : tree.members) {
      if (hash != std::string_view::npos && path_.substr(hash + 1) == each.key) return each;
      names += (names.empty() ? "" : ", ") + shown(each.key);
    }
    if (hash == std::string_view::npos && tree.members.size() == 1) return tree.members.front();
    fail(tree.offset, hash == std::string_view::npos
                          ? fmt::format("it has filters for several threads; name one behind the "
                                        "file's name: FILE#{} (there are {})",
                                        shown(tree.members.front().key), names)
                          : fmt::format("no thread {} in it; there are {}",
                                        shown(path_.substr(hash + 1)), names));
  }

  // The member of a key; of two spellings where there are. Serde refuses duplicates.
  const JsonMember* member(const JsonNode& node, std::string_view key,
                           std::string_view also = {}) const {
    const JsonMember* found = nullptr;
    for (const JsonMember& each : node.members) {
      if (each.key != key && (also.empty() || each.key != also)) continue;
      if (found != nullptr) fail(each.offset, shown(each.key) + ": stands twice");
      found = &each;
    }
    return found;
  }
  const JsonMember& needed(const JsonNode& node, std::string_view key,
                           std::string_view also = {}) const {
    const JsonMember* found = member(node, key, also);
    if (found == nullptr) fail(node.offset, fmt::format("{} is missing in it", key));
    return *found;
  }
  void only(const JsonNode& node, std::initializer_list<std::string_view> keys) const {
    if (firecracker_) return;  // others are passed over there
    for (const JsonMember& each : node.members) {
      if (std::ranges::find(keys, each.key) == keys.end()) {
        fail(each.offset, shown(each.key) + ": seccompiler refuses such a key");
      }
    }
  }
  void kind(const JsonNode& node, JsonKind wanted, std::string_view what) const {
    if (node.kind != wanted) {
      fail(node.offset,
           fmt::format("{}: {} is wanted, not {}", what, words(wanted), words(node.kind)));
    }
  }
  void comment(const JsonNode& node) const {
    const JsonMember* found = firecracker_ ? nullptr : member(node, "comment");
    if (found != nullptr && found->value.kind != JsonKind::Null) {
      kind(found->value, JsonKind::String, "comment");
    }
  }
  std::uint64_t number(const JsonNode& node, std::string_view what, std::uint64_t most) const {
    kind(node, JsonKind::Integer, what);
    if (node.negative || node.number > most) {
      fail(node.offset, fmt::format("{}: a number from 0 to {} is wanted", what, most));
    }
    return node.number;
  }

  Layer filter(const JsonMember& thread) {
    const JsonNode& node = thread.value;
    kind(node, JsonKind::Object, thread.key);
    only(node, {"mismatch_action", "default_action", "match_action", "filter_action", "filter"});
    const JsonMember& otherwise = firecracker_ ? needed(node, "default_action")
                                               : needed(node, "mismatch_action", "default_action");
    const JsonMember& fitting = firecracker_ ? needed(node, "filter_action")
                                             : needed(node, "match_action", "filter_action");
    const WrittenAction mismatch = action(otherwise.value);
    const WrittenAction match = action(fitting.value);
    if (!firecracker_ && mismatch == match) {
      fail(fitting.value.offset, "both actions are equal; seccompiler refuses that");
    }
    const JsonNode& list = needed(node, "filter").value;
    kind(list, JsonKind::Array, "filter");
    Layer layer;
    layer.name = thread.key;
    layer.lowering = firecracker_ ? Lowering::Libseccomp : Lowering::Plain;
    Policy& policy = layer.policy;
    policy.default_value = mismatch.value;
    policy.foreign_value = firecracker_ ? kKillThreadValue : kKillProcessValue;
    policy.x32 = firecracker_ ? X32Calls::AsForeign : X32Calls::Numbers;
    policy.multiplexed = firecracker_;
    policy.arches = {arch_};
    instructions_ = 5;
    for (const JsonNode& each : list.items) rule(each, match.value, policy.rules);
    if (!firecracker_) drop_rules_without_tests(list, policy.rules);
    if (!firecracker_ && instructions_ >= kLongestProgram) {
      fail(list.offset,
           fmt::format("seccompiler makes {} instructions of it, and refuses {} and more",
                       instructions_, kLongestProgram));
    }
    return layer;
  }

  WrittenAction action(const JsonNode& node) const {
    const bool tagged = node.kind == JsonKind::Object && node.members.size() == 1;
    if (node.kind != JsonKind::String && !tagged) {
      fail(node.offset, "an action is \"allow\", or {\"errno\": 1}");
    }
    const std::string& name = tagged ? node.members.front().key : node.text;
    const auto* found = std::ranges::find(kActions, name, &ActionWord::name);
    if (found == kActions.end()) {
      fail(node.offset, shown(name) +
                            ": no action; there are allow, errno, kill_thread, "
                            "kill_process, log, trace, trap");
    }
    if (!found->has_data) {
      if (tagged && node.members.front().value.kind != JsonKind::Null) {
        fail(node.offset, fmt::format("write \"{}\"", name));
      }
      return {found->value, 0};
    }
    if (!tagged) fail(node.offset, fmt::format("write {{\"{}\": 1}}", name));
    const std::uint64_t data =
        number(node.members.front().value, name, firecracker_ ? kDataMask : kLowWord);
    return {found->value | (static_cast<std::uint32_t>(data) & kDataMask), data};
  }

  void rule(const JsonNode& node, std::uint32_t value, std::vector<Rule>& out) {
    kind(node, JsonKind::Object, "a rule");
    only(node, {"syscall", "args", "comment"});
    comment(node);
    const JsonNode& name = needed(node, "syscall").value;
    kind(name, JsonKind::String, "syscall");
    if (firecracker_ ? !libseccomp_knows(name.text) : !syscall_number(arch_, name.text)) {
      fail(name.offset, fmt::format("{}: no call of {}; correct the name, or leave the rule out",
                                    shown(name.text), info(arch_).name));
    }
    Rule made{name.text, {}, value, {}, {}, places_.place(node.offset)};
    const JsonMember* args = member(node, "args");
    if (args != nullptr && args->value.kind != JsonKind::Null) {
      kind(args->value, JsonKind::Array, "args");
      if (!firecracker_ && args->value.items.empty()) {
        fail(args->value.offset, "args without any; seccompiler refuses that: leave args out");
      }
      // Two jumps at the rule's beginning, and what reaches too far is helped by three more.
      std::size_t length = 3;
      std::size_t offset = 1;
      for (const JsonNode& each : args->value.items) {
        const ReadCondition read = condition(each);
        if (offset + 7 > 255) {
          length += 3;
          offset = 1;
        }
        length += read.instructions;
        offset += read.instructions;
        made.tests.push_back(read.test);
      }
      instructions_ += length;
    }
    out.push_back(std::move(made));
  }

  ReadCondition condition(const JsonNode& node) const {
    kind(node, JsonKind::Object, "a condition");
    only(node, {"index", "type", "op", "val", "comment"});
    comment(node);
    const JsonNode& index = needed(node, "index").value;
    if (number(index, "index", 255) > 5) fail(index.offset, "index: a call has args 0 to 5");
    const JsonNode& type = needed(node, "type").value;
    kind(type, JsonKind::String, "type");
    if (type.text != "dword" && type.text != "qword") {
      fail(type.offset, shown(type.text) + ": no type; there are dword and qword");
    }
    const bool dword = type.text == "dword";
    const std::uint64_t value = number(needed(node, "val").value, "val", kAllBits);
    const JsonNode& op = needed(node, "op").value;
    ReadCondition out;
    out.test.index = static_cast<unsigned>(index.number);
    out.test.value = value;
    if (op.kind == JsonKind::Object && op.members.size() == 1 &&
        op.members.front().key == "masked_eq") {
      out.test.mask = number(op.members.front().value, "masked_eq", kAllBits);
      // seccompiler, and libseccomp, take bits outside of the mask off.
      if (!firecracker_) out.test.value &= out.test.mask;
      out.instructions = dword ? 3 : 6;
    } else {
      const std::string_view name = op.kind == JsonKind::String ? op.text : std::string_view();
      const auto* found = std::ranges::find(kComparisons, name, &ComparisonWord::name);
      if (found == kComparisons.end()) {
        fail(op.offset, "no operator; there are eq, ne, ge, gt, le, lt and {\"masked_eq\": MASK}");
      }
      out.test.comparison = found->comparison;
      const bool order =
          found->comparison != Comparison::Equal && found->comparison != Comparison::NotEqual;
      out.instructions = dword ? 2 : order ? 5 : 4;
    }
    if (dword && (!firecracker_ || op.text == "eq")) {
      out.test.mask &= kLowWord;
      if (!firecracker_) out.test.value &= kLowWord;
    }
    return out;
  }

  // To seccompiler a call has rules with args, or none at all.
  void drop_rules_without_tests(const JsonNode& list, std::vector<Rule>& rules) {
    std::map<std::string_view, bool, std::less<>> with_tests;
    for (const Rule& each : rules) with_tests[each.syscall] |= !each.tests.empty();
    for (const auto& [name, tests] : with_tests) instructions_ += tests ? 2 : 5;
    std::vector<Rule> kept;
    for (std::size_t i = 0; i < rules.size(); ++i) {
      if (rules[i].tests.empty() && with_tests[rules[i].syscall]) {
        notes_.push_back(places_.note(
            list.items[i].offset,
            fmt::format("{}: the call has rules with args, too; seccompiler passes over this one",
                        rules[i].syscall)));
      } else {
        kept.push_back(rules[i]);
      }
    }
    rules = std::move(kept);
  }

  std::string_view text_;
  PolicyText places_;
  std::string_view path_;
  Arch arch_;
  bool firecracker_;
  std::size_t instructions_ = 0;
  std::vector<Note> notes_;
};

bool has_filters(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{' &&
         text.find("\"filter\"") != std::string_view::npos;
}

bool has(std::string_view text, std::string_view key) {
  return text.find(key) != std::string_view::npos;
}

}  // namespace

bool detect_seccompiler(std::string_view text, std::string_view /*path*/) {
  return has_filters(text) && (has(text, "\"mismatch_action\"") || has(text, "\"match_action\""));
}

bool detect_firecracker(std::string_view text, std::string_view /*path*/) {
  return has_filters(text) && has(text, "\"default_action\"") && has(text, "\"filter_action\"");
}

ReadProfile read_seccompiler(std::string_view text, std::string_view path,
                             const Deployment& deployment) {
  return reading([&] { return Reader(text, path, deployment, false).read(); });
}

ReadProfile read_firecracker(std::string_view text, std::string_view path,
                             const Deployment& deployment) {
  return reading([&] {
    Profile out = Reader(text, path, deployment, true).read();
    out.notes.insert(
        out.notes.begin(),
        {{},
         "as newer versions of Firecracker compile it, with libseccomp; before, and with "
         "rust-vmm's seccompiler, dword compares low words and other architectures "
         "end the process: read it as seccompiler"});
    return out;
  });
}

}  // namespace callgate::front_ends
