// What is left open: by default, by other calls that do the same, by calls that can do much.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "harness/audit/checks.hpp"
#include "harness/report/words.hpp"
#include "vm/syscalls.hpp"

namespace callgate::audit {
namespace {

struct Equivalent {
  std::string_view denied;
  std::string_view open;
  std::string_view how;
};

struct IoUring {
  std::string_view denied;
  std::string_view operation;
  Version since;
};

struct Dangerous {
  std::string_view name;
  Severity severity;
  std::string_view why;
};

constexpr std::array kEquivalents = {
#define EQUIVALENT(denied, open, how) Equivalent{#denied, #open, how},
#define IO_URING(...)
#include "harness/audit/equivalent_calls.def"
#undef IO_URING
#undef EQUIVALENT
};

constexpr std::array kIoUring = {
#define EQUIVALENT(...)
#define IO_URING(denied, operation, major, minor) IoUring{#denied, operation, {major, minor, 0}},
#include "harness/audit/equivalent_calls.def"
#undef IO_URING
#undef EQUIVALENT
};

constexpr std::array kDangerous = {
#define DANGEROUS(name, severity, why) Dangerous{#name, Severity::severity, why},
#include "harness/audit/dangerous_calls.def"
#undef DANGEROUS
};

// The first number that no call of the ABI has and one may come to have: not beyond arm's own ones.
std::uint32_t first_unassigned(Arch arch) {
  constexpr std::uint32_t kMost = 1000;
  std::uint32_t last = 0;
  for (const SyscallRow& row : syscalls(arch)) {
    if (row.nr < info(arch).number_base + kMost) last = row.nr;
  }
  return last + 1;
}

// Whether a stack allows a call whatever its arguments are, and whether it denies it so.
bool is_open(const Subject& subject, Arch arch, std::string_view name) {
  const auto nr = syscall_number(arch, name);
  return nr && subject.of_call(subject.permitted(), arch, *nr) == Diagrams::kTrue;
}

// … on purpose: not as it denies numbers that nobody has, and not with ENOSYS, which asks programs
// to do it in another way.
bool is_denied_by_name(Subject& subject, Arch arch, std::string_view name) {
  const auto nr = syscall_number(arch, name);
  if (!nr || subject.of_call(subject.denied(), arch, *nr) != Diagrams::kTrue) return false;
  const Ref value = subject.of_call(subject.meaning().value, arch, *nr);
  const Ref usual = subject.of_call(subject.meaning().value, arch, first_unassigned(arch));
  if (value == usual) return false;
  verifier::Terms& terms = subject.space().terms();
  const auto enosys = static_cast<std::uint32_t>(info(arch).numbers.enosys);
  return subject.where(value, [&](const verifier::Ending& ending) {
    return subject.space().compared(
        Test::Equal, ending.value,
        terms.constant(static_cast<std::uint32_t>(Action::Errno) | enosys));
  }) != Diagrams::kTrue;
}

std::optional<Shown> show_call(Subject& subject, Arch arch, std::string_view name, Ref condition) {
  const auto nr = syscall_number(arch, name);
  if (!nr) return std::nullopt;
  return subject.show(subject.diagrams().both(subject.is_call(arch, *nr), condition));
}

// The open call first, then the denied one; the place is the denied one's.
void show_both(Subject& subject, Finding& finding, Arch arch, std::string_view open,
               std::string_view denied) {
  if (auto shown = show_call(subject, arch, open, subject.permitted())) {
    finding.shown.push_back(*shown);
  }
  if (auto shown = show_call(subject, arch, denied, subject.denied())) {
    finding.shown.push_back(*shown);
    subject.place(finding, shown->call);
  }
}

// Numbers that no call has, of the native ABI.
Ref unassigned(Subject& subject) {
  constexpr std::uint32_t kLooked = 64;
  const std::uint32_t first = first_unassigned(subject.native());
  return subject.diagrams().both(subject.space().equal(Field::Arch, info(subject.native()).token),
                                 subject.space().between(Field::Nr, first, first + kLooked - 1));
}

bool allows_by_default(Subject& subject) {
  return subject.diagrams().without(unassigned(subject), subject.permitted()) == Diagrams::kFalse;
}

void default_allow(Subject& subject, Found& out) {
  if (!allows_by_default(subject)) return;
  Finding finding =
      found(FindingId::DefaultAllow,
            fmt::format("numbers that no call has yet are allowed, {} and those that follow",
                        first_unassigned(subject.native())));
  if (auto shown = subject.show(unassigned(subject))) {
    finding.shown.push_back(*shown);
    subject.place(finding, shown->call);
  }
  out.push_back(std::move(finding));
}

void equivalents(Subject& subject, Found& out) {
  const Arch arch = subject.native();
  for (std::size_t i = 0; i < kEquivalents.size();) {
    const std::string_view denied = kEquivalents[i].denied;
    std::string open;
    std::string_view first;
    for (; i < kEquivalents.size() && kEquivalents[i].denied == denied; ++i) {
      const Equivalent& each = kEquivalents[i];
      if (!is_open(subject, arch, each.open)) continue;
      if (first.empty()) first = each.open;
      open += fmt::format("{}{} ({})", open.empty() ? "" : ", ", each.open, each.how);
    }
    if (first.empty() || !is_denied_by_name(subject, arch, denied)) continue;
    Finding finding =
        found(FindingId::EquivalentOpen,
              fmt::format("{} is denied, and does not keep anybody from: {}", denied, open),
              std::string(denied));
    show_both(subject, finding, arch, first, denied);
    out.push_back(std::move(finding));
  }
}

void io_uring(Subject& subject, Found& out) {
  const Arch arch = subject.native();
  if (!is_open(subject, arch, "io_uring_setup") || !is_open(subject, arch, "io_uring_enter")) {
    return;
  }
  std::string names;
  std::string_view first;
  for (const IoUring& each : kIoUring) {
    if (subject.model().version < each.since) continue;
    if (!is_denied_by_name(subject, arch, each.denied)) continue;
    if (first.empty()) first = each.denied;
    names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", each.denied, each.operation);
  }
  if (first.empty()) return;
  Finding finding = found(FindingId::IoUringOpen,
                          fmt::format("denied, and done by io_uring all the same: {}", names));
  show_both(subject, finding, arch, "io_uring_setup", first);
  out.push_back(std::move(finding));
}

void multiplexers(Subject& subject, Arch arch, Found& out) {
  std::map<std::string_view, std::string> names;
  std::map<std::string_view, const front_ends::MultiplexedCall*> first;
  for (const front_ends::MultiplexedCall& each : front_ends::multiplexed_calls()) {
    const auto nr = syscall_number(arch, each.multiplexer);
    if (!nr || !is_denied_by_name(subject, arch, each.name)) continue;
    const Ref open =
        subject.with_field(subject.of_call(subject.permitted(), arch, *nr), Field::Arg0, each.call);
    if (open != Diagrams::kTrue) continue;
    names[each.multiplexer] +=
        fmt::format("{}{} ({})", names[each.multiplexer].empty() ? "" : ", ", each.name, each.call);
    first.try_emplace(each.multiplexer, &each);
  }
  for (const auto& [multiplexer, text] : names) {
    const front_ends::MultiplexedCall& each = *first[multiplexer];
    Finding finding = found(FindingId::MultiplexerOpen,
                            fmt::format("{} of {} does what is denied by number: {}", multiplexer,
                                        info(arch).name, text),
                            std::string(multiplexer));
    const Ref asked = subject.space().equal(Field::Arg0, each.call);
    if (auto shown = show_call(subject, arch, multiplexer,
                               subject.diagrams().both(asked, subject.permitted()))) {
      finding.shown.push_back(*shown);
    }
    if (auto shown = show_call(subject, arch, each.name, subject.denied())) {
      finding.shown.push_back(*shown);
      subject.place(finding, shown->call);
    }
    out.push_back(std::move(finding));
  }
}

// Where all is allowed that is not named, one finding says it of all such calls.
void dangerous_by_default(Subject& subject, Found& out) {
  std::string names;
  std::string_view first;
  for (const Dangerous& each : kDangerous) {
    if (!is_open(subject, subject.native(), each.name)) continue;
    if (first.empty()) first = each.name;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", each.name);
  }
  if (first.empty()) return;
  Finding finding = found(FindingId::DangerousCall,
                          fmt::format("allowed with all that is not denied: {}", names));
  if (auto shown = show_call(subject, subject.native(), first, subject.permitted())) {
    finding.shown.push_back(*shown);
    subject.place(finding, shown->call);
  }
  out.push_back(std::move(finding));
}

void dangerous(Subject& subject, Found& out) {
  if (allows_by_default(subject)) return dangerous_by_default(subject, out);
  for (const Dangerous& each : kDangerous) {
    if (!is_open(subject, subject.native(), each.name)) continue;
    Finding finding = found(FindingId::DangerousCall, fmt::format("{} {}", each.name, each.why),
                            std::string(each.name));
    finding.severity = each.severity;
    if (auto shown = show_call(subject, subject.native(), each.name, subject.permitted())) {
      finding.shown.push_back(*shown);
      subject.place(finding, shown->call);
    }
    out.push_back(std::move(finding));
  }
}

}  // namespace

void check_calls(Subject& subject, Found& found) {
  default_allow(subject, found);
  equivalents(subject, found);
  io_uring(subject, found);
  multiplexers(subject, subject.native(), found);
  for (const Arch other : subject.others()) multiplexers(subject, other, found);
  dangerous(subject, found);
}

}  // namespace callgate::audit
