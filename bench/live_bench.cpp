// What the running kernel's answers cost: programs accepted, small programs installed and evaluated
// once, evaluations on one installed filter; and what its own engine takes for a verdict. Each
// checks its answers against ours before it times them. One such program at a time: see live::Pace.

#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <algorithm>
#include <string>
#include <vector>

#include "bench/filters.hpp"
#include "bench/peers.hpp"
#include "harness/cost/kernel_body.hpp"
#include "harness/cost/probe_filters.hpp"
#include "harness/engines/engines.hpp"
#include "harness/live/acceptor.hpp"
#include "harness/live/availability.hpp"
#include "harness/live/value_oracle.hpp"
#include "harness/random/generator.hpp"
#include "verifier/check.hpp"
#include "vm/outcome.hpp"
#include "vm/reference.hpp"

namespace {

using callgate::KernelModel;
using callgate::Program;
namespace live = callgate::live;
namespace random_programs = callgate::random;

constexpr std::uint32_t kX86_64 = 0xc000003eU;

// Why the kernel cannot be asked; asked once.
const std::string& unavailable() {
  static const std::string why = live::availability().filters;
  return why;
}

// Processor time of this process and its children so far, in seconds: on a busy machine, where the
// children of low priority wait, it says more than the clock on the wall.
double processor_time() {
  double seconds = 0;
  for (const auto who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage used{};
    getrusage(who, &used);
    for (const timeval& each : {used.ru_utime, used.ru_stime}) {
      seconds += static_cast<double>(each.tv_sec) + 1e-6 * static_cast<double>(each.tv_usec);
    }
  }
  return seconds;
}

// What a benchmark's items come to.
void count(benchmark::State& state, std::int64_t items, double started) {
  state.SetItemsProcessed(items);
  state.counters["items_per_processor_second"] =
      static_cast<double>(items) / (processor_time() - started);
}

// Up to `longest` instructions each.
std::vector<Program> small_programs(std::size_t count, std::uint32_t longest) {
  random_programs::Source source(2026);
  std::vector<Program> programs(count);
  for (Program& each : programs) {
    each = random_programs::valid_program(source, {.longest = longest, .shifts_by_x = true});
  }
  return programs;
}

// Whether every call has the value that the reference interpreter returns.
bool all_right(const std::vector<live::ValueJob>& jobs,
               const std::vector<live::ValueAnswer>& answers) {
  const KernelModel model = KernelModel::host();
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    const bool each_right = std::ranges::all_of(answers[j].values, [&](const live::Value& value) {
      return value.state == live::Value::State::Known &&
             value.value == callgate::reference::run(jobs[j].program, value.data, model).value;
    });
    if (!each_right || answers[j].values.size() != jobs[j].calls.size()) return false;
  }
  return true;
}

void ask(benchmark::State& state, const std::vector<live::ValueJob>& jobs) {
  if (!unavailable().empty()) return state.SkipWithError(unavailable().c_str());
  live::CallSites sites;
  const auto checked = live::values(jobs, sites);
  if (!checked) return state.SkipWithError(checked.error().message.c_str());
  if (!all_right(jobs, *checked)) return state.SkipWithError("the values are not ours");
  std::int64_t asked = 0;
  const double started = processor_time();
  for (auto _ : state) {
    const auto answers = live::values(jobs, sites);
    if (!answers) return state.SkipWithError(answers.error().message.c_str());
    for (const live::ValueJob& job : jobs) asked += static_cast<std::int64_t>(job.calls.size());
  }
  count(state, asked, started);
}

// Items: programs.
void accepted(benchmark::State& state) {
  if (!unavailable().empty()) return state.SkipWithError(unavailable().c_str());
  const std::vector<Program> programs = small_programs(1024, 24);
  const auto checked = live::accepted(programs);
  if (!checked) return state.SkipWithError(checked.error().message.c_str());
  if (std::ranges::count(*checked, 0) != std::ranges::ssize(programs)) {
    return state.SkipWithError("a valid program is refused");
  }
  const double started = processor_time();
  for (auto _ : state) {
    const auto errors = live::accepted(programs);
    if (!errors) return state.SkipWithError(errors.error().message.c_str());
  }
  count(state, state.iterations() * std::ranges::ssize(programs), started);
}
BENCHMARK(accepted)->UseRealTime()->Unit(benchmark::kMillisecond);

// Items: programs, each installed, and evaluated on one call.
void installed_and_evaluated_once(benchmark::State& state) {
  random_programs::Source source(7);
  std::vector<live::ValueJob> jobs;
  for (Program& program : small_programs(1024, 12)) {
    const callgate::SeccompData data = random_programs::input(source, program, kX86_64);
    jobs.push_back({std::move(program), {{data, true}}});
  }
  for (live::ValueJob& job : jobs) {
    // 335 and 336 reach no filter.
    if (job.calls[0].data.nr == 335 || job.calls[0].data.nr == 336) job.calls[0].data.nr = 0;
  }
  ask(state, jobs);
}
BENCHMARK(installed_and_evaluated_once)->UseRealTime()->Unit(benchmark::kMillisecond);

