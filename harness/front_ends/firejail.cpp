// Profiles of firejail: what their commands say of filters (src/firejail/profile.c of 0.9.72; its
// fseccomp was asked about lists).

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "harness/front_ends/constants.hpp"
#include "harness/front_ends/firejail_filters.hpp"
#include "harness/front_ends/policy_text.hpp"
#include "harness/front_ends/profile_formats.hpp"
#include "vm/syscalls.hpp"

namespace callgate::front_ends {
namespace {

constexpr std::size_t kMostOpenFiles = 17;
constexpr std::size_t kMostEntries = 100'000;

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
    out.layers = firejail_layers(settings_, notes_);
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
      settings_.debuggers = true;
    } else if (word == "memory-deny-write-execute") {
      settings_.no_write_execute = true;
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
        settings_.protocols.push_back(found->value);
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
      if (list.empty()) settings_.namespaces |= each.value;
    }
    for (const std::string_view word : parted(list, ',')) {
      const auto* found = std::ranges::find(kNamespaces, word, &Named::name);
      if (found == kNamespaces.end()) {
        source.fail(offset, shown(word) +
                                ": no namespace that firejail knows; there are cgroup, ipc, "
                                "net, mnt, pid, time, user, uts");
      }
      settings_.namespaces |= found->value;
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
      settings_.error_value = kKillThreadValue;
    } else if (word == "log") {
      settings_.error_value = kLogValue;
    } else if (const auto value = errno_of(word)) {
      settings_.error_value = *value;
    } else {
      source.fail(offset, shown(word) + ": kill, log or an errno's name is wanted here");
    }
  }

  void seccomp(const PolicyText& source, std::size_t offset, std::string_view word,
               std::size_t list_offset, std::string_view list) {
    if (word == "seccomp.block-secondary") {
      settings_.block_secondary = true;
      return;
    }
    if (word.starts_with("seccomp.32")) {
      source.fail(offset, shown(word) +
                              ": what firejail 0.9.72 makes of it depends on its other "
                              "lists; it is not told here");
    }
    if (word == "seccomp" && list.empty()) {
      settings_.asked = true;
      return;
    }
    std::optional<FirejailList>* wanted = word == "seccomp"        ? &settings_.list
                                          : word == "seccomp.drop" ? &settings_.drop
                                          : word == "seccomp.keep" ? &settings_.keep
                                                                   : nullptr;
    if (wanted == nullptr) {
      source.fail(offset, shown(word) +
                              ": no command of firejail's; there are seccomp, seccomp.drop, "
                              "seccomp.keep, seccomp.block-secondary");
    }
    if (list.empty()) source.fail(offset, shown(word) + ": a list of calls is wanted behind it");
    settings_.asked = true;
    *wanted = entries(source, list_offset, list);
  }

  FirejailList entries(const PolicyText& source, std::size_t offset, std::string_view list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      constexpr std::string_view kAllowed =
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_,:@-$!";
      if (kAllowed.find(list[i]) == kAllowed.npos) {
        source.fail(offset + i, shown(list.substr(i, 1)) +
                                    ": firejail takes no such character in a "
                                    "list; write read,write");
      }
    }
    FirejailList out;
    const std::vector<std::string_view> words = parted(list, ',');
    if (words.empty()) source.fail(offset, "an empty list; firejail refuses it");
    for (const std::string_view word : words) {
      const std::size_t at = offset + static_cast<std::size_t>(word.data() - list.data());
      const bool group = word.front() == '@';
      const auto calls = group ? firejail_group(word.substr(1)) : std::optional(std::vector{word});
      if (!calls) source.fail(at, shown(word) + ": no group of firejail 0.9.72");
      entries_ += calls->size();
      if (entries_ > kMostEntries) source.fail(at, fmt::format("more than {} calls", kMostEntries));
      for (const std::string_view call : *calls) out.push_back(entry(source, at, call));
    }
    return out;
  }

  FirejailEntry entry(const PolicyText& source, std::size_t offset, std::string_view word) {
    FirejailEntry out;
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
               number && *number <= kFirejailHighestCall) {
      out.number = static_cast<std::int32_t>(*number);
    } else {
      notes_.push_back(source.note(offset, shown(name) +
                                               ": not among firejail 0.9.72's calls of x86_64; it "
                                               "passes over it"));
    }
    out.named = out.number &&
                syscall_name(Arch::X86_64, static_cast<std::uint32_t>(*out.number)).has_value() &&
                static_cast<std::uint32_t>(*out.number) <= kFirejailHighestCall;
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

  PolicyFiles files_;
  Arch arch_;
  std::vector<Note> notes_;
  std::vector<std::string> ignored_;
  std::vector<std::unique_ptr<PolicyFiles::File>> kept_;
  std::vector<std::unique_ptr<PolicyText>> texts_;
  FirejailSettings settings_;
  std::size_t entries_ = 0;  // of all lists
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
