// LXC's seccomp policies, of version 1 (numbers that are allowed) and 2 (names with actions). Facts
// from its source (src/lxc/seccomp.c at 00671e8; 5.0.2 was run beside it), which hands rule by rule
// to libseccomp: to a filter of the machine's own architecture and to one of each that it also
// runs, merged at the end; a name that one of these does not have is left out there. What section
// of an architecture a rule stands in matters only where the machine does not run that at all.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>

#include "harness/front_ends/formats.hpp"
#include "harness/front_ends/lower.hpp"
#include "harness/front_ends/policy_text.hpp"
#include "harness/front_ends/policy_writing.hpp"
#include "harness/front_ends/profile_formats.hpp"
#include "vm/syscalls.hpp"

namespace callgate::front_ends {
namespace {

struct Section {
  std::string_view name;  // as it is written; in capital letters, too
  Arch arch;
  std::array<Arch, 2> machines;  // where it is not passed over
};
constexpr std::array kSections = {
    Section{"x86", Arch::X86, {Arch::X86, Arch::X86_64}},
    Section{"x32", Arch::X32, {Arch::X86_64, Arch::X86_64}},
    Section{"x86_64", Arch::X86_64, {Arch::X86_64, Arch::X86_64}},
    Section{"arm", Arch::Arm, {Arch::Arm, Arch::AArch64}},
    Section{"arm64", Arch::AArch64, {Arch::AArch64, Arch::AArch64}},
    Section{"ppc64le", Arch::Ppc64le, {Arch::Ppc64le, Arch::Ppc64le}},
    Section{"ppc64", Arch::Ppc64, {Arch::Ppc64, Arch::Ppc64}},
    Section{"ppc", Arch::Ppc, {Arch::Ppc, Arch::Ppc64}},
    Section{"mips64", Arch::Mips64, {Arch::Mips64, Arch::Mips64}},
    Section{"mips64n32", Arch::Mips64n32, {Arch::Mips64, Arch::Mips64}},
    Section{"mips", Arch::Mips, {Arch::Mips, Arch::Mips64}},
    Section{"mipsel64", Arch::Mipsel64, {Arch::Mipsel64, Arch::Mipsel64}},
    Section{"mipsel64n32", Arch::Mipsel64n32, {Arch::Mipsel64, Arch::Mipsel64}},
    Section{"mipsel", Arch::Mipsel, {Arch::Mipsel, Arch::Mipsel64}},
    Section{"s390x", Arch::S390x, {Arch::S390x, Arch::S390x}},
    Section{"s390", Arch::S390, {Arch::S390, Arch::S390}}};

struct ComparisonWord {
  std::string_view name;
  std::string_view sign;
  Comparison comparison;
  bool masked;
};
constexpr std::array kComparisons = {
    ComparisonWord{"SCMP_CMP_NE", "!=", Comparison::NotEqual, false},
    ComparisonWord{"SCMP_CMP_LT", "<", Comparison::Less, false},
    ComparisonWord{"SCMP_CMP_LE", "<=", Comparison::LessEqual, false},
    ComparisonWord{"SCMP_CMP_EQ", "==", Comparison::Equal, false},
    ComparisonWord{"SCMP_CMP_GE", ">=", Comparison::GreaterEqual, false},
    ComparisonWord{"SCMP_CMP_GT", ">", Comparison::Greater, false},
    ComparisonWord{"SCMP_CMP_MASKED_EQ", "&=", Comparison::Equal, true}};

constexpr std::size_t kMostTests = 6;

// What scanf()'s %d finds at the beginning of a text; nothing where there is no number of 32 bits.
std::optional<std::int32_t> decimal(std::string_view text, std::size_t* length = nullptr) {
  std::size_t at = 0;
  while (at < text.size() && is_space(text[at])) ++at;
  const bool negative = at < text.size() && text[at] == '-';
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
  const std::size_t start = at;
  std::int64_t value = 0;
  for (; at < text.size() && is_digit(text[at]); ++at) {
    value = value * 10 + (text[at] - '0');
    if (value > 0x80000000LL) return std::nullopt;
  }
  if (at == start || (!negative && value > 0x7fffffff)) return std::nullopt;
  if (length != nullptr) *length = at;
  return static_cast<std::int32_t>(negative ? -value : value);
}

class Reader {
 public:
  Reader(std::string_view text, const Deployment& deployment)
      : source_(text), machine_(deployment.model.arch) {
    policy_.default_value = kKillThreadValue;
    policy_.foreign_value = kKillThreadValue;
    policy_.multiplexed = true;
  }

