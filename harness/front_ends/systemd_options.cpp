#include "harness/front_ends/systemd_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "harness/front_ends/constants.hpp"
#include "harness/front_ends/lower.hpp"
#include "harness/front_ends/systemd_arches.hpp"

namespace callgate::front_ends::systemd {
namespace {

struct Flag {
  std::string_view key;
  bool Options::* member;
};

constexpr Flag kFlags[] = {
    {"LockPersonality", &Options::lock_personality},
    {"MemoryDenyWriteExecute", &Options::memory_deny_write_execute},
    {"RestrictRealtime", &Options::restrict_realtime},
    {"RestrictSUIDSGID", &Options::restrict_suid_sgid},
    {"ProtectKernelTunables", &Options::protect_kernel_tunables},
    {"ProtectKernelModules", &Options::protect_kernel_modules},
    {"ProtectKernelLogs", &Options::protect_kernel_logs},
    {"ProtectClock", &Options::protect_clock},
    {"ProtectHostname", &Options::protect_hostname},
    {"PrivateDevices", &Options::private_devices},
    {"DynamicUser", &Options::dynamic_user},
};

constexpr std::string_view kLists[] = {"SystemCallFilter",      "SystemCallLog",
                                       "SystemCallErrorNumber", "SystemCallArchitectures",
                                       "Personality",           "RestrictAddressFamilies",
                                       "RestrictNamespaces",    "RestrictFileSystems"};

// Options that filters are not made of, although their names let one expect it.
constexpr std::string_view kWithoutFilter = "RestrictFileSystems";

bool equal_without_case(std::string_view left, std::string_view right) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(left, right, {}, lower, lower);
}

std::optional<bool> boolean_of(std::string_view text) {
  const auto is = [&](std::string_view word) { return equal_without_case(text, word); };
  if (std::ranges::any_of(
          std::initializer_list<std::string_view>{"1", "yes", "y", "true", "t", "on"}, is)) {
    return true;
  }
  if (std::ranges::any_of(
          std::initializer_list<std::string_view>{"0", "no", "n", "false", "f", "off"}, is)) {
    return false;
  }
  return std::nullopt;
}

// A number as strtol(3) takes it with base 0, with Python's 0b and 0o, too; blanks may stand before
// it, and after these two.
std::optional<long> number_of(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\r";
  constexpr std::string_view kSpaces = " \t\n\v\f\r";
  const auto skip = [&](std::string_view characters) {
    text.remove_prefix(std::min(text.find_first_not_of(characters), text.size()));
  };
  bool negative = false;
  int base = 10;
  skip(kBlanks);
  const std::string_view prefix = text.substr(0, 2);
  if (prefix == "0b" || prefix == "0B" || prefix == "0o" || prefix == "0O") {
    base = (prefix[1] | 0x20) == 'b' ? 2 : 8;
    text.remove_prefix(2);
  }
  skip(kSpaces);
  if (text.starts_with('+') || text.starts_with('-')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (base == 10 && (text.starts_with("0x") || text.starts_with("0X"))) {
    base = 16;
    text.remove_prefix(2);
  } else if (base == 10 && text.starts_with('0')) {
    base = 8;
  }
  long value = 0;
  if (text.starts_with('-')) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return negative ? -value : value;
}

// systemd knows the families of the C library that it was built with.
std::optional<std::uint32_t> family_of(std::string_view name) {
  if (name == "AF_DECnet") return 12;
  if (!name.starts_with("AF_") || name == "AF_UNSPEC" || name == "AF_MAX") return std::nullopt;
  const auto value = find_constant(name, Arch::X86_64);
  if (!value) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

PlacedText without_sign(const PlacedText& value, bool& invert) {
  invert = value.text().starts_with('~');
  return invert ? value.part(1, value.text().size() - 1) : value;
}

}  // namespace

bool is_option(std::string_view key) {
  return std::ranges::find(kFlags, key, &Flag::key) != std::end(kFlags) ||
         std::ranges::find(kLists, key) != std::end(kLists);
}

void OptionReader::note(Place place, std::string message) {
  notes_.push_back({place, std::move(message)});
}

std::optional<std::uint32_t> OptionReader::errno_of(std::string_view text) const {
  constexpr long kHighest = 4095;
  const bool epoll_or_eventfd = text.starts_with("EPOLL") || text.starts_with("EFD_");
  if (text.starts_with('E') && !epoll_or_eventfd) {
    if (const auto value = find_constant(text, machine_)) return static_cast<std::uint32_t>(*value);
  }
  const auto number = number_of(text);
  if (!number || *number < 0 || *number > kHighest) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

void OptionReader::apply(const Assignment& assignment) {
  const std::string_view key = assignment.key.text();
  const PlacedText& value = assignment.value;
  if (const auto flag = std::ranges::find(kFlags, key, &Flag::key); flag != std::end(kFlags)) {
    if (const auto on = boolean_of(value.text())) {
      options_.*flag->member = *on;
    } else {
      note(value.at(0), fmt::format("{}= takes yes or no: systemd ignores the line", key));
    }
  } else if (key == "SystemCallFilter") {
    apply_calls(value, options_.filter, true);
  } else if (key == "SystemCallLog") {
    apply_calls(value, options_.log, false);
  } else if (key == "SystemCallErrorNumber") {
    apply_error(value);
  } else if (key == "SystemCallArchitectures") {
    apply_architectures(value);
  } else if (key == "Personality") {
    apply_personality(value);
  } else if (key == "RestrictAddressFamilies") {
    apply_families(value);
  } else if (key == "RestrictNamespaces") {
    apply_namespaces(value);
  } else if (key == kWithoutFilter && !value.text().empty()) {
    note(assignment.key.at(0), fmt::format("{}= is done by a BPF program of the security module, "
                                           "not by a seccomp filter",
                                           key));
  }
}

void OptionReader::apply_calls(const PlacedText& value, CallList& list, bool filter) {
  if (value.text().empty()) {
    list = {};
    return;
  }
  bool invert = false;
  const PlacedText words = without_sign(value, invert);
  if (!std::exchange(list.begun, true)) {
    list.allow = !invert;
    if (filter && list.allow) apply_call({"@default", value.at(0)}, {}, false, list);
  }
  for (Word& word : words_of(words, false, notes_)) {
    ListedCall call{{}, false, placed_ ? word.place : Place{}};
    const std::size_t colon = word.text.find(':');
    if (filter && colon != std::string::npos) {
      const std::string error = word.text.substr(colon + 1);
      call.kill = error == "kill";
      if (!call.kill) call.error = errno_of(error);
      if (colon == 0 || (!call.kill && !call.error)) {
        note(word.place, fmt::format("'{}' is no CALL:ERRNO, with an errno from 0 to 4095 or kill: "
                                     "systemd ignores it",
                                     word.text));
        continue;
      }
      if (!invert) {
        note(word.place,
             fmt::format("'{}': only lists with ~ take errnos: systemd ignores it", word.text));
        continue;
      }
      word.text.resize(colon);
    }
    apply_call(word, call, invert, list);
  }
}

void OptionReader::apply_call(const Word& word, const ListedCall& call, bool invert,
                              CallList& list) {
  if (word.text.starts_with('@')) {
    if (!sets_.contains(word.text)) {
      note(word.place, fmt::format("no set {}: systemd ignores it", word.text));
      return;
    }
    for (const std::string& member : known_members(word.text))
      list_call(member, call, invert, list);
    return;
  }
  if (libseccomp_knows(word.text)) {
    list_call(word.text, call, invert, list);
  } else {
    note(word.place, fmt::format("libseccomp {} knows no call '{}': systemd ignores it",
                                 libseccomp_version(), word.text));
  }
}

const std::vector<std::string>& OptionReader::known_members(const std::string& set) {
  const auto [place, fresh] = members_.try_emplace(set);
  if (fresh) {
    place->second = members_of(sets_, set);
    std::erase_if(place->second, [](const std::string& name) { return !libseccomp_knows(name); });
  }
  return place->second;
}

void OptionReader::list_call(const std::string& name, const ListedCall& call, bool invert,
                             CallList& list) {
  const bool has_own = call.error || call.kill;
  if (invert != list.allow || (invert && list.allow && has_own)) {
    list.calls.insert_or_assign(name, call);
  } else {
    list.calls.erase(name);
  }
}

void OptionReader::apply_error(const PlacedText& value) {
  if (value.text().empty() || value.text() == "kill") {
    options_.error.reset();
    return;
  }
  const auto error = errno_of(value.text());
  if (error && *error != 0) {
    options_.error = error;
  } else {
    note(value.at(0), fmt::format("'{}' is no errno from 1 to 4095, and not kill: systemd ignores "
                                  "the line",
                                  value.text()));
  }
}

void OptionReader::apply_architectures(const PlacedText& value) {
  if (value.text().empty()) {
    options_.architectures.reset();
    return;
  }
  for (const Word& word : words_of(value, true, notes_)) {
    const auto arch = arch_of(word.text);
    if (!arch && word.text != "native") {
      note(word.place, fmt::format("no architecture '{}': systemd ignores it", word.text));
      continue;
    }
    if (!options_.architectures) options_.architectures.emplace();
    if (arch) options_.architectures->push_back(*arch);
  }
}

void OptionReader::apply_personality(const PlacedText& value) {
  if (value.text().empty()) {
    options_.personality.reset();
  } else if (const auto personality = personality_of(value.text(), machine_)) {
    options_.personality = personality;
  } else {
    note(value.at(0), fmt::format("{} has no personality '{}': systemd ignores the line",
                                  word_of(machine_), value.text()));
  }
}

void OptionReader::apply_families(const PlacedText& value) {
  FamilyList& list = options_.families;
  if (value.text().empty() || value.text() == "none") {
    list = {};
    list.allow = !value.text().empty();
    return;
  }
  bool invert = false;
  const PlacedText words = without_sign(value, invert);
  if (!std::exchange(list.begun, true)) list.allow = !invert;
  for (const Word& word : words_of(words, true, notes_)) {
    const auto family = family_of(word.text);
    if (!family) {
      note(word.place, fmt::format("no address family '{}': systemd ignores it", word.text));
      continue;
    }
    const auto found = std::ranges::find(list.families, *family);
    if (invert != list.allow) {
      if (found == list.families.end()) list.families.push_back(*family);
    } else if (found != list.families.end()) {
      list.families.erase(found);
    }
  }
}

void OptionReader::apply_namespaces(const PlacedText& value) {
  if (value.text().empty()) {
    options_.namespaces.reset();
    return;
  }
  if (const auto restrict = boolean_of(value.text())) {
    options_.namespaces = * restrict ? 0 : all_namespaces();
    return;
  }
  bool invert = false;
  std::uint32_t flags = 0;
  std::vector<Note> broken;
  for (const Word& word : words_of(without_sign(value, invert), false, broken)) {
    const auto row = std::ranges::find(kNamespaces, word.text, &NamespaceRow::name);
    if (row == std::end(kNamespaces)) {
      broken.push_back({word.place, fmt::format("no namespace '{}'", word.text)});
      break;
    }
    flags |= row->flag;
  }
  if (!broken.empty()) {
    note(broken.front().place, broken.front().message + ": systemd ignores the line");
  } else if (!options_.namespaces) {
    options_.namespaces = invert ? ~flags & all_namespaces() : flags;
  } else {
    options_.namespaces = invert ? *options_.namespaces & ~flags : *options_.namespaces | flags;
  }
}

}  // namespace callgate::front_ends::systemd
