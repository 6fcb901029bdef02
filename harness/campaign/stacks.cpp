// Stacks of 1 to 4 filters as they are, one of them with a listener in some: what a process sees of
// calls under them.

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "harness/campaign/properties.hpp"
#include "harness/live/outcome_oracle.hpp"
#include "harness/report/words.hpp"
#include "harness/suite/vector_writer.hpp"
#include "verifier/check.hpp"
#include "vm/actions.hpp"
#include "vm/filter_stack.hpp"
#include "vm/opcodes.hpp"
#include "vm/outcome.hpp"
#include "vm/reference.hpp"

namespace callgate::campaign {
namespace {

constexpr std::size_t kCalls = 4;
struct Stack {
  std::vector<Program> oldest_first;
  std::optional<std::size_t> listener;  // the filter that has one
};

// Ours for programs that the checker accepts; nothing where one is not, or they do not fit.
std::optional<FilterStack> stack_of(const Stack& asked, const KernelModel& model) {
  FilterStack stack(model);
  for (const Program& each : asked.oldest_first) {
    const auto checked = verifier::check(each, model);
    if (!checked || !stack.push(*checked)) return std::nullopt;
  }
  return stack;
}

struct Difference {
  live::Seen seen;
  std::string words;
};

// The first call of which another thing was seen than we say; what was asked is counted.
std::expected<std::optional<Difference>, live::LiveError> ask(Context& context, const Stack& asked,
                                                              std::span<const live::Call> calls,
                                                              Count& count) {
  const auto stack = stack_of(asked, context.model);
  if (!stack) return std::nullopt;
  std::expected<live::StackSeen, live::LiveError> seen;
  {
    const std::lock_guard lock(context.kernel);
    live::CallSites sites;
    seen = live::outcomes(asked.oldest_first, calls, sites, {.listener = asked.listener});
    context.pace.step(asked.oldest_first.size() + 1);
  }
  if (!seen) return std::unexpected(seen.error());
  std::optional<Difference> first;
  if (seen->install_error != 0) {
    return Difference{{},
                      fmt::format("filter {} is refused with errno {} by the kernel alone",
                                  seen->installed, seen->install_error)};
  }
  for (const live::Seen& each : seen->calls) {
    const Verdict verdict = stack->run(each.data);
    Surroundings around = live::kOracleSurroundings;
    around.listener = asked.listener && verdict.winner == asked.listener;
    const Outcome ours = outcome_of(*stack, verdict, each.data, around);
    switch (live::compare(ours, verdict.value, each)) {
      case live::Agreement::NotAsked:
        ++count.not_asked[std::string(why_not_asked(verdict.value, each))];
        break;
      case live::Agreement::Agrees:
        ++count.asked;
        break;
      case live::Agreement::Differs:
        ++count.asked;
        if (first) break;
        first = Difference{
            each, fmt::format("nr {} arch 0x{:x}: we say: {}; the kernel: {}", each.data.nr,
                              each.data.arch, report::outcome_words(ours, "the call"),
                              words(each, "the call"))};
        break;
    }
  }
  return first;
}

// Filters and instructions taken out as long as the call still differs.
Stack smallest(Context& context, Stack stack, const live::Call& call) {
  Count ignored;
  const auto shows = [&](const Stack& candidate) {
    const auto answer = ask(context, candidate, std::span(&call, 1), ignored);
    return answer && answer->has_value();
  };
  for (std::size_t i = 0; i < stack.oldest_first.size() && stack.oldest_first.size() > 1;) {
    Stack fewer = stack;
    fewer.oldest_first.erase(fewer.oldest_first.begin() + static_cast<std::ptrdiff_t>(i));
    if (fewer.listener == i) {
      fewer.listener = std::nullopt;
    } else if (fewer.listener && *fewer.listener > i) {
      --*fewer.listener;
    }
    if (shows(fewer)) {
      stack = std::move(fewer);
    } else {
      ++i;
    }
  }
  for (std::size_t i = 0; i < stack.oldest_first.size(); ++i) {
    // A filter whose value for this call is all that matters becomes that return.
    const auto value = reference::run(stack.oldest_first[i], call.data, context.model);
    Stack plainer = stack;
    plainer.oldest_first[i] = {Instruction{0x06, 0, 0, value.value}};
    if (shows(plainer)) stack = std::move(plainer);
  }
  return stack;
}

// The result that must have won for this to be seen; nothing where several could have.
std::optional<std::uint32_t> result_of(const live::Seen& seen) {
  const auto with = [](Action action, std::uint32_t data) {
    return static_cast<std::uint32_t>(action) | (data & 0xffffU);
  };
  switch (seen.kind) {
    case live::Seen::Kind::Returned:
      return with(Action::Errno, static_cast<std::uint32_t>(-seen.value));
    case live::Seen::Kind::Sigsys:
      return with(Action::Trap, static_cast<std::uint32_t>(seen.siginfo.error));
    case live::Seen::Kind::TracerStop:
      return with(Action::Trace, seen.message);
    case live::Seen::Kind::Allowed:
    case live::Seen::Kind::Notified:
    case live::Seen::Kind::ThreadDied:
    case live::Seen::Kind::ProcessDied:
    case live::Seen::Kind::NotRefused:
    case live::Seen::Kind::Died:
    case live::Seen::Kind::NotReachable:
    case live::Seen::Kind::Deadline:
    case live::Seen::Kind::Lost:
      return std::nullopt;
  }
  return std::nullopt;
}

Finding finding(Context& context, const Unit& unit, std::uint64_t index, const Stack& stack,
                const Difference& difference) {
  Finding out{unit.property, finding_name(unit, index), difference.words, "stack", {}};
  out.text = finding_story(context, unit, out.summary);
  for (const Program& each : stack.oldest_first) out.text += program_block(each);
  if (stack.listener) out.text += fmt::format("# filter {} has a listener\n", *stack.listener);
  out.text += input_line(difference.seen.data);
  const auto result = result_of(difference.seen);
  // Which filter decided was not seen.
  out.text += fmt::format("# verdict: {} winner N\n",
                          result ? suite::result_text(*result) : std::string("RESULT"));
  return out;
}

// Filters that agree about the action and not about its data: which of them decides?
void tie(random::Source& source, std::vector<Program>& programs, Action action) {
  for (Program& program : programs) {
    for (Instruction& each : program) {
      if (each.code != static_cast<std::uint16_t>(Opcode::RetK) || source.one_in(8)) continue;
      each.k = static_cast<std::uint32_t>(action) | (each.k & kDataMask);
    }
  }
}

}  // namespace

UnitResult run_Stacks(Context& context, const Unit& unit) {
  random::Source source(seed_of(unit, context.settings.seed));
  Tally tally;
  Count& count = tally.count(unit.property);
  for (std::uint64_t s = 0; s < unit.count; ++s) {
    const std::uint32_t filters = 1 + source.below(4);
    Stack stack{std::vector<Program>(filters), std::nullopt};
    for (Program& each : stack.oldest_first) {
      each = random::valid_program(source, {.longest = 12, .shifts_by_x = true});
    }
    if (source.one_in(2)) {
      const auto& any = actions()[source.below(static_cast<std::uint32_t>(actions().size()))];
      tie(source, stack.oldest_first, any.action);
    }
    if (source.one_in(4)) {
      stack.listener = source.below(filters);
      tie(source, stack.oldest_first, Action::UserNotif);
    }
    std::vector<live::Call> calls(kCalls);
    for (live::Call& call : calls) {
      call = any_call(source, stack.oldest_first[source.below(filters)]);
      call.any_instruction_pointer = true;
    }
    ++count.made;
    const auto difference = ask(context, stack, calls, count);
    if (!difference) return std::unexpected(difference.error());
    if (!*difference) continue;
    ++count.disagreements;
    if (tally.findings.size() >= kMostFindingsOfUnit) continue;
    const live::Call call{(*difference)->seen.data, true};
    tally.findings.push_back(
        finding(context, unit, s, smallest(context, stack, call), **difference));
  }
  return tally;
}

}  // namespace callgate::campaign
