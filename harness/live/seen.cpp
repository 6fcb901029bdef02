#include "harness/live/seen.hpp"

#include <fmt/format.h>

#include "harness/report/words.hpp"
#include "vm/actions.hpp"

namespace callgate::live {
namespace {

constexpr int kSigsys = 31;

// Where an action stands among the others: the lower, the stricter.
std::int32_t rank(std::uint32_t value) { return static_cast<std::int32_t>(value & kActionMask); }

bool weaker_than(std::uint32_t value, Action action) {
  return rank(value) > static_cast<std::int32_t>(action);
}

bool dies_by_sigsys(const Outcome& ours) {
  return ours.kind == OutcomeKind::Sigsys || ours.kind == OutcomeKind::ThreadDies ||
         (ours.kind == OutcomeKind::ProcessDies && ours.signal == kSigsys);
}

bool same(const Outcome& ours, std::uint32_t value, const Seen& seen) {
  switch (seen.kind) {
    case Seen::Kind::NotReachable:
    case Seen::Kind::Deadline:
    case Seen::Kind::Lost:
      return false;
    case Seen::Kind::Allowed:
      return ours.kind == OutcomeKind::Executes;
    case Seen::Kind::Returned:
      return ours.kind == OutcomeKind::Returns && ours.value == seen.value;
    case Seen::Kind::Sigsys:
      return ours.kind == OutcomeKind::Sigsys && ours.siginfo == seen.siginfo;
    case Seen::Kind::ThreadDied:
      return ours.kind == OutcomeKind::ThreadDies && ours.signal == seen.signal;
    case Seen::Kind::ProcessDied:
      return ours.kind == OutcomeKind::ProcessDies && ours.signal == seen.signal;
    case Seen::Kind::TracerStop:
      return ours.kind == OutcomeKind::TracerDecides && ours.data == seen.message;
    case Seen::Kind::Notified:
      return ours.kind == OutcomeKind::ListenerDecides && seen.notified == seen.data;
    case Seen::Kind::NotRefused:
      // What a listener decides is told to it.
      if (ours.kind == OutcomeKind::ListenerDecides) return false;
      return weaker_than(value, Action::Errno) ||
             (ours.kind == OutcomeKind::Returns && ours.value == seen.value);
    case Seen::Kind::Died:
      return dies_by_sigsys(ours);
  }
  return false;
}

}  // namespace

std::string_view why_not_asked(std::uint32_t value, const Seen& seen) {
  if (seen.kind == Seen::Kind::NotReachable) return seen.why;
  const bool hidden =
      weaker_than(value, Action::Trace) && find_action(value & kActionMask) == nullptr;
  if (seen.kind == Seen::Kind::Allowed && hidden) {
    return "an unknown action weaker than TRACE is hidden by the filter that stops allowed calls";
  }
  return {};
}

Agreement compare(const Outcome& ours, std::uint32_t value, const Seen& seen) {
  if (!why_not_asked(value, seen).empty()) return Agreement::NotAsked;
  return same(ours, value, seen) ? Agreement::Agrees : Agreement::Differs;
}

std::string words(const Seen& seen, std::string_view call) {
  Outcome outcome;
  switch (seen.kind) {
    case Seen::Kind::NotReachable:
    case Seen::Kind::Lost:
      return fmt::format("no answer: {}", seen.why);
    case Seen::Kind::Deadline:
      return "no answer within the deadline";
    case Seen::Kind::NotRefused:
      return "no filter refuses it";
    case Seen::Kind::Died:
      return "death by SIGSYS";
    case Seen::Kind::Allowed:
      break;
    case Seen::Kind::Returned:
      outcome.kind = OutcomeKind::Returns;
      outcome.value = seen.value;
      break;
    case Seen::Kind::Sigsys:
      outcome.kind = OutcomeKind::Sigsys;
      outcome.siginfo = seen.siginfo;
      break;
    case Seen::Kind::ThreadDied:
      outcome.kind = OutcomeKind::ThreadDies;
      break;
    case Seen::Kind::ProcessDied:
      outcome.kind = OutcomeKind::ProcessDies;
      outcome.signal = seen.signal;
      break;
    case Seen::Kind::Notified:
      if (seen.notified != seen.data) return "user notification, of another call";
      outcome.kind = OutcomeKind::ListenerDecides;
      break;
    case Seen::Kind::TracerStop:
      outcome.kind = OutcomeKind::TracerDecides;
      outcome.data = static_cast<std::uint16_t>(seen.message);
      break;
  }
  return report::outcome_words(outcome, call);
}

}  // namespace callgate::live
