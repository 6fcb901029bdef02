#include "harness/live/value_oracle.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>

#include "harness/live/asker.hpp"
#include "vm/arches.hpp"

namespace callgate::live {
namespace {

constexpr std::array<std::uint32_t, 3> kShifts = {0, 12, 24};
constexpr std::int64_t kMaxErrno = 4095;

// One job in the form that the server works on.
struct Prepared {
  Rewritten rewritten;
  std::vector<Filter> filters;  // one for each program
  std::vector<raw::Registers> registers;
  std::int64_t* results = nullptr;  // shared, as the next two
  Reply* replies = nullptr;
  volatile std::int32_t* install_error = nullptr;

  // Calls that make one value.
  [[nodiscard]] std::size_t parts() const {
    return rewritten.kind == RewriteKind::ByIndex ? 1 : kShifts.size();
  }
  // Of those, the ones that one program answers.
  [[nodiscard]] std::size_t group() const {
    return rewritten.kind == RewriteKind::Selected ? kShifts.size() : 1;
  }
};

struct Shared {
  volatile std::uint64_t progress;
  volatile std::int64_t setup;  // errno of the preparation
  volatile std::uint64_t at;
  volatile std::uint64_t installed;
};

std::uint64_t& argument_register(raw::Registers& r, std::size_t argument, bool int80) {
  const std::array<std::uint64_t*, 6> by_syscall = {&r.rdi, &r.rsi, &r.rdx, &r.r10, &r.r8, &r.r9};
  const std::array<std::uint64_t*, 6> by_int80 = {&r.rbx, &r.rcx, &r.rdx, &r.rsi, &r.rdi, &r.rbp};
  return *(int80 ? by_int80 : by_syscall)[argument];
}

// The registers of one value's calls: `parts` beside each other where one program answers them all,
// one where each has its program.
void add_registers(Prepared& here, const ReachableCall& call) {
  if (here.rewritten.kind != RewriteKind::Selected) {
    here.registers.push_back(call.registers);
    return;
  }
  const bool int80 = call.data.arch == info(Arch::X86).token;
  for (const std::uint32_t shift : kShifts) {
    raw::Registers registers = call.registers;
    std::uint64_t& selector = argument_register(registers, here.rewritten.selector, int80);
    selector = (selector & ~std::uint64_t{0xffffffffU}) | shift;
    here.registers.push_back(registers);
  }
}

// In the serving child.
void serve(const Prepared* prepared, std::size_t jobs, Shared* shared, std::byte* stack) {
  shared->setup = allow_filters();
  if (shared->setup != 0) return;
  // Its children share its memory: a dump of one of them would take the server along.
  raw::call(SYS_prctl, PR_SET_DUMPABLE, 0);
  Pace pace;
  for (std::size_t j = 0; j < jobs; ++j) {
    const Prepared& here = prepared[j];
    const std::size_t calls = here.registers.size();
    for (std::size_t p = 0; p < here.filters.size(); ++p) {
      const Questions questions{.filters = &here.filters[p],
                                .filter_count = 1,
                                .registers = here.registers.data(),
                                .calls = calls,
                                .group = here.group(),
                                .results = here.results + p * calls,
                                .replies = here.replies + p * calls,
                                .install_error = here.install_error,
                                .installed = &shared->installed,
                                .at = &shared->at,
                                .progress = &shared->progress};
      ask_in_children(questions, stack, pace);
    }
  }
}

// What the calls of one value say together.
void decode(const Prepared& here, std::size_t index, Value& value) {
  const std::size_t values = here.registers.size() / here.group();
  std::array<std::uint32_t, 3> errnos{};
  std::size_t deaths = 0;
  for (std::size_t part = 0; part < here.parts(); ++part) {
    // ThreeFold: all first parts, then all second ones.
    const bool together = here.rewritten.kind == RewriteKind::Selected;
    const std::size_t at = together ? index * here.parts() + part : part * values + index;
    if (here.replies[at] == Reply::DiedBySigsys) {
      ++deaths;
      continue;
    }
    if (here.replies[at] != Reply::Returned) {
      value.why = "the asking child died before it had an answer";
      return;
    }
    // By int 0x80 only the low half is the result.
    const std::int64_t code = -std::int64_t{static_cast<std::int32_t>(here.results[at])};
    if (code < 0 || code > kMaxErrno) {
      value.why = "the call returned what no errno is";
      return;
    }
    errnos[part] = static_cast<std::uint32_t>(code);
  }
  if (deaths == here.parts()) {
    value.state = Value::State::Known;
    value.value = 0;
  } else if (deaths != 0) {
    value.why = "the calls of one value do not agree";
  } else if (here.rewritten.kind != RewriteKind::ByIndex) {
    value.state = Value::State::Known;
    value.value = errnos[0] | errnos[1] << 12U | errnos[2] << 24U;
  } else if (errnos[0] < here.rewritten.constants.size()) {
    value.state = Value::State::Known;
    value.value = here.rewritten.constants[errnos[0]];
  } else {
    value.why = "the call returned an errno that no return of the program has";
  }
}

}  // namespace

std::expected<std::vector<ValueAnswer>, LiveError> values(std::span<const ValueJob> jobs,
                                                          CallSites& sites,
                                                          int patience_milliseconds) {
  std::vector<ValueAnswer> answers(jobs.size());
  std::vector<Prepared> prepared(jobs.size());
  std::size_t calls = 0;
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    Prepared& here = prepared[j];
    here.rewritten = rewrite(jobs[j].program);
    for (const Program& each : here.rewritten.programs) {
      here.filters.push_back({each.data(), each.size()});
    }
    if (here.rewritten.kind == RewriteKind::NoRoom) {
      answers[j].why = "the rewritten program has no room in 4096 instructions";
      continue;
    }
    for (const Call& call : jobs[j].calls) {
      const auto reached = sites.reach(call);
      Value& value = answers[j].values.emplace_back();
      value.data = reached ? reached->data : call.data;
      if (reached) {
        add_registers(here, *reached);
      } else {
        value.state = Value::State::NotReachable;
        value.why = reached.error();
      }
    }
    calls += here.registers.size() * here.filters.size();
  }