  Profile read() {
    require_text(source_);
    std::size_t at = 0;
    const auto version = decimal(source_.text(), &at);
    if (version != 1 && version != 2) {
      source_.fail(0, "the first line is the version: 1 or 2");
    }
    while (at < source_.text().size() && is_space(source_.text()[at])) ++at;
    if (at == source_.text().size()) {
      source_.fail(at, "after the version stands allowlist or denylist");
    }
    const std::string_view kind = line_at(at);
    if (kind.find("debug") != std::string_view::npos) {
      source_.fail(at + kind.find("debug"), "debug: LXC refuses it");
    }
    Layer layer;
    if (version == 1) {
      if (kind.find("allowlist") == std::string_view::npos) {
        source_.fail(at, fmt::format("{}: version 1 has allowlist alone", shown(kind)));
      }
      policy_.arches = {machine_};
      layer.lowering = Lowering::Libseccomp;
      lines(at + kind.size() + 1,
            [&](std::size_t offset, std::string_view line) { number(offset, line); });
    } else {
      header(at, kind);
      policy_.arches = lxc_arches(machine_);
      passed_over_ = std::ranges::none_of(
          kSections, [&](const Section& each) { return each.arch == machine_; });
      layer.lowering = Lowering::LibseccompExact;
      lines(at + kind.size() + 1,
            [&](std::size_t offset, std::string_view line) { entry(offset, line); });
      layer.flags.new_listener = std::ranges::any_of(policy_.rules, [](const Rule& rule) {
        return (rule.value & kActionMask) == kUserNotifValue;
      });
    }
    layer.policy = std::move(policy_);
    Profile out;
    out.layers.push_back(std::move(layer));
    out.notes = std::move(notes_);
    return out;
  }

 private:
  [[nodiscard]] std::string_view line_at(std::size_t at) const {
    const std::string_view rest = source_.text().substr(at);
    return rest.substr(0, rest.find('\n'));
  }

  template <typename Use>
  void lines(std::size_t at, const Use& use) {
    while (at < source_.text().size()) {
      const std::string_view line = line_at(at);
      use(at, line);
      at += line.size() + 1;
    }
  }

  void note(std::size_t offset, std::string message) {
    notes_.push_back(source_.note(offset, std::move(message)));
  }

  void number(std::size_t offset, std::string_view line) {
    std::size_t length = 0;
    const auto nr = decimal(line, &length);
    if (!nr) {
      source_.fail(offset, fmt::format("{}: version 1 has a number on every line, and no comments; "
                                       "version 2 has names",
                                       shown(line)));
    }
    if (*nr < 0) {
      source_.fail(offset,
                   "a number below 0; to libseccomp that is a call that this machine lacks");
    }
    if (line.find_first_not_of(" \t", length) != std::string_view::npos) {
      note(offset + length, "LXC passes over what follows the number");
    }
    policy_.rules.push_back({{}, *nr, kAllowValue, {}, {}, source_.place(offset)});
  }

  // "allowlist", "denylist errno 1"
  void header(std::size_t offset, std::string_view line) {
    const bool deny = line.starts_with("denylist") || line.starts_with("blacklist");
    if (!deny && !line.starts_with("allowlist") && !line.starts_with("whitelist")) {
      source_.fail(offset, shown(line) + ": allowlist or denylist is wanted here");
    }
    std::optional<std::uint32_t> otherwise;
    if (const std::size_t space = line.find(' '); space != std::string_view::npos) {
      // LXC has the line's end in its hands still: blanks alone are no action to it.
      otherwise = action(offset + space + 1, line.substr(space + 1));
      if (!otherwise) source_.fail(offset + space, "a blank without an action; LXC refuses that");
    }
    policy_.default_value = otherwise.value_or(deny ? kAllowValue : kKillThreadValue);
    rule_value_ = deny ? kKillThreadValue : kAllowValue;
  }

