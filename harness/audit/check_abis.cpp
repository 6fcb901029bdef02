// Which ABI a call is of: numbers mean something else in each.

#include <fmt/format.h>

#include <algorithm>

#include "harness/audit/checks.hpp"
#include "harness/report/words.hpp"
#include "vm/reference.hpp"
#include "vm/syscalls.hpp"

namespace callgate::audit {
namespace {

// A call that another ABI lets through, and the native one does not.
struct Gap {
  SyscallRow other;
  std::uint32_t native = 0;
};

// Calls of the same name: one is denied in whole and the other is not, or one is denied for some
// arguments and the other for none.
std::vector<Gap> gaps(const Subject& subject, Arch arch) {
  std::vector<Gap> out;
  for (const SyscallRow& row : syscalls(arch)) {
    const auto native = syscall_number(subject.native(), row.name);
    if (!native) continue;
    const Ref open = subject.of_call(subject.permitted(), arch, row.nr);
    const Ref closed = subject.of_call(subject.denied(), subject.native(), *native);
    const bool whole = closed == Diagrams::kTrue && open != Diagrams::kFalse;
    const bool part = closed != Diagrams::kFalse && open == Diagrams::kTrue;
    if (whole || part) out.push_back({row, *native});
  }
  return out;
}

std::string names(const std::vector<Gap>& all) {
  std::string out;
  for (std::size_t i = 0; i < std::min<std::size_t>(all.size(), 3); ++i) {
    out += fmt::format("{}{}", i == 0 ? "" : ", ", all[i].other.name);
  }
  if (all.size() > 3) out += fmt::format(" and {} more", all.size() - 3);
  return out;
}

// Best to be shown: what everybody knows to be worth denying.
const Gap& telling(const std::vector<Gap>& all) {
  for (const std::string_view name : {"execve", "ptrace", "mount", "clone", "openat", "socket"}) {
    const auto at =
        std::ranges::find_if(all, [&](const Gap& gap) { return gap.other.name == name; });
    if (at != all.end()) return *at;
  }
  return all.front();
}

void show_gap(Subject& subject, Finding& finding, Arch arch, const Gap& gap) {
  Diagrams& diagrams = subject.diagrams();
  if (auto open =
          subject.show(diagrams.both(subject.is_call(arch, gap.other.nr), subject.permitted()))) {
    finding.shown.push_back(*open);
    subject.place(finding, open->call);
  }
  if (auto closed = subject.show(
          diagrams.both(subject.is_call(subject.native(), gap.native), subject.denied()))) {
    finding.shown.push_back(*closed);
  }
}

// The filter makes no difference between the architectures.
bool architecture_not_checked(Subject& subject, Arch other, Found& out) {
  const Ref native = subject.of_arch(subject.meaning().value, subject.native());
  const Ref foreign = subject.of_arch(subject.meaning().value, other);
  if (native != foreign || subject.diagrams().is_end(native)) return false;
  const auto open = gaps(subject, other);
  Finding finding = found(FindingId::ArchitectureNotChecked, {});
  if (!open.empty()) {
    const Gap& gap = telling(open);
    finding.message = fmt::format(
        "{} calls are judged by {} numbers: {} gets through (number {} there, {} here), though it "
        "is denied here ({})",
        info(other).name, info(subject.native()).name, gap.other.name, gap.other.nr, gap.native,
        names(open));
    show_gap(subject, finding, other, gap);
  } else {
    const auto rows = syscalls(other);
    const auto at = std::ranges::find_if(rows, [&](const SyscallRow& row) {
      const auto here = syscall_name(subject.native(), row.nr);
      return subject.of_call(subject.permitted(), other, row.nr) != Diagrams::kFalse && here &&
             *here != row.name;
    });
    if (at == rows.end()) return false;
    finding.message =
        fmt::format("{} calls are judged by {} numbers: {} is taken for {}", info(other).name,
                    info(subject.native()).name, at->name, *syscall_name(subject.native(), at->nr));
    if (auto shown = subject.show(
            subject.diagrams().both(subject.is_call(other, at->nr), subject.permitted()))) {
      subject.place(finding, shown->call);
      finding.shown.push_back(*shown);
    }
  }
  out.push_back(std::move(finding));
  return true;
}

void foreign_abi_open(Subject& subject, Arch other, Found& out) {
  const auto open = gaps(subject, other);
  if (open.empty()) return;
  Finding finding =
      found(FindingId::ForeignAbiOpen, fmt::format("{}: denied on {}, not on {}", names(open),
                                                   info(subject.native()).name, info(other).name));
  show_gap(subject, finding, other, telling(open));
  out.push_back(std::move(finding));
}

void x32_not_excluded(Subject& subject, Found& out) {
  if (subject.native() != Arch::X86_64) return;
  const auto open = gaps(subject, Arch::X32);
  if (open.empty()) return;
  const Gap& gap = telling(open);
  Finding finding = found(
      FindingId::X32NotExcluded,
      fmt::format("{}: denied by the number of x86_64, and let through by that of x32 ({}: {:#x})",
                  names(open), gap.other.name, gap.other.nr));
  show_gap(subject, finding, Arch::X32, gap);
  out.push_back(std::move(finding));
}

// Whether running the filters for a call loads the architecture.
bool asks_architecture(const FilterStack& stack, const SeccompData& call) {
  struct Watch {
    std::span<const Instruction> program;
    bool* asked;
    void step(const reference::Step& step) const noexcept {
      const Instruction& here = program[step.at];
      *asked = *asked || (here.code == 0x20 && here.k == 4);
    }
  };
  bool asked = false;
  for (std::size_t filter = 0; filter < stack.size(); ++filter) {
    const Watch watch{stack.program(filter), &asked};
    (void)reference::run(stack.program(filter), call, stack.model(), watch);
  }
  return asked;
}

// A call of another ABI gets through by its number alone.
void number_before_architecture(Subject& subject, Arch other, Found& out) {
  for (const SyscallRow& row : syscalls(other)) {
    if (syscall_name(subject.native(), row.nr) == row.name) continue;
    const Ref open = subject.of_call(subject.permitted(), other, row.nr);
    if (open == Diagrams::kFalse) continue;
    const auto shown =
        subject.show(subject.diagrams().both(subject.is_call(other, row.nr), subject.permitted()));
    if (!shown || asks_architecture(subject.stack(), shown->call)) continue;
    const auto here = syscall_name(subject.native(), row.nr);
    Finding finding =
        found(FindingId::NumberBeforeArchitecture,
              fmt::format("number {} is allowed before the architecture is looked at: "
                          "it is {} on {}, and {} on {}",
                          row.nr, here.value_or("no call"), info(subject.native()).name, row.name,
                          info(other).name));
    subject.place(finding, shown->call);
    finding.shown.push_back(*shown);
    out.push_back(std::move(finding));
    return;
  }
}

}  // namespace

void check_abis(Subject& subject, Found& found) {
  for (const Arch other : subject.others()) {
    if (architecture_not_checked(subject, other, found)) continue;
    if (subject.of_arch(subject.meaning().value, subject.native()) ==
        subject.of_arch(subject.meaning().value, other)) {
      continue;
    }
    foreign_abi_open(subject, other, found);
    number_before_architecture(subject, other, found);
  }
  x32_not_excluded(subject, found);
}

}  // namespace callgate::audit
