// What arguments are asked for, against what the kernel takes them as.

#include <fmt/format.h>

#include "harness/audit/argument_kinds.hpp"
#include "harness/audit/checks.hpp"
#include "harness/report/words.hpp"
#include "vm/syscalls.hpp"

namespace callgate::audit {
namespace {

using verifier::Space;

// One argument of one call, and what the stack says of the call.
struct Asked {
  Subject& subject;
  SyscallRow row;
  unsigned index;
  ArgumentKind kind;
  Ref value;      // over arguments
  Ref permitted;  // likewise
  Ref denied;

  [[nodiscard]] Field field() const noexcept { return argument(index); }
  [[nodiscard]] std::string words() const {
    return fmt::format("argument {} of {}", index, row.name);
  }
  // Of this call.
  [[nodiscard]] Ref here(Ref arguments) const {
    return subject.diagrams().both(subject.is_call(subject.native(), row.nr), arguments);
  }
};

// Whether the upper half of the argument is asked for, the lower one, the highest bit of the lower.
struct Halves {
  bool high = false;
  bool low = false;
  bool top_of_low = false;  ///< and another bit of it: that one alone is a flag
};

Halves halves(const Support& support, Field field) {
  const std::uint32_t first = Space::first_variable(field);
  Halves out;
  for (std::uint32_t i = 0; i < 32; ++i) {
    out.high = out.high || support.test(first + i);
    out.low = out.low || support.test(first + 32 + i);
  }
  std::uint32_t bits = 0;
  for (std::uint32_t i = 0; i < 32; ++i) bits += support.test(first + 32 + i) ? 1U : 0U;
  out.top_of_low = support.test(first + 32) && bits > 1;
  return out;
}

// Shows a call, and the same with another value of the argument.
void show_pair(const Asked& asked, Finding& finding, Ref condition, auto&& other_value) {
  const auto first = asked.subject.show(asked.here(condition));
  if (!first) return;
  finding.shown.push_back(*first);
  asked.subject.place(finding, first->call);
  SeccompData other = first->call;
  verifier::set_value(other, asked.field(),
                      other_value(verifier::value_of(first->call, asked.field())));
  finding.shown.push_back(asked.subject.ran(other));
}

// Bits of flags are tested one by one, and all of them may be low: a half is compared where the
// highest bit of it counts.
void half_compared(const Asked& asked, const Halves& halves, Found& out) {
  if (!halves.top_of_low || halves.high) return;
  Subject& subject = asked.subject;
  const Ref high_is_one = subject.space().compared(Test::Equal, subject.half(asked.field(), true),
                                                   subject.space().terms().constant(1));
  // What the argument decides: a call that would be denied for another value, if there is one.
  const Ref told = subject.diagrams().without(
      asked.permitted, subject.with_half(asked.permitted, asked.field(), false, 0xffffffff));
  const Ref shown = told != Diagrams::kFalse              ? told
                    : asked.permitted != Diagrams::kFalse ? asked.permitted
                                                          : Diagrams::kTrue;
  Finding finding =
      found(FindingId::HalfCompared,
            fmt::format("{} has 64 bits, and its upper half is not looked at", asked.words()),
            std::string(asked.row.name));
  show_pair(asked, finding, subject.diagrams().both(shown, high_is_one),
            [](std::uint64_t value) { return value & 0xffffffffU; });
  out.push_back(std::move(finding));
}

// The kernel looks at the lower half alone; programs are expected to leave its sign, or 0, in the
// upper one.
void int_argument(const Asked& asked, const Halves& halves, Found& out) {
  if (!halves.high) return;
  Subject& subject = asked.subject;
  Diagrams& diagrams = subject.diagrams();
  const Field field = asked.field();
  verifier::Terms& terms = subject.space().terms();
  const Ref negative = asked.kind == ArgumentKind::Signed32
                           ? subject.space().compared(Test::AnyBit, subject.half(field, false),
                                                      terms.constant(0x80000000U))
                           : Diagrams::kFalse;
  const auto expected = [&](Ref function) {
    return diagrams.choose(negative, subject.with_half(function, field, true, 0xffffffffU),
                           subject.with_half(function, field, true, 0));
  };
  const auto mended = [&](std::uint64_t value) {
    const auto low = static_cast<std::uint32_t>(value);
    return asked.kind == ArgumentKind::Signed32
               ? static_cast<std::uint64_t>(
                     static_cast<std::int64_t>(static_cast<std::int32_t>(low)))
               : std::uint64_t{low};
  };
  const Ref bypass = diagrams.both(asked.permitted, expected(asked.denied));
  const Ref lost = diagrams.both(asked.denied, expected(asked.permitted));
  if (bypass != Diagrams::kFalse) {
    Finding finding = found(FindingId::IntArgumentBypass,
                            fmt::format("the kernel takes the lower 32 bits of {}: with others set "
                                        "above them, a denied value gets through",
                                        asked.words()),
                            std::string(asked.row.name));
    show_pair(asked, finding, bypass, mended);
    out.push_back(std::move(finding));
  } else if (lost != Diagrams::kFalse) {
    Finding finding = found(FindingId::IntArgumentHighHalf,
                            fmt::format("the kernel takes the lower 32 bits of {}: with others set "
                                        "above them, an allowed value is turned down",
                                        asked.words()),
                            std::string(asked.row.name));
    show_pair(asked, finding, lost, mended);
    out.push_back(std::move(finding));
  }
}

void pointer_compared(const Asked& asked, const Halves& halves, Found& out) {
  if (!halves.high && !halves.low) return;
  Subject& subject = asked.subject;
  const Ref null = subject.with_field(asked.value, asked.field(), 0);
  const Ref other = subject.with_field(asked.value, asked.field(), 1);
  const Ref is_null = subject.space().equal(asked.field(), 0);
  const Ref tested = subject.differ(asked.value, subject.diagrams().choose(is_null, null, other));
  if (tested == Diagrams::kFalse) return;
  Finding finding = found(FindingId::PointerCompared,
                          fmt::format("{} is a pointer: its value is tested", asked.words()),
                          std::string(asked.row.name));
  show_pair(asked, finding, tested, [](std::uint64_t) { return std::uint64_t{1}; });
  out.push_back(std::move(finding));
}

void unused_compared(const Asked& asked, const Halves& halves, Found& out) {
  if (!halves.high && !halves.low) return;
  Subject& subject = asked.subject;
  const Ref zero = subject.with_field(asked.value, asked.field(), 0);
  const Ref decides = subject.differ(asked.value, zero);
  Finding finding =
      found(FindingId::UnusedArgumentCompared,
            fmt::format("{} does not exist: what is left in its register decides", asked.words()),
            std::string(asked.row.name));
  show_pair(asked, finding, decides, [](std::uint64_t) { return std::uint64_t{0}; });
  out.push_back(std::move(finding));
}

}  // namespace

void check_arguments(Subject& subject, Found& found) {
  for (const SyscallRow& row : syscalls(subject.native())) {
    if (syscall_name(subject.native(), row.nr) != row.name) continue;  // another name of a number
    const Ref value = subject.of_call(subject.meaning().value, subject.native(), row.nr);
    if (subject.diagrams().is_end(value) || subject.space().has_opaque(value)) continue;
    const Support support = subject.support(value);
    for (unsigned index = 0; index < 6; ++index) {
      const auto kind = argument_kind(subject.native(), row.name, index);
      if (!kind) continue;
      const Asked asked{subject,
                        row,
                        index,
                        *kind,
                        value,
                        subject.of_call(subject.permitted(), subject.native(), row.nr),
                        subject.of_call(subject.denied(), subject.native(), row.nr)};
      const Halves asked_for = halves(support, asked.field());
      switch (*kind) {
        case ArgumentKind::Absent:
          unused_compared(asked, asked_for, found);
          break;
        case ArgumentKind::Pointer:
          pointer_compared(asked, asked_for, found);
          break;
        case ArgumentKind::Unsigned64:
        case ArgumentKind::Signed64:
          half_compared(asked, asked_for, found);
          break;
        case ArgumentKind::Signed32:
        case ArgumentKind::Unsigned32:
          int_argument(asked, asked_for, found);
          break;
      }
    }
  }
}

}  // namespace callgate::audit
