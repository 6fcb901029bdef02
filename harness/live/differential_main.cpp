// Random programs against the running kernel: which are accepted, and what those return.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>

#include "harness/live/acceptor.hpp"
#include "harness/live/value_oracle.hpp"
#include "harness/random/generator.hpp"
#include "verifier/check.hpp"
#include "vm/reference.hpp"

namespace {

using callgate::KernelModel;
using callgate::Program;
using callgate::random::Source;

struct Options {
  std::uint64_t mutants = 20'000;
  std::uint64_t programs = 2'000;
  std::uint64_t inputs = 8;
  std::uint64_t seed = 1;
};

struct Count {
  std::uint64_t asked = 0;
  std::uint64_t accepted = 0;
  std::uint64_t differ = 0;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void print_program(const Program& program) {
  for (const auto& i : program) {
    fmt::print("    {{ 0x{:02x}, {}, {}, 0x{:08x} }},\n", i.code, i.jt, i.jf, i.k);
  }
}

std::uint64_t size_of_batch(std::uint64_t left) { return std::min<std::uint64_t>(left, 4096); }

bool check_mutants(const Options& options, const KernelModel& model, Count& count) {
  Source source(options.seed);
  while (count.asked < options.mutants) {
    std::vector<Program> programs(size_of_batch(options.mutants - count.asked));
    for (Program& each : programs) {
      const Program a = valid_program(source);
      each = mutated(source, a, valid_program(source));
    }
    const auto answers = callgate::live::accepted(programs);
    if (!answers) {
      fmt::print(stderr, "callgate_live_differential: {}\n", answers.error().message);
      return false;
    }
    for (std::size_t i = 0; i < programs.size(); ++i) {
      const bool ours = callgate::verifier::check(programs[i], model).has_value();
      ++count.asked;
      count.accepted += ours ? 1 : 0;
      if (ours == ((*answers)[i] == 0)) continue;
      ++count.differ;
      fmt::print("differs: we {}, the kernel's errno is {}\n", ours ? "accept" : "refuse",
                 (*answers)[i]);
      print_program(programs[i]);
    }
  }
  return true;
}

bool run_programs(const Options& options, const KernelModel& model, Count& count) {
  Source source(options.seed + 1);
  callgate::live::CallSites sites;
  std::uint64_t made = 0;
  while (made < options.programs) {
    std::vector<callgate::live::ValueJob> jobs(size_of_batch(options.programs - made));
    for (callgate::live::ValueJob& job : jobs) {
      job.program = valid_program(source);
      for (std::uint64_t i = 0; i < options.inputs; ++i) {
        const bool int80 = source.one_in(8);
        job.calls.push_back({input(source, job.program, int80 ? 0x40000003U : 0xc000003eU), true});
      }
    }
    made += jobs.size();
    const auto answers = callgate::live::values(jobs, sites);
    if (!answers) {
      fmt::print(stderr, "callgate_live_differential: {}\n", answers.error().message);
      return false;
    }
    for (std::size_t j = 0; j < jobs.size(); ++j) {
      if ((*answers)[j].install_error != 0) {
        ++count.differ;
        fmt::print("differs: refused with errno {}\n", (*answers)[j].install_error);
        print_program(jobs[j].program);
      }
      for (const callgate::live::Value& value : (*answers)[j].values) {
        if (value.state != callgate::live::Value::State::Known) {
          if (value.state == callgate::live::Value::State::Lost) {
            ++count.differ;
            fmt::print("lost: {}\n", value.why);
          }
          continue;
        }
        ++count.asked;
        const auto ours = callgate::reference::run(jobs[j].program, value.data, model);
        if (ours.value == value.value && ours.fault == callgate::reference::Fault::None) continue;
        ++count.differ;
        fmt::print("differs: we return 0x{:08x}, the kernel 0x{:08x}; nr {} arch 0x{:x}\n",
                   ours.value, value.value, value.data.nr, value.data.arch);
        print_program(jobs[j].program);
      }
    }
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Random programs against the running kernel", "callgate_live_differential"};
  Options options;
  app.add_option("--mutants", options.mutants, "Programs to have accepted or refused");
  app.add_option("--programs", options.programs, "Accepted programs to run");
  app.add_option("--inputs", options.inputs, "Calls for each of those");
  app.add_option("--seed", options.seed, "The same seed makes the same programs");
  CLI11_PARSE(app, argc, argv);

  const KernelModel model = KernelModel::host();
  Count checked;
  auto start = std::chrono::steady_clock::now();
  if (!check_mutants(options, model, checked)) return 2;
  fmt::print("{} programs checked, {} accepted, {} disagreements ({:.1f} s)\n", checked.asked,
             checked.accepted, checked.differ, seconds_since(start));
  Count run;
  start = std::chrono::steady_clock::now();
  if (!run_programs(options, model, run)) return 2;
  fmt::print("{} programs run, {} evaluations, {} disagreements ({:.1f} s)\n", options.programs,
             run.asked, run.differ, seconds_since(start));
  return checked.differ + run.differ == 0 ? 0 : 1;
}
