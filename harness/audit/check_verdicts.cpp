// What verdicts do to the program.

#include <fmt/format.h>

#include <algorithm>

#include "harness/audit/checks.hpp"
#include "harness/report/words.hpp"

namespace callgate::audit {
namespace {

using verifier::Ending;

// A property of a verdict, as a condition on the formula that is returned.
class Verdicts {
 public:
  explicit Verdicts(Subject& subject) : subject_(subject) {}

  // As the kernel looks at it.
  [[nodiscard]] Ref action_is(const Ending& ending, Action action) {
    const bool full = subject_.model().has(Feature::ActionFull);
    return compared(Test::Equal, ending, full ? kActionMask : kOldActionMask,
                    static_cast<std::uint32_t>(action));
  }
  // As it is written.
  [[nodiscard]] Ref is_meant(const Ending& ending, Action action) {
    return compared(Test::Equal, ending, kActionMask, static_cast<std::uint32_t>(action));
  }
  // An ERRNO whose data are from first to last.
  [[nodiscard]] Ref is_errno(const Ending& ending, std::uint32_t first, std::uint32_t last) {
    Diagrams& diagrams = subject_.diagrams();
    const Ref in = diagrams.without(compared(Test::GreaterOrEqual, ending, kDataMask, first),
                                    compared(Test::Greater, ending, kDataMask, last));
    return diagrams.both(action_is(ending, Action::Errno), in);
  }
  [[nodiscard]] Ref is_unknown(const Ending& ending) {
    Ref known = Diagrams::kFalse;
    for (const ActionInfo& row : actions()) {
      known = subject_.diagrams().either(known, action_is(ending, row.action));
    }
    return subject_.diagrams().negated(known);
  }

 private:
  [[nodiscard]] Ref compared(Test test, const Ending& ending, std::uint32_t mask,
                             std::uint32_t value) {
    verifier::Terms& terms = subject_.space().terms();
    return subject_.space().compared(test, terms.bit_and(ending.value, terms.constant(mask)),
                                     terms.constant(value));
  }

  Subject& subject_;
};

// A finding for each filter and formula that gives such verdicts, shown by a call that this machine
// can make.
template <typename Holds, typename Words>
void tell(Subject& subject, FindingId id, Found& out, const Holds& holds, const Words& words) {
  for (const Ref end : subject.diagrams().ends(subject.meaning().verdict)) {
    const Ending ending = subject.endings().at(end);
    if (ending.kind != Ending::Kind::Value) continue;
    const Ref of_end = subject.where(subject.meaning().verdict, [&](const Ending& each) {
      return each == ending ? holds(each) : Diagrams::kFalse;
    });
    const auto shown = subject.show(subject.diagrams().both(of_end, subject.sendable()));
    if (!shown) continue;
    Finding finding = found(id, words(ending, *shown));
    subject.place(finding, shown->call);
    finding.shown.push_back(*shown);
    out.push_back(std::move(finding));
  }
}

void errnos(Subject& subject, Verdicts& verdicts, Found& out) {
  const auto words = [&](const Ending&, const Shown& shown) {
    const std::uint32_t data = shown.value & kDataMask;
    const bool taken_as_it_is = data > 4095 && !subject.model().has(Feature::ErrnoClamp);
    return fmt::format("{} gets ERRNO({}){}", report::call_name(shown.call), data,
                       taken_as_it_is ? ", and this kernel returns that as it is" : "");
  };
  tell(
      subject, FindingId::ErrnoZero, out,
      [&](const Ending& ending) { return verdicts.is_errno(ending, 0, 0); }, words);
  tell(
      subject, FindingId::ErrnoOfKernel, out,
      [&](const Ending& ending) { return verdicts.is_errno(ending, 512, 516); }, words);
  tell(
      subject, FindingId::ErrnoTooLarge, out,
      [&](const Ending& ending) { return verdicts.is_errno(ending, 4096, kDataMask); }, words);
}

void kill_thread(Subject& subject, Verdicts& verdicts, Found& out) {
  if (!subject.model().has(Feature::ActionFull)) return;  // there is no other
  tell(
      subject, FindingId::KillThread, out,
      [&](const Ending& ending) { return verdicts.action_is(ending, Action::KillThread); },
      [](const Ending&, const Shown& shown) {
        return fmt::format("{} ends the thread that calls it, not the process",
                           report::call_name(shown.call));
      });
}

void nobody_there(Subject& subject, Verdicts& verdicts, Found& out) {
  if (!subject.situation().tracer) {
    tell(
        subject, FindingId::TraceWithoutTracer, out,
        [&](const Ending& ending) { return verdicts.action_is(ending, Action::Trace); },
        [](const Ending&, const Shown& shown) {
          return fmt::format("{} asks a tracer, and none is said to be there",
                             report::call_name(shown.call));
        });
  }
  if (subject.situation().listener || !subject.model().has(Feature::FlagNewListener)) return;
  tell(
      subject, FindingId::NotifyWithoutListener, out,
      [&](const Ending& ending) {
        const bool listens = ending.filter && subject.stack().flags(*ending.filter).new_listener;
        return listens ? Diagrams::kFalse : verdicts.action_is(ending, Action::UserNotif);
      },
      [](const Ending&, const Shown& shown) {
        return fmt::format("{} asks a listener, and the filter is said to have none",
                           report::call_name(shown.call));
      });
}

void unknown(Subject& subject, Verdicts& verdicts, Found& out) {
  tell(
      subject, FindingId::UnknownAction, out,
      [&](const Ending& ending) { return verdicts.is_unknown(ending); },
      [](const Ending&, const Shown& shown) {
        return fmt::format("{} gets {:#010x}", report::call_name(shown.call), shown.value);
      });
  for (const ActionInfo& row : actions()) {
    const Version since{row.since_major, row.since_minor, 0};
    if (subject.model().version >= since) continue;
    tell(
        subject, FindingId::ActionNewerThanKernel, out,
        [&](const Ending& ending) { return verdicts.is_meant(ending, row.action); },
        [&](const Ending&, const Shown& shown) {
          return fmt::format("{} gets {}, which came with {}: Linux {} does not know it",
                             report::call_name(shown.call), row.name, to_string(since),
                             to_string(subject.model().version));
        });
  }
}

}  // namespace

void check_verdicts(Subject& subject, Found& found) {
  Verdicts verdicts(subject);
  errnos(subject, verdicts, found);
  kill_thread(subject, verdicts, found);
  nobody_there(subject, verdicts, found);
  unknown(subject, verdicts, found);
}

}  // namespace callgate::audit
