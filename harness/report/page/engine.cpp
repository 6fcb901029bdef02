// The engine of the page: vm's reference interpreter, kernel model, combining and outcomes,
// compiled for the browser (engine.cmake). It has no imports and allocates nothing: the page writes
// a filter or a call into an area, calls a function, and reads the answer from an area.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "vm/combiner.hpp"
#include "vm/filter_stack.hpp"
#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"
#include "vm/outcome.hpp"
#include "vm/reference.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate::page {
namespace {

constexpr std::size_t kStacks = 2;  // the report's, and the one beside it
// No kernel takes more instructions in one task, or filters (each costs 4 and its return at least).
constexpr std::size_t kInstructions = kMaxInstructionsPerTask;
constexpr std::size_t kFilters = kMaxInstructionsPerTask / 5;

// What the page reads after run(): fields of 32 bits, in this order (script.js).
struct Answer {
  std::uint32_t value = 0;
  std::int32_t winner = -1;
  std::uint32_t exempt = 0;
  std::int32_t fault_filter = -1;  // the newest filter that did what the kernel leaves undefined
  std::uint32_t action = 0;        // the action bits as this kernel looks at them
  std::uint32_t outcome = 0;
  std::int32_t outcome_value = 0;
  std::int32_t signal = 0;
  std::uint32_t core_dump = 0;
  std::uint32_t logged = 0;
  std::uint32_t data = 0;
  std::int32_t si_errno = 0;
};

// How one filter ended; `first` is the place of its first executed instruction among the steps.
struct FilterAnswer {
  std::uint32_t value = 0;
  std::uint32_t fault = 0;
  std::uint32_t last = 0;
  std::uint32_t executed = 0;
  std::uint32_t first = 0;
};

struct Filter {
  std::uint32_t begin = 0;
  std::uint32_t length = 0;
  bool log = false;
};

struct Stack {
  std::array<Instruction, kInstructions> instructions{};
  std::array<Filter, kFilters> filters{};
  std::size_t used = 0;
  std::size_t count = 0;
};

KernelModel model;
std::array<Stack, kStacks> stacks;
SeccompData call;
Answer answer;
std::array<FilterAnswer, kFilters> filter_answers;
std::array<std::uint32_t, kInstructions> steps;

struct Recorder {
  std::size_t* count;
  void step(const reference::Step& step) const noexcept {
    if (*count < steps.size()) steps[(*count)++] = static_cast<std::uint32_t>(step.at);
  }
};

void write_outcome(const Stack& stack, bool tracer, bool listener, bool only_thread) {
  const Surroundings around{
      .tracer = tracer,
      .listener = listener,
      .only_thread = only_thread,
      .sigsys_blocked_or_ignored = false,
      .log_flag = answer.winner >= 0 && stack.filters[static_cast<std::size_t>(answer.winner)].log};
  const Outcome outcome = outcome_of(answer.value, call, model, around);
  answer.outcome = static_cast<std::uint32_t>(outcome.kind);
  answer.outcome_value = static_cast<std::int32_t>(outcome.value);
  answer.signal = outcome.signal;
  answer.core_dump = outcome.core_dump ? 1 : 0;
  answer.logged = outcome.logged ? 1 : 0;
  answer.data = outcome.data;
  answer.si_errno = outcome.siginfo.error;
}

}  // namespace
}  // namespace callgate::page

#define CALLGATE_PAGE(name) extern "C" [[gnu::used, clang::export_name(#name)]]

namespace callgate::page {

/// `arch` is the row of vm/arches.def, `jit` whether the kernel's JIT runs the filters.
CALLGATE_PAGE(set_model)
void set_model(int major, int minor, int patch, int arch, int jit) {
  model = KernelModel{.version = {major, minor, patch},
                      .arch = static_cast<Arch>(arch),
                      .blinds_constants = false,
                      .engine = jit != 0 ? KernelEngine::Jit : KernelEngine::Interpreter};
  for (Stack& each : stacks) each.used = each.count = 0;
}

/// Where `length` instructions of a further filter go, 8 bytes each, in this machine's order; 0
/// where there is no room.
CALLGATE_PAGE(add_filter)
Instruction* add_filter(int stack, std::uint32_t length, int log) {
  Stack& to = stacks[static_cast<std::size_t>(stack)];
  if (to.count == kFilters || length > kInstructions - to.used) return nullptr;
  to.filters[to.count++] = Filter{static_cast<std::uint32_t>(to.used), length, log != 0};
  Instruction* const at = to.instructions.data() + to.used;
  to.used += length;
  return at;
}

CALLGATE_PAGE(call_area) SeccompData* call_area() { return &call; }
CALLGATE_PAGE(answer_area) const Answer* answer_area() { return &answer; }
CALLGATE_PAGE(filter_answers_area) const FilterAnswer* filter_answers_area() {
  return filter_answers.data();
}
CALLGATE_PAGE(steps_area) const std::uint32_t* steps_area() { return steps.data(); }

/// Runs the call through a stack, the newest filter first.
CALLGATE_PAGE(run)
void run(int which, int tracer, int listener, int only_thread) {
  const Stack& stack = stacks[static_cast<std::size_t>(which)];
  answer = Answer{};
  std::size_t recorded = 0;
  Combiner combiner(model);
  for (std::size_t i = stack.count; i-- > 0;) {
    const Filter& filter = stack.filters[i];
    FilterAnswer& to = filter_answers[i];
    to.first = static_cast<std::uint32_t>(recorded);
    const reference::Result result =
        reference::run(std::span(stack.instructions).subspan(filter.begin, filter.length), call,
                       model, Recorder{&recorded});
    to.value = result.value;
    to.fault = static_cast<std::uint32_t>(result.fault);
    to.last = static_cast<std::uint32_t>(result.last);
    to.executed = static_cast<std::uint32_t>(result.executed);
    if (result.fault == reference::Fault::None) {
      combiner.add(i, result.value);
    } else if (answer.fault_filter < 0) {
      answer.fault_filter = static_cast<std::int32_t>(i);
    }
  }
  answer.exempt = is_exempt(call, model) ? 1 : 0;
  const Verdict verdict = answer.exempt != 0 ? Verdict{} : combiner.verdict();
  answer.value = verdict.value;
  answer.winner = verdict.winner ? static_cast<std::int32_t>(*verdict.winner) : -1;
  answer.action = action_bits(verdict.value, model);
  write_outcome(stack, tracer != 0, listener != 0, only_thread != 0);
}

}  // namespace callgate::page