  // The action that a text begins with; nothing where there is nothing.
  std::optional<std::uint32_t> action(std::size_t offset, std::string_view text) const {
    const std::size_t blanks = std::min(text.find_first_not_of(' '), text.size());
    text.remove_prefix(blanks);
    if (text.starts_with("kill")) return kKillThreadValue;
    if (text.starts_with("errno")) {
      const auto value = decimal(text.substr(5));
      if (!value) source_.fail(offset + blanks, shown(text) + ": write errno 1");
      return kErrnoValue | (static_cast<std::uint32_t>(*value) & kDataMask);
    }
    if (text.starts_with("allow")) return kAllowValue;
    if (text.starts_with("trap")) return kTrapValue;
    if (text.starts_with("notify")) return kUserNotifValue;
    if (!text.empty()) {
      source_.fail(
          offset + blanks,
          fmt::format("{}: no action; there are kill, errno N, allow, trap, notify{}", shown(text),
                      text.front() == '[' ? ", and tests come after one of them" : ""));
    }
    return std::nullopt;
  }

  void entry(std::size_t offset, std::string_view line) {
    if (line.starts_with('#')) return;
    if (line.starts_with('[')) {
      section(offset, line);
      return;
    }
    if (passed_over_) return;
    const std::string_view name = line.substr(0, line.find(' '));
    std::uint32_t value = rule_value_;
    if (name.size() < line.size()) {
      const std::size_t start = std::min(line.find_first_not_of(' ', name.size()), line.size());
      if (start < line.size() && line[start] != '#') {
        value = action(offset + start, line.substr(start)).value_or(rule_value_);
      }
    }
    std::vector<ArgTest> tests;
    if (line.find('[') != std::string_view::npos) tests = test_list(offset, line);
    if (name.starts_with("reject_force_umount")) {
      add("umount2", kErrnoValue | EACCES, {{1, Comparison::Equal, 1, 1}}, offset);
      return;
    }
    if (name.empty()) {
      if (!line.empty()) note(offset, "a blank at the line's beginning: LXC passes over the line");
      return;
    }
    if (!libseccomp_knows(name)) {
      note(offset, fmt::format("{}: libseccomp {} knows no such call; LXC passes over it",
                               shown(name), libseccomp_version()));
      return;
    }
    add(name, value, std::move(tests), offset);
  }

  void section(std::size_t offset, std::string_view line) {
    if (line == "[all]" || line == "[ALL]") {
      passed_over_ = false;
      return;
    }
    for (const Section& each : kSections) {
      std::string capital(each.name);
      std::ranges::transform(capital, capital.begin(), [](char c) {
        return static_cast<char>(c >= 'a' && c <= 'z' ? c - 0x20 : c);
      });
      if (line != fmt::format("[{}]", each.name) && line != fmt::format("[{}]", capital)) continue;
      passed_over_ = std::ranges::find(each.machines, machine_) == each.machines.end();
      note(offset, passed_over_
                       ? fmt::format("{} runs no {}: LXC passes over this section",
                                     info(machine_).name, each.name)
                       : fmt::format("LXC puts this section's rules into the filters of every "
                                     "architecture that {} runs",
                                     info(machine_).name));
      return;
    }
    source_.fail(offset, shown(line) + ": no section that LXC knows, such as [x86_64] or [all]");
  }

  void add(std::string_view name, std::uint32_t value, std::vector<ArgTest> tests,
           std::size_t offset) {
    const std::vector<Arch>& arches = arches_of(name);
    if (arches.size() < policy_.arches.size()) {
      for (const Arch arch : policy_.arches) {
        if (std::ranges::find(arches, arch) == arches.end() && syscall_number(arch, name)) {
          note(offset,
               fmt::format("{}: LXC leaves it out for {}, which has it: libseccomp thinks of "
                           "the call behind a multiplexer alone",
                           shown(name), info(arch).name));
        }
      }
    }
    if (arches.empty()) {
      note(offset,
           fmt::format("{}: none of the architectures has it; LXC passes over it", shown(name)));
      return;
    }
    policy_.rules.push_back(
        {std::string(name), {}, value, std::move(tests), arches, source_.place(offset)});
  }

  // Where libseccomp has a number of its own for a call.
  const std::vector<Arch>& arches_of(std::string_view name) {
    const auto [found, news] = arches_of_.try_emplace(std::string(name));
    for (const Arch arch : policy_.arches) {
      if (news && libseccomp_number(arch, name).value_or(-1) >= 0) found->second.push_back(arch);
    }
    return found->second;
  }

