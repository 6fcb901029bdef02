// Profiles of firejail: the filters that their seccomp, protocol, memory-deny-write-execute and
// restrict-namespaces commands lead to on x86_64, as firejail 0.9.72 makes them (its fseccomp was
// asked, and its source read: src/firejail/{profile,sandbox,seccomp}.c, src/lib/syscall.c). Each
// filter lets calls of other architectures through, and refuses x32's numbers, -1 too. The one that
// is made first is installed last.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>

#include "harness/front_ends/constants.hpp"
#include "harness/front_ends/policy_text.hpp"
#include "harness/front_ends/profile_formats.hpp"
#include "vm/opcodes.hpp"
#include "vm/syscalls.hpp"

namespace callgate::front_ends {
namespace {

constexpr std::uint32_t kHighestKnown = 440;  // of 0.9.72's list of x86_64's calls
constexpr std::size_t kMostOpenFiles = 17;
constexpr std::uint64_t kLowWord = 0xffffffffU;

struct Group {
  std::string_view name;  // with _ for -
  std::string_view calls;
};
constexpr Group kGroups[] = {
#define FIREJAIL_GROUP(name, calls) Group{#name, calls},
#include "harness/front_ends/firejail_groups.def"
#undef FIREJAIL_GROUP
};

std::vector<std::string_view> parted(std::string_view text, char at) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(at), text.size());
    if (end > 0) out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

const Group* group_of(std::string_view name) {
  const auto* found = std::ranges::find_if(kGroups, [&](const Group& each) {
    return std::ranges::equal(each.name, name,
                              [](char a, char b) { return a == b || (a == '_' && b == '-'); });
  });
  return found == std::ranges::end(kGroups) ? nullptr : found;
}

std::vector<std::string_view> calls_of(std::string_view group) {
  const Group* found = group_of(group);
  return found == nullptr ? std::vector<std::string_view>() : parted(found->calls, ' ');
}

struct Named {
  std::string_view name;
  std::uint64_t value;
};
constexpr std::array kProtocols = {Named{"unix", 1},    Named{"inet", 2},
                                   Named{"inet6", 10},  Named{"netlink", 16},
                                   Named{"packet", 17}, Named{"bluetooth", 31}};
constexpr std::array kNamespaces = {Named{"cgroup", 0x02000000}, Named{"ipc", 0x08000000},
                                    Named{"net", 0x40000000},    Named{"mnt", 0x00020000},
                                    Named{"pid", 0x20000000},    Named{"time", 0x00000080},
                                    Named{"user", 0x10000000},   Named{"uts", 0x04000000}};
constexpr std::uint64_t kTimeNamespace = 0x80;  // clone() has other bits there

// One entry of a list of calls.
struct Entry {
  std::optional<std::int32_t> number;  // nothing: firejail passes over it
  bool named = false;                  // firejail knows a name of the number
  bool excluded = false;               // !name
  std::optional<std::uint32_t> value;  // name:EACCES, name:kill
  Place place;
};

class Reader {
 public:
  Reader(std::string_view path, const Deployment& deployment)
      : files_(path, kMostOpenFiles), arch_(deployment.model.arch) {}

  Profile read(std::string_view text) {
    const PolicyText main(text);
    if (arch_ != Arch::X86_64) {
      main.fail(0, "firejail's filters are told for x86_64 alone");
    }
    file(main);
    Profile out;
    build(out.layers);
    std::ranges::reverse(out.layers);
    if (out.layers.empty()) {
      main.fail(0,
                "no command in it makes a filter: seccomp, seccomp.drop, seccomp.keep, protocol, "
                "memory-deny-write-execute, restrict-namespaces");
    }
    out.notes = std::move(notes_);
    return out;
  }

