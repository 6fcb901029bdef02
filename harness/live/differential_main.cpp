// Random programs against the running kernel: which are accepted, what those return, and what
// becomes of calls under stacks of them. Prints counts; what differs is shrunk and printed.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

#include "harness/live/acceptor.hpp"
#include "harness/live/availability.hpp"
#include "harness/live/outcome_oracle.hpp"
#include "harness/live/value_oracle.hpp"
#include "harness/random/generator.hpp"
#include "harness/random/shrink.hpp"
#include "harness/report/words.hpp"
#include "verifier/check.hpp"
#include "vm/actions.hpp"
#include "vm/arches.hpp"
#include "vm/filter_stack.hpp"
#include "vm/reference.hpp"

namespace {

using callgate::KernelModel;
using callgate::Program;
using callgate::random::Source;
namespace live = callgate::live;

struct Options {
  std::uint64_t mutants = 20'000;
  std::uint64_t programs = 2'000;
  std::uint64_t inputs = 8;
  std::uint64_t stacks = 200;
  std::uint64_t seed = 1;
};

struct Count {
  std::uint64_t asked = 0;
  std::uint64_t accepted = 0;
  std::uint64_t differ = 0;
  std::uint64_t notified = 0;
  std::map<std::string_view, std::uint64_t> not_asked{};  // by reason

  void print_not_asked() const {
    for (const auto& [why, times] : not_asked) fmt::print("  {} not asked: {}\n", times, why);
  }
};

constexpr std::uint64_t kBatch = 4096;
// So many programs ask for half the places that live::CallSites has.
constexpr std::uint64_t kRunBatch = 1024;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

template <typename T>
T or_throw(std::expected<T, live::LiveError> answer) {
  if (!answer) throw std::runtime_error(answer.error().message);
  return std::move(*answer);
}

void print_program(const Program& program) {
  for (const auto& i : program) {
    fmt::print("    {{ 0x{:02x}, {}, {}, 0x{:08x} }},\n", i.code, i.jt, i.jf, i.k);
  }
}

bool accept(const Program& program, const KernelModel& model) {
  return callgate::verifier::check(program, model).has_value();
}

Count check_mutants(const Options& options, const KernelModel& model) {
  Count count;
  Source source(options.seed);
  const auto differing = [&](std::span<const Program> programs) {
    const std::vector<int> answers = or_throw(live::accepted(programs));
    std::vector<bool> out;
    for (std::size_t i = 0; i < programs.size(); ++i) {
      out.push_back(accept(programs[i], model) != (answers[i] == 0));
    }
    return out;
  };
  while (count.asked < options.mutants) {
    std::vector<Program> programs(std::min(kBatch, options.mutants - count.asked));
    for (Program& each : programs) {
      const Program a = valid_program(source);
      each = mutated(source, a, valid_program(source));
      if (accept(each, model)) ++count.accepted;
    }
    const std::vector<bool> differs = differing(programs);
    for (std::size_t i = 0; i < programs.size(); ++i) {
      ++count.asked;
      if (!differs[i]) continue;
      ++count.differ;
      const Program small = callgate::random::shrunk(programs[i], differing);
      fmt::print("differs: we {} what the kernel does not\n",
                 accept(small, model) ? "accept" : "refuse");
      print_program(small);
    }
  }
  return count;
}

// Calls of x86_64, x32 and i386; one in 16 from a place of its own.
live::Call any_call(Source& source, const Program& program) {
  const auto arch = source.one_in(8) ? callgate::Arch::X86 : callgate::Arch::X86_64;
  live::Call call{input(source, program, callgate::info(arch).token), true};
  if (source.one_in(16)) {
    call.any_instruction_pointer = false;
    call.data.instruction_pointer = 0x10002 + source.next() % 0x7ffffff00000U;
  }
  return call;
}

// Whether our value is another than the kernel's.
bool differs(const Program& program, const live::Value& value, const KernelModel& model) {
  if (value.state == live::Value::State::NotReachable) return false;
  if (value.state == live::Value::State::Lost) return true;
  const auto ours = callgate::reference::run(program, value.data, model);
  return ours.value != value.value || ours.fault != callgate::reference::Fault::None;
}

void report_value(const live::ValueJob& job, const live::Value& value, const KernelModel& model) {
  const live::Call call{value.data, true};
  live::Value last = value;
  const auto shows = [&](std::span<const Program> candidates) {
    live::CallSites sites;
    std::vector<live::ValueJob> jobs;
    for (const Program& each : candidates) {
      jobs.push_back(accept(each, model) ? live::ValueJob{each, {call}} : live::ValueJob{{}, {}});
    }
    const auto answers = or_throw(live::values(jobs, sites));
    std::vector<bool> out;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const auto& got = answers[i].values;
      out.push_back(got.size() == 1 && differs(candidates[i], got.front(), model));
      if (out.back() && std::ranges::count(out, true) == 1) last = got.front();
    }
    return out;
  };
  const Program small = callgate::random::shrunk(job.program, shows);
  fmt::print("differs: nr {} arch 0x{:x}: we return 0x{:08x}, the kernel 0x{:08x} {}\n",
             last.data.nr, last.data.arch, callgate::reference::run(small, last.data, model).value,
             last.value, last.why);
  print_program(small);
}