  // "[index,value,op]" or "[index,value,op,mask]", several after each other.
  std::vector<ArgTest> test_list(std::size_t offset, std::string_view line) const {
    std::vector<ArgTest> out;
    std::size_t at = 0;
    while (at < line.size() && out.size() < kMostTests) {
      const std::size_t end = std::min(line.find(']', at), line.size());
      if (end > at) out.push_back(test(offset + at, line.substr(at, end - at)));
      at = end + 1;
    }
    return out;
  }

  ArgTest test(std::size_t offset, std::string_view text) const {
    const auto fail = [&](std::string_view what) {
      source_.fail(offset,
                   fmt::format("{}: {}; a test is [index,value,op] or [index,value,op,mask]",
                               shown(text), what));
    };
    const std::size_t bracket = text.find('[');
    if (bracket == std::string_view::npos) fail("no test");
    std::string_view rest = text.substr(bracket + 1);
    const auto index = c_number(rest, 64);
    if (!index || index->value >= 6) fail("no index from 0 to 5");
    rest.remove_prefix(index->length);
    const auto field = [&](std::size_t most, bool digits) {
      if (!rest.starts_with(',')) fail("a comma is missing");
      rest.remove_prefix(1);
      std::size_t length = 0;
      while (length < rest.size() && length < most && rest[length] != ',' &&
             (digits || (!is_digit(rest[length]) && rest[length] != '^'))) {
        ++length;
      }
      if (length == 0) fail("something is missing");
      const std::string_view out = rest.substr(0, length);
      rest.remove_prefix(length);
      return out;
    };
    const auto value = whole_number(field(23, true));
    if (!value) fail("no value");
    const std::string_view op = field(30, false);
    const auto* found = std::ranges::find_if(kComparisons, [&](const ComparisonWord& each) {
      return each.name == op || each.sign == op;
    });
    if (found == kComparisons.end()) fail("no operator, such as SCMP_CMP_EQ or ==");
    std::uint64_t mask = 0;
    if (rest.size() > 1 && rest.front() == ',') {
      const auto written = whole_number(field(23, true));
      if (!written) fail("no mask");
      mask = *written;
    }
    return {static_cast<unsigned>(index->value), found->comparison, *value,
            found->masked ? mask : kAllBits};
  }

  static std::optional<std::uint64_t> whole_number(std::string_view text) {
    const auto number = c_number(text, 64);
    if (!number || number->length != text.size()) return std::nullopt;
    if (text.find('-') != std::string_view::npos) return std::nullopt;
    return number->value;
  }

  PolicyText source_;
  Arch machine_;
  Policy policy_;
  std::uint32_t rule_value_ = kAllowValue;
  std::map<std::string, std::vector<Arch>> arches_of_;
  bool passed_over_ = false;  // the section that is read
  std::vector<Note> notes_;
};

}  // namespace

std::vector<Arch> lxc_arches(Arch machine) {
  if (machine == Arch::X86_64) return {Arch::X86_64, Arch::X86, Arch::X32};
  if (machine == Arch::AArch64) return {Arch::AArch64, Arch::Arm};
  if (machine == Arch::Ppc64) return {Arch::Ppc64, Arch::Ppc};
  if (machine == Arch::Mips64) return {Arch::Mips64, Arch::Mips, Arch::Mips64n32};
  if (machine == Arch::Mipsel64) return {Arch::Mipsel64, Arch::Mipsel, Arch::Mipsel64n32};
  return {machine};
}

bool detect_lxc(std::string_view text, std::string_view /*path*/) {
  std::size_t at = 0;
  const auto version = decimal(text.substr(0, 32), &at);
  if (version != 1 && version != 2) return false;
  const std::size_t kind = std::min(text.find_first_not_of(" \t\r\n", at), text.size());
  if (kind == at) return false;
  return std::ranges::any_of(
      std::array<std::string_view, 4>{"allowlist", "whitelist", "denylist", "blacklist"},
      [&](std::string_view word) { return text.substr(kind).starts_with(word); });
}

ReadProfile read_lxc(std::string_view text, std::string_view /*path*/,
                     const Deployment& deployment) {
  return reading([&] { return Reader(text, deployment).read(); });
}

}  // namespace callgate::front_ends
