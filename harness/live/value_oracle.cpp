#include "harness/live/value_oracle.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>

#include "harness/live/asker.hpp"

namespace callgate::live {
namespace {

constexpr std::size_t kParts = 3;  // of 12 bits, by shifts of 0, 12 and 24
constexpr std::int64_t kMaxErrno = 4095;
constexpr std::uint16_t kDivX = 0x3c;

// One job in the form that the server works on.
struct Prepared {
  Rewritten rewritten;
  std::vector<const SeccompData*> asked;
  bool passes = false;              // one of the calls is one that a program made passing() allows
  std::int64_t* results = nullptr;  // shared, as the next two
  Reply* replies = nullptr;
  volatile std::int32_t* install_error = nullptr;

  // Calls that make one value.
  [[nodiscard]] std::size_t parts() const {
    return rewritten.kind == RewriteKind::ByIndex ? 1 : kParts;
  }
  // Of those, the ones that one program answers.
  [[nodiscard]] std::size_t group() const {
    return rewritten.kind == RewriteKind::Selected ? kParts : 1;
  }
  // Calls under one program.
  [[nodiscard]] std::size_t calls() const { return asked.size() * group(); }
};

struct Shared {
  volatile std::uint64_t progress;
  volatile std::int64_t setup;  // errno of the preparation
  volatile std::uint64_t at;
  volatile std::uint64_t installed;
};

// The questions of all jobs, a child for each few. To start a child costs more than to install a
// small program, and the rewritten programs answer with errnos, where the newest filter's counts:
// so one that is installed above others is what is heard. It is asked again alone where it is
// refused or dies.
class Sittings {
 public:
  Sittings(const std::vector<Prepared>& prepared, Shared* shared) {
    std::size_t count = 0;
    for (const Prepared& here : prepared) count += here.rewritten.programs.size();
    questions_.reserve(count);
    filters_.reserve(count);
    passing_.reserve(count);
    for (const Prepared& here : prepared) {
      for (std::size_t p = 0; p < here.rewritten.programs.size(); ++p) add(here, p, shared);
    }
  }

  // In the serving child.
  void serve(Shared* shared, std::byte* stack) const {
    shared->setup = allow_filters();
    if (shared->setup != 0) return;
    // Its children share its memory: a dump of one of them would take the server along.
    raw::call(SYS_prctl, PR_SET_DUMPABLE, 0);
    Pace pace;
    for (std::size_t i = 0; i < begins_.size(); ++i) {
      const std::size_t end = i + 1 < begins_.size() ? begins_[i + 1] : questions_.size();
      ask_in_children(&questions_[begins_[i]], end - begins_[i], stack, pace);
    }
  }

 private:
  static constexpr std::size_t kMostTogether = 8;
  static constexpr std::size_t kMostCallsTogether = 64;  // of each: below it, all filters run
  // Far from the limit of a task, whatever the instructions expand to.
  static constexpr std::size_t kMostInstructionsTogether = 2048;

  void add(const Prepared& here, std::size_t p, Shared* shared) {
    const Program& program = here.rewritten.programs[p];
    const std::size_t calls = here.calls();
    const bool alone =
        here.passes || calls > kMostCallsTogether || program.size() > kMostInstructionsTogether;
    if (closed_ || alone || questions_.size() - begins_.back() == kMostTogether ||
        instructions_ + program.size() > kMostInstructionsTogether) {
      begins_.push_back(questions_.size());
      instructions_ = 0;
    } else {
      // What is below must let this one be installed.
      const Program& below = passing_.emplace_back(passing(*newest_));
      filters_.back() = {below.data(), below.size()};
    }
    newest_ = &program;
    instructions_ += program.size();
    // A division by X = 0 would kill whoever asks above it.
    closed_ = alone || std::ranges::any_of(
                           program, [](const Instruction& each) { return each.code == kDivX; });
    filters_.push_back({program.data(), program.size()});
    questions_.push_back({.filters = &filters_.back(),
                          .filter_count = 1,
                          .asked = here.asked.data(),
                          .selector = here.rewritten.kind == RewriteKind::Selected
                                          ? &here.rewritten.selector
                                          : nullptr,
                          .calls = calls,
                          .group = here.group(),
                          .results = here.results + p * calls,
                          .replies = here.replies + p * calls,
                          .install_error = here.install_error,
                          .installed = &shared->installed,
                          .at = &shared->at,
                          .progress = &shared->progress});
  }

  std::vector<Questions> questions_;
  std::vector<Filter> filters_;  // one for each question; reserved: they are pointed to
  std::vector<Program> passing_;
  std::vector<std::size_t> begins_;  // the first question of each child
  const Program* newest_ = nullptr;
  std::size_t instructions_ = 0;  // of the newest child
  bool closed_ = true;            // nothing may come above the newest question
};

// What the calls of one value say together.
void decode(const Prepared& here, std::size_t index, Value& value) {
  const std::size_t values = here.asked.size();
  std::array<std::uint32_t, kParts> errnos{};
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

bool differs(const reference::Result& ours, const Value& value) noexcept {
  switch (value.state) {
    case Value::State::Known:
      return ours.value != value.value || ours.fault != reference::Fault::None;
    case Value::State::NotReachable:
      return false;
    case Value::State::Lost:
      return true;
  }
  return true;
}

std::expected<std::vector<ValueAnswer>, LiveError> values(std::span<const ValueJob> jobs,
                                                          CallSites& sites,
                                                          int patience_milliseconds) {
  std::vector<ValueAnswer> answers(jobs.size());
  std::vector<Prepared> prepared(jobs.size());
  std::size_t calls = 0;
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    Prepared& here = prepared[j];
    here.rewritten = rewrite(jobs[j].program);
    if (here.rewritten.kind == RewriteKind::NoRoom) {
      answers[j].why = "the rewritten program has no room in 4096 instructions";
      continue;
    }
    answers[j].values.reserve(jobs[j].calls.size());
    here.asked.reserve(jobs[j].calls.size());
    for (const Call& call : jobs[j].calls) {
      const auto reached = sites.reach(call);
      Value& value = answers[j].values.emplace_back();
      value.data = reached ? reached->data : call.data;
      if (reached) {
        here.passes = here.passes || may_pass(reached->data);
        here.asked.push_back(&value.data);
      } else {
        value.state = Value::State::NotReachable;
        value.why = reached.error();
      }
    }
    calls += here.calls() * here.rewritten.programs.size();
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
    results += here.calls() * here.rewritten.programs.size();
    replies += here.calls() * here.rewritten.programs.size();
  }
  const Sittings sittings(prepared, shared);

  const ChildEnd end = run_child([&] { sittings.serve(shared, memory.as<std::byte>(stack_at)); },
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