Count run_programs(const Options& options, const KernelModel& model) {
  Count count;
  Source source(options.seed + 1);
  while (count.accepted < options.programs) {
    live::CallSites sites;  // anew for each batch: places are limited
    std::vector<live::ValueJob> jobs(std::min(kRunBatch, options.programs - count.accepted));
    for (live::ValueJob& job : jobs) {
      job.program = valid_program(source);
      for (std::uint64_t i = 0; i < options.inputs; ++i) {
        job.calls.push_back(any_call(source, job.program));
      }
    }
    const auto answers = or_throw(live::values(jobs, sites));
    for (std::size_t j = 0; j < jobs.size(); ++j) {
      ++count.accepted;
      if (answers[j].install_error != 0 || !answers[j].why.empty()) {
        ++count.differ;
        fmt::print("differs: refused with errno {}{}\n", answers[j].install_error, answers[j].why);
        print_program(jobs[j].program);
        continue;
      }
      for (const live::Value& value : answers[j].values) {
        if (value.state == live::Value::State::Known) {
          ++count.asked;
        } else {
          ++count.not_asked[value.why];
        }
        if (!differs(jobs[j].program, value, model)) continue;
        ++count.differ;
        report_value(jobs[j], value, model);
      }
    }
  }
  return count;
}

// Stacks of 1 to 4 short programs, one in two with a listener, each met by 4 calls.
Count run_stacks(const Options& options, const KernelModel& model, bool with_listeners) {
  constexpr callgate::Surroundings kAround = {.tracer = true,
                                              .listener = false,
                                              .only_thread = false,
                                              .sigsys_blocked_or_ignored = false,
                                              .log_flag = false};
  Count count;
  Source source(options.seed + 2);
  for (std::uint64_t s = 0; s < options.stacks; ++s) {
    callgate::FilterStack stack(model);
    std::vector<Program> programs(1 + source.below(4));
    for (Program& each : programs) {
      each = valid_program(source, {.longest = 12, .shifts_by_x = true});
      if (!stack.push(callgate::verifier::check(each, model).value())) {
        throw std::runtime_error("a short stack does not fit");
      }
    }
    std::vector<live::Call> calls(4);
    for (live::Call& call : calls) {
      call = any_call(source, programs[source.below(static_cast<std::uint32_t>(programs.size()))]);
      call.any_instruction_pointer = true;
    }
    live::CallSites sites;
    live::OutcomeOptions how;
    if (with_listeners && source.one_in(2)) {
      how.listener = source.below(static_cast<std::uint32_t>(programs.size()));
    }
    const live::StackSeen seen = or_throw(live::outcomes(programs, calls, sites, how));
    ++count.accepted;
    for (const live::Seen& each : seen.calls) {
      const callgate::Verdict verdict = stack.run(each.data);
      callgate::Surroundings around = kAround;
      around.listener = how.listener && verdict.winner == how.listener;
      const callgate::Outcome ours = outcome_of(stack, verdict, each.data, around);
      if (each.kind == live::Seen::Kind::Notified) ++count.notified;
      const live::Agreement agreement = compare(ours, verdict.value, each);
      if (agreement == live::Agreement::NotAsked) {
        ++count.not_asked[why_not_asked(verdict.value, each)];
      } else {
        ++count.asked;
      }
      if (agreement != live::Agreement::Differs) continue;
      ++count.differ;
      fmt::print("differs: nr {} arch 0x{:x}: we say: {}; the kernel: {}\n", each.data.nr,
                 each.data.arch, callgate::report::outcome_words(ours, "the call"),
                 words(each, "the call"));
      for (const Program& program : programs) {
        fmt::print("  filter\n");
        print_program(program);
      }
    }
  }
  return count;
}

int differential(const Options& options) {
  const live::Availability available = live::availability();
  if (!available.filters.empty()) throw std::runtime_error(available.filters);
  const KernelModel model = KernelModel::host();
  auto start = std::chrono::steady_clock::now();
  const Count checked = check_mutants(options, model);
  fmt::print("{} programs checked, {} accepted, {} disagreements ({:.1f} s)\n", checked.asked,
             checked.accepted, checked.differ, seconds_since(start));
  start = std::chrono::steady_clock::now();
  const Count run = run_programs(options, model);
  fmt::print("{} programs run, {} evaluations, {} disagreements ({:.1f} s)\n", run.accepted,
             run.asked, run.differ, seconds_since(start));
  run.print_not_asked();
  start = std::chrono::steady_clock::now();
  const Count stacks = run_stacks(options, model, available.notification.empty());
  fmt::print("{} stacks installed, {} calls, {} notifications, {} disagreements ({:.1f} s)\n",
             stacks.accepted, stacks.asked, stacks.notified, stacks.differ, seconds_since(start));
  stacks.print_not_asked();
  return checked.differ + run.differ + stacks.differ == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Random programs against the running kernel", "callgate_live_differential"};
  Options options;
  app.add_option("--mutants", options.mutants, "Programs to have accepted or refused");
  app.add_option("--programs", options.programs, "Accepted programs to run");
  app.add_option("--inputs", options.inputs, "Calls for each of those");
  app.add_option("--stacks", options.stacks, "Stacks to install and make calls under");
  app.add_option("--seed", options.seed, "The same seed makes the same programs");
  app.footer("\nExit code 1: something differs; 2: the kernel cannot be asked.");
  CLI11_PARSE(app, argc, argv);
  try {
    return differential(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "callgate_live_differential: {}\n", error.what());
    return 2;
  }
}