 private:
  void file(const PolicyText& source) {
    require_text(source);
    const std::string_view text = source.text();
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      std::string_view line = text.substr(at, end - at);
      const std::size_t blanks = std::min(line.find_first_not_of(" \t\r"), line.size());
      line.remove_prefix(blanks);
      while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r')) {
        line.remove_suffix(1);
      }
      if (!line.empty() && line.front() != '#') command(source, at + blanks, line);
      at = end + 1;
    }
  }

  void command(const PolicyText& source, std::size_t offset, std::string_view line) {
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    const std::string_view word = line.substr(0, end);
    std::string_view rest = line.substr(end);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    const std::size_t rest_offset = offset + line.size() - rest.size();
    if (word == "ignore") {
      ignored_.emplace_back(rest);
      return;
    }
    if (is_ignored(line)) return;
    if (word == "include") {
      include(source, rest_offset, rest);
    } else if (word.starts_with('?')) {
      if (line.find("seccomp") != line.npos || line.find("protocol") != line.npos) {
        notes_.push_back(source.note(offset, "a conditional command, not looked at"));
      }
    } else if (word == "allow-debuggers") {
      debuggers_ = true;
    } else if (word == "memory-deny-write-execute") {
      no_write_execute_ = true;
    } else if (word == "restrict-namespaces") {
      namespaces(source, rest_offset, rest);
    } else if (word == "protocol") {
      for (const std::string_view each : parted(rest, ',')) {
        const auto* found = std::ranges::find(kProtocols, each, &Named::name);
        if (found == kProtocols.end()) {
          source.fail(rest_offset, shown(each) +
                                       ": no protocol that firejail knows; there are unix, "
                                       "inet, inet6, netlink, packet, bluetooth");
        }
        protocols_.push_back(found->value);
      }
    } else if (word == "seccomp-error-action") {
      error_action(source, rest_offset, rest);
    } else if (word.starts_with("seccomp")) {
      seccomp(source, offset, word, rest_offset, rest);
    }
  }

  // "ignore seccomp": commands that begin with these words.
  [[nodiscard]] bool is_ignored(std::string_view line) const {
    return std::ranges::any_of(ignored_, [&](const std::string& each) {
      return line.starts_with(each) && (line.size() == each.size() || line[each.size()] == ' ');
    });
  }

  void include(const PolicyText& source, std::size_t offset, std::string_view name) {
    auto opened = files_.open(name);
    if (!opened && name.find('/') == name.npos) {
      opened = files_.open("/etc/firejail/" + std::string(name));
    }
    if (!opened) {
      notes_.push_back(
          source.note(offset, fmt::format("{}: not read: {}", shown(name), opened.error())));
      return;
    }
    kept_.push_back(std::make_unique<PolicyFiles::File>(std::move(*opened)));
    texts_.push_back(std::make_unique<PolicyText>(kept_.back()->text, kept_.back()->path));
    file(*texts_.back());
    files_.close();
  }

  void namespaces(const PolicyText& source, std::size_t offset, std::string_view list) {
    for (const Named& each : kNamespaces) {
      if (list.empty()) namespaces_ |= each.value;
    }
    for (const std::string_view word : parted(list, ',')) {
      const auto* found = std::ranges::find(kNamespaces, word, &Named::name);
      if (found == kNamespaces.end()) {
        source.fail(offset, shown(word) +
                                ": no namespace that firejail knows; there are cgroup, ipc, "
                                "net, mnt, pid, time, user, uts");
      }
      namespaces_ |= found->value;
    }
  }

  static std::optional<std::uint32_t> errno_of(std::string_view word) {
    std::string name(word);
    std::ranges::transform(name, name.begin(), [](char c) {
      return static_cast<char>(c >= 'a' && c <= 'z' ? c - 0x20 : c);
    });
    const auto value = find_constant(name, Arch::X86_64);
    if (!value || !name.starts_with('E')) return std::nullopt;
    return kErrnoValue | static_cast<std::uint32_t>(*value);
  }

  void error_action(const PolicyText& source, std::size_t offset, std::string_view word) {
    if (word == "kill") {
      error_value_ = kKillThreadValue;
    } else if (word == "log") {
      error_value_ = kLogValue;
    } else if (const auto value = errno_of(word)) {
      error_value_ = *value;
    } else {
      source.fail(offset, shown(word) + ": kill, log or an errno's name is wanted here");
    }
  }

  void seccomp(const PolicyText& source, std::size_t offset, std::string_view word,
               std::size_t list_offset, std::string_view list) {
    if (word == "seccomp.block-secondary") {
      block_secondary_ = true;
      return;
    }
    if (word.starts_with("seccomp.32")) {
      source.fail(offset, shown(word) +
                              ": what firejail 0.9.72 makes of it depends on its other "
                              "lists; it is not told here");
    }
    if (word == "seccomp" && list.empty()) {
      asked_ = true;
      return;
    }
    std::optional<std::vector<Entry>>* wanted = word == "seccomp"        ? &list_
                                                : word == "seccomp.drop" ? &drop_
                                                : word == "seccomp.keep" ? &keep_
                                                                         : nullptr;
    if (wanted == nullptr) {
      source.fail(offset, shown(word) +
                              ": no command of firejail's; there are seccomp, seccomp.drop, "
                              "seccomp.keep, seccomp.block-secondary");
    }
    if (list.empty()) source.fail(offset, shown(word) + ": a list of calls is wanted behind it");
    asked_ = true;
    *wanted = entries(source, list_offset, list);
  }

  std::vector<Entry> entries(const PolicyText& source, std::size_t offset, std::string_view list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      constexpr std::string_view kAllowed =
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_,:@-$!";
      if (kAllowed.find(list[i]) == kAllowed.npos) {
        source.fail(offset + i, shown(list.substr(i, 1)) +
                                    ": firejail takes no such character in a "
                                    "list; write read,write");
      }
    }
    std::vector<Entry> out;
    const std::vector<std::string_view> words = parted(list, ',');
    if (words.empty()) source.fail(offset, "an empty list; firejail refuses it");
    for (const std::string_view word : words) {
      const std::size_t at = offset + static_cast<std::size_t>(word.data() - list.data());
      if (word.front() == '@') {
        if (group_of(word.substr(1)) == nullptr || word == "@secondary-32") {
          source.fail(at, shown(word) + ": no group of firejail 0.9.72");
        }
        for (const std::string_view call : calls_of(word.substr(1))) {
          out.push_back(entry(source, at, call));
        }
      } else {
        out.push_back(entry(source, at, word));
      }
    }
    return out;
  }

  Entry entry(const PolicyText& source, std::size_t offset, std::string_view word) {
    Entry out;
    out.place = source.place(offset);
    const std::string_view whole = word;
    out.excluded = word.starts_with('!');
    if (out.excluded) word.remove_prefix(1);
    const std::size_t colon = std::min(word.find(':'), word.size());
    const std::string_view name = word.substr(0, colon);
    if (name.empty()) source.fail(offset, shown(whole) + ": a call's name is missing");
    if (name.front() == '$') {
      const auto number = c_number(name.substr(1), 64);
      const std::uint64_t value = number ? number->value : 0;
      if (value > 0x3fffffff) source.fail(offset, shown(whole) + ": no number of a call");
      out.number = static_cast<std::int32_t>(value);
    } else if (const auto number = syscall_number(Arch::X86_64, name);
               number && *number <= kHighestKnown) {
      out.number = static_cast<std::int32_t>(*number);
    } else {
      notes_.push_back(source.note(offset, shown(name) +
                                               ": not among firejail 0.9.72's calls of x86_64; it "
                                               "passes over it"));
    }
    out.named = out.number &&
                syscall_name(Arch::X86_64, static_cast<std::uint32_t>(*out.number)).has_value() &&
                static_cast<std::uint32_t>(*out.number) <= kHighestKnown;
    if (colon < word.size()) {
      const std::string_view action = word.substr(colon + 1);
      out.value = action == "kill" ? std::optional(kKillThreadValue) : errno_of(action);
      if (!out.value) {
        notes_.push_back(source.note(offset, shown(whole) +
                                                 ": no name of an errno; firejail passes "
                                                 "over the entry"));
        out.number.reset();
      }
    }
    if (out.excluded && out.number == 0) {
      notes_.push_back(source.note(offset, shown(whole) + ": the call's number is 0, and firejail "
                                                          "takes it as if there were no !"));
      out.excluded = false;
    }
    return out;
  }

  // ---- what comes of it ----

  // Beside lists of its own firejail keeps the blocking filter that it was built with.
  static constexpr std::uint32_t kBuiltIn = kErrnoValue | 1;

  Layer native(std::string name) const { return native(std::move(name), error_value_); }
  static Layer native(std::string name, std::uint32_t x32_value) {
    Layer out;
    out.name = std::move(name);
    out.policy.default_value = kAllowValue;
    out.policy.foreign_value = kAllowValue;
    out.policy.arches = {Arch::X86_64};
    out.policy.x32 = X32Calls::Numbers;
    const auto step = [&](Opcode opcode, std::uint32_t k, std::uint8_t jt = 0,
                          std::uint8_t jf = 0) {
      out.before.push_back({static_cast<std::uint16_t>(opcode), jt, jf, k});
    };
    step(Opcode::LdAbs, 4);
    step(Opcode::JeqK, info(Arch::X86_64).token, 0, 3);
    step(Opcode::LdAbs, 0);
    step(Opcode::JgeK, kX32Bit, 0, 1);
    step(Opcode::RetK, x32_value);
    return out;
  }

  Layer of_x86(std::string name) const {
    Layer out;
    out.name = std::move(name);
    out.policy.default_value = kAllowValue;
    out.policy.foreign_value = kAllowValue;
    out.policy.arches = {Arch::X86};
    return out;
  }

  static void add(Layer& layer, std::string_view call, std::uint32_t value,
                  std::vector<ArgTest> tests = {}) {
    layer.policy.rules.push_back({std::string(call), {}, value, std::move(tests), {}, {}});
  }
  static void add_number(Layer& layer, const Entry& entry, std::uint32_t value) {
    layer.policy.rules.push_back({{}, entry.number, value, {}, {}, entry.place});
  }

  void build(std::vector<Layer>& out) {
    if (!protocols_.empty()) out.push_back(protocol_filter());
    if (asked_) {
      if (block_secondary_) {
        out.push_back(secondary_block());
      } else if (!keep_ && !drop_) {
        Layer layer = of_x86("seccomp.32");
        for (const std::string_view call : calls_of("secondary_32")) add(layer, call, error_value_);
        out.push_back(std::move(layer));
      }
      out.push_back(keep_ ? keep_filter() : drop_filter());
    } else if (block_secondary_) {
      notes_.push_back({{}, "seccomp.block-secondary does nothing without seccomp"});
    }
    if (no_write_execute_) {
      out.push_back(write_execute());
      out.push_back(write_execute_32());
    }
    if (namespaces_ != 0) {
      out.push_back(namespace_filter(native("restrict-namespaces")));
      out.push_back(namespace_filter(of_x86("restrict-namespaces.32")));
    }
  }

  // What entries say by themselves stands before all else; "!call" by the opposite of the list's.
  void add_exceptions(Layer& layer, const std::vector<Entry>& list, std::uint32_t excluded) const {
    for (const Entry& each : list) {
      if (!each.number) continue;
      if (each.value) {
        if (!each.excluded) add_number(layer, each, *each.value);
      } else if (each.excluded) {
        add_number(layer, each, excluded);
      }
    }
  }

  static bool always_kept(const Entry& entry) {
    return std::ranges::any_of(calls_of("default-keep"), [&](std::string_view name) {
      return entry.number == static_cast<std::int32_t>(*syscall_number(Arch::X86_64, name));
    });
  }

  Layer drop_filter() {
    Layer layer = native("seccomp");
    const std::optional<std::vector<Entry>>& list = drop_ ? drop_ : list_;
    if (list) add_exceptions(layer, *list, kAllowValue);
    if (!drop_) {
      for (const std::string_view call : calls_of(debuggers_ ? "default" : "default-nodebuggers")) {
        add(layer, call, error_value_);
      }
    }
    for (const Entry& each : list.value_or(std::vector<Entry>())) {
      if (!each.number || each.excluded) continue;
      if (!each.named) {
        notes_.push_back({each.place, fmt::format("${}: firejail knows no name of it, and loses it",
                                                  *each.number)});
      } else if (always_kept(each)) {
        notes_.push_back(
            {each.place,
             fmt::format("{}: firejail still needs it, and leaves it to a filter that a "
                         "preloaded library installs; that one is not told here",
                         *syscall_name(Arch::X86_64, static_cast<std::uint32_t>(*each.number)))});
      } else {
        add_number(layer, each, error_value_);
      }
    }
    return layer;
  }

  Layer keep_filter() const {
    Layer layer = native("seccomp.keep");
    layer.policy.default_value = error_value_;
    add_exceptions(layer, *keep_, error_value_);
    for (const std::string_view call : calls_of("default-keep")) add(layer, call, kAllowValue);
    for (const Entry& each : *keep_) {
      if (each.number && !each.excluded) add_number(layer, each, kAllowValue);
    }
    return layer;
  }

  Layer secondary_block() const {
    const std::uint32_t value = keep_ || drop_ ? kBuiltIn : error_value_;
    Layer layer = native("seccomp.block-secondary", value);
    layer.policy.foreign_value = value;
    for (const std::uint64_t allowed : {std::uint64_t{0}, kLowWord}) {
      add(layer, "personality", kAllowValue, {{0, Comparison::Equal, allowed, kAllBits}});
    }
    add(layer, "personality", value);
    return layer;
  }

  Layer protocol_filter() const {
    Layer layer = native("protocol");
    layer.policy.arches = {Arch::X86_64, Arch::X86};
    constexpr std::uint32_t kNotSupported = kErrnoValue | 95;
    for (const std::uint64_t family : protocols_) {
      add(layer, "socket", kAllowValue, {{0, Comparison::Equal, family, kLowWord}});
    }
    add(layer, "socket", kNotSupported);
    return layer;
  }

  void deny_bits(Layer& layer, std::string_view call, std::uint64_t bits) const {
    add(layer, call, error_value_, {{2, Comparison::Equal, bits, bits}});
  }

  Layer write_execute() const {
    Layer layer = native("memory-deny-write-execute");
    deny_bits(layer, "mmap", 6);
    deny_bits(layer, "mprotect", 4);
    deny_bits(layer, "pkey_mprotect", 4);
    deny_bits(layer, "shmat", 0x8000);
    add(layer, "memfd_create", error_value_);
    return layer;
  }

  Layer write_execute_32() const {
    Layer layer = of_x86("memory-deny-write-execute.32");
    add(layer, "mmap", error_value_);
    deny_bits(layer, "mmap2", 6);
    deny_bits(layer, "mprotect", 4);
    deny_bits(layer, "pkey_mprotect", 4);
    deny_bits(layer, "shmat", 0x8000);
    add(layer, "memfd_create", error_value_);
    return layer;
  }

  Layer namespace_filter(Layer layer) const {
    constexpr std::uint32_t kNoSuchCall = kErrnoValue | 38;
    add(layer, "clone", error_value_,
        {{0, Comparison::NotEqual, 0, namespaces_ & ~kTimeNamespace}});
    add(layer, "clone3", kNoSuchCall);
    add(layer, "unshare", error_value_, {{0, Comparison::NotEqual, 0, namespaces_}});
    add(layer, "setns", error_value_, {{1, Comparison::Equal, 0, kLowWord}});
    add(layer, "setns", error_value_, {{1, Comparison::NotEqual, 0, namespaces_}});
    return layer;
  }

  PolicyFiles files_;
  Arch arch_;
  std::vector<Note> notes_;
  std::vector<std::string> ignored_;
  std::vector<std::unique_ptr<PolicyFiles::File>> kept_;
  std::vector<std::unique_ptr<PolicyText>> texts_;
  bool asked_ = false;
  bool block_secondary_ = false;
  bool debuggers_ = false;
  bool no_write_execute_ = false;
  std::uint64_t namespaces_ = 0;
  std::uint32_t error_value_ = kErrnoValue | 1;
  std::vector<std::uint64_t> protocols_;
  std::optional<std::vector<Entry>> list_;
  std::optional<std::vector<Entry>> drop_;
  std::optional<std::vector<Entry>> keep_;
};

}  // namespace

bool detect_firejail(std::string_view text, std::string_view path) {
  if (path.ends_with(".profile") || path.ends_with(".inc")) return !has_strange_bytes(text);
  // A line that is one of its commands.
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    for (const std::string_view word :
         {"seccomp", "seccomp.drop", "seccomp.keep", "seccomp.block-secondary",
          "seccomp-error-action", "memory-deny-write-execute", "restrict-namespaces"}) {
      if (line == word || (line.starts_with(word) && line.substr(word.size()).starts_with(' '))) {
        return true;
      }
    }
    at = end + 1;
  }
  return false;
}

ReadProfile read_firejail(std::string_view text, std::string_view path,
                          const Deployment& deployment) {
  return reading([&] { return Reader(path, deployment).read(text); });
}

}  // namespace callgate::front_ends