  // Shared: counters, results and replies of all calls, an errno for each job, the children's
  // stack.
  const std::size_t results_at = sizeof(Shared);
  const std::size_t errors_at = results_at + calls * sizeof(std::int64_t);
  const std::size_t replies_at = errors_at + jobs.size() * sizeof(std::int32_t);
  const std::size_t stack_at = (replies_at + calls + 15) / 16 * 16;
  const SharedMemory memory(stack_at + kAskerStack);
  auto* const shared = memory.as<Shared>();
  auto* results = memory.as<std::int64_t>(results_at);
  auto* replies = memory.as<Reply>(replies_at);
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    Prepared& here = prepared[j];
    here.results = results;
    here.replies = replies;
    here.install_error = memory.as<std::int32_t>(errors_at) + j;
    results += here.registers.size() * here.filters.size();
    replies += here.registers.size() * here.filters.size();
  }

  const ChildEnd end = run_child(
      [&] { serve(prepared.data(), prepared.size(), shared, memory.as<std::byte>(stack_at)); },
      &shared->progress, patience_milliseconds);
  if (auto wrong = what_went_wrong(end, static_cast<int>(shared->setup))) {
    return std::unexpected(std::move(*wrong));
  }
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    ValueAnswer& answer = answers[j];
    answer.install_error = *prepared[j].install_error;
    std::size_t index = 0;
    for (Value& value : answer.values) {
      if (value.state == Value::State::NotReachable) continue;
      if (answer.install_error == 0) {
        decode(prepared[j], index, value);
      } else {
        value.why = "the program was refused";
      }
      ++index;
    }
  }
  return answers;
}

}  // namespace callgate::live