// Items: evaluations, all on one filter of eight compares.
void evaluated_on_one_filter(benchmark::State& state) {
  live::ValueJob job;
  job.program = {{0x20, 0, 0, 0}};
  for (std::uint32_t nr = 0; nr < 8; ++nr) {
    job.program.push_back({0x15, 0, 1, 3 * nr});
    job.program.push_back({0x06, 0, 0, 0x00050000U | nr});
  }
  job.program.push_back({0x06, 0, 0, 0x7fff0000U});
  for (std::int32_t i = 0; i < 1 << 17; ++i) {
    job.calls.push_back(
        {{.nr = i % 32, .arch = kX86_64, .instruction_pointer = 0, .args = {}}, true});
  }
  ask(state, {job});
}
BENCHMARK(evaluated_on_one_filter)->UseRealTime()->Unit(benchmark::kMillisecond);

// Numbers from all over the table, with arguments that lean to what the program asks for. None ends
// it by a division.
std::vector<callgate::SeccompData> inputs_of(const Program& program) {
  std::vector<callgate::SeccompData> inputs =
      callgate::bench::calls(callgate::bench::Mix::Uniform, program);
  const KernelModel model = KernelModel::host();
  std::erase_if(inputs, [&](const callgate::SeccompData& data) {
    return callgate::is_exempt(data, model) ||
           callgate::reference::run(program, data, model).value != callgate::cost::kRefusal;
  });
  if (inputs.size() > 2048) inputs.resize(2048);
  return inputs;
}

// Nanoseconds of a verdict in the kernel's own engine, seen as the difference of two calls: an
// iteration is a whole measurement. Every return is a refusal: nothing is executed.
void kernels_own(benchmark::State& state, const Program& program) {
  if (!unavailable().empty()) return state.SkipWithError(unavailable().c_str());
  const Program refusing = callgate::cost::refusing(program);
  const auto inputs = inputs_of(refusing);
  callgate::cost::BodyCost cost;
  for (auto _ : state) {
    const auto measured = callgate::cost::kernel_body_cost(refusing, inputs);
    if (!measured) return state.SkipWithError(measured.error().message.c_str());
    if (measured->install_error != 0) return state.SkipWithError("the program is refused");
    cost = *measured;
  }
  state.counters["ns_per_verdict"] = cost.nanoseconds.median;
  state.counters["spread"] = cost.nanoseconds.spread;
}

// The same program and inputs, one call after another, in ours or a peer's.
template <typename Run>
void beside_it(benchmark::State& state, std::size_t inputs, const Run& run) {
  for (auto _ : state) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < inputs; ++i) sum += run(i);
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(inputs));
}

void ours(benchmark::State& state, const callgate::Engine& engine, const Program& program) {
  const Program refusing = callgate::cost::refusing(program);
  const auto checked = callgate::verifier::check(refusing, KernelModel{});
  if (!checked) return state.SkipWithError("the program is refused");
  const auto executable = engine.prepare(*checked);
  if (!executable) return state.SkipWithError(executable.error().c_str());
  const auto inputs = inputs_of(refusing);
  for (const auto& data : inputs) {
    if ((*executable)->run(data) != callgate::cost::kRefusal) {
      return state.SkipWithError("a verdict is wrong");
    }
  }
  beside_it(state, inputs.size(), [&](std::size_t i) { return (*executable)->run(inputs[i]); });
}

void libpcaps(benchmark::State& state, const Program& program) {
  const Program refusing = callgate::cost::refusing(program);
  const auto inputs = inputs_of(refusing);
  const callgate::bench::Libpcap libpcap(refusing);
  const auto packets = callgate::bench::packets(inputs);
  for (const auto& packet : packets) {
    if (libpcap.run(packet) != callgate::cost::kRefusal) {
      return state.SkipWithError("libpcap's is another");
    }
  }
  beside_it(state, packets.size(), [&](std::size_t i) { return libpcap.run(packets[i]); });
}

const bool kRegistered = [] {
  for (const auto& [filter, program] : callgate::bench::filters()) {
    benchmark::RegisterBenchmark(("body/kernel/" + filter).c_str(), [&program](
                                                                        benchmark::State& state) {
      kernels_own(state, program);
    })->Iterations(1);
    for (const callgate::Engine* engine : callgate::all_engines()) {
      benchmark::RegisterBenchmark(
          ("body/" + std::string(engine->name()) + "/" + filter).c_str(),
          [=, &program](benchmark::State& state) { ours(state, *engine, program); });
    }
    if (callgate::bench::kHasLibpcap) {
      benchmark::RegisterBenchmark(
          ("body/libpcap/" + filter).c_str(),
          [&program](benchmark::State& state) { libpcaps(state, program); });
    }
  }
  // What the kernel's figures are less.
  static const Program trivial = callgate::cost::refusing_filter();
  for (const callgate::Engine* engine : callgate::all_engines()) {
    benchmark::RegisterBenchmark(("body/" + std::string(engine->name()) + "/trivial").c_str(),
                                 [=](benchmark::State& state) { ours(state, *engine, trivial); });
  }
  return true;
}();

}  // namespace
