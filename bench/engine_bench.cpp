// What a verdict costs on each engine and on libpcap's interpreter, one at a time and many at once,
// and what preparing and checking cost. Each benchmark checks its verdicts before it times them.
// bench/report.py makes tables and a page of it.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "bench/filters.hpp"
#include "bench/peers.hpp"
#include "harness/engines/choice.hpp"
#include "harness/engines/engines.hpp"
#include "verifier/check.hpp"
#include "vm/batch.hpp"
#include "vm/engine.hpp"
#include "vm/reference.hpp"
#include "vm/specialised_stack.hpp"

namespace {

using callgate::Engine;
using callgate::Executable;
using callgate::KernelModel;
using callgate::Program;
using callgate::SeccompData;
using callgate::bench::Mix;

std::vector<std::uint32_t> expected(const Program& program, const std::vector<SeccompData>& calls) {
  std::vector<std::uint32_t> out;
  for (const SeccompData& data : calls) {
    out.push_back(callgate::reference::run(program, data, KernelModel{}).value);
  }
  return out;
}

// A filter ready to run, or an error that the benchmark shows.
std::unique_ptr<Executable> prepared(benchmark::State& state, const Engine& engine,
                                     const Program& program) {
  const auto checked = callgate::verifier::check(program, KernelModel{});
  if (!checked) {
    state.SkipWithError("the program is refused");
    return nullptr;
  }
  auto executable = engine.prepare(*checked);
  if (!executable) {
    state.SkipWithError(executable.error().c_str());
    return nullptr;
  }
  return std::move(*executable);
}

void count(benchmark::State& state, std::size_t verdicts) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(verdicts));
}

void one_at_a_time(benchmark::State& state, const Engine& engine, const Program& program, Mix mix) {
  const auto executable = prepared(state, engine, program);
  if (!executable) return;
  const std::vector<SeccompData> calls = callgate::bench::calls(mix, program);
  const std::vector<std::uint32_t> right = expected(program, calls);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (executable->run(calls[i]) != right[i]) return state.SkipWithError("a verdict is wrong");
  }
  for (auto _ : state) {
    std::uint32_t sum = 0;
    for (const SeccompData& data : calls) sum += executable->run(data);
    benchmark::DoNotOptimize(sum);
  }
  count(state, calls.size());
}

// How often the calls are repeated so that starting threads is little of what is timed: as often as
// takes about 20 ms.
std::size_t repetitions(const Executable& executable, const std::vector<SeccompData>& calls) {
  std::vector<std::uint32_t> results(calls.size());
  const auto start = std::chrono::steady_clock::now();
  executable.run_many(calls, results);
  const std::chrono::duration<double> once = std::chrono::steady_clock::now() - start;
  return static_cast<std::size_t>(std::clamp(0.02 / once.count(), 1.0, 256.0));
}

// 0 threads: in this one.
void many_at_once(benchmark::State& state, const Engine& engine, const Program& program, Mix mix,
                  unsigned threads) {
  const auto executable = prepared(state, engine, program);
  if (!executable) return;
  std::vector<SeccompData> calls = callgate::bench::calls(mix, program);
  std::vector<SeccompData> inputs;
  const std::size_t times = threads > 0 ? repetitions(*executable, calls) : 1;
  for (std::size_t i = 0; i < times; ++i) inputs.insert(inputs.end(), calls.begin(), calls.end());
  const std::vector<std::uint32_t> right = expected(program, calls);
  std::vector<std::uint32_t> results(inputs.size());
  const auto all = [&] {
    if (threads > 0) return callgate::run_many(*executable, inputs, results, threads);
    executable->run_many(inputs, results);
  };
  all();
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i] != right[i % right.size()]) return state.SkipWithError("a verdict is wrong");
  }
  for (auto _ : state) {
    all();
    benchmark::DoNotOptimize(results.data());
    benchmark::ClobberMemory();
  }
  count(state, inputs.size());
}

// Inputs that fit the nearest cache, over and over, by two threads.
void many_in_cache(benchmark::State& state, const Engine& engine, const Program& program) {
  const auto executable = prepared(state, engine, program);
  if (!executable) return;
  std::vector<SeccompData> calls = callgate::bench::calls(Mix::Traced, program);
  calls.resize(256);
  const std::vector<std::uint32_t> right = expected(program, calls);
  std::vector<std::uint32_t> results(calls.size());
  executable->run_many(calls, results);
  if (results != right) return state.SkipWithError("a verdict is wrong");
  for (auto _ : state) {
    executable->run_many(calls, results);
    benchmark::DoNotOptimize(results.data());
    benchmark::ClobberMemory();
  }
  count(state, calls.size());
}

void peer(benchmark::State& state, const Program& program, Mix mix) {
  if (!callgate::verifier::check(program, KernelModel{})) {
    return state.SkipWithError("the program is refused");
  }
  const std::vector<SeccompData> calls = callgate::bench::calls(mix, program);
  const callgate::bench::Libpcap libpcap(program);
  const std::vector<callgate::bench::Packet> packets = callgate::bench::packets(calls);
  const std::vector<std::uint32_t> right = expected(program, calls);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (libpcap.run(packets[i]) != right[i]) return state.SkipWithError("libpcap's is another");
  }
  for (auto _ : state) {
    std::uint32_t sum = 0;
    for (const auto& packet : packets) sum += libpcap.run(packet);
    benchmark::DoNotOptimize(sum);
  }
  count(state, calls.size());
}

void prepare(benchmark::State& state, const Engine& engine, const Program& program) {
  const auto checked = callgate::verifier::check(program, KernelModel{});
  if (!checked) return state.SkipWithError("the program is refused");
  if (const auto once = engine.prepare(*checked); !once) {
    return state.SkipWithError(once.error().c_str());
  }
  for (auto _ : state) {
    auto executable = engine.prepare(*checked);
    benchmark::DoNotOptimize(executable);
  }
}

// From a checked program to so many verdicts. No engine: the one that engine_for() chooses, its
// choice included.
void cold(benchmark::State& state, const Engine* engine, const Program& program,
          std::uint64_t verdicts) {
  const auto checked = callgate::verifier::check(program, KernelModel{});
  if (!checked) return state.SkipWithError("the program is refused");
  const std::vector<SeccompData> calls = callgate::bench::calls(Mix::Traced, program);
  for (auto _ : state) {
    const Engine& chosen = engine != nullptr ? *engine : callgate::engine_for(*checked, verdicts);
    const auto executable = chosen.prepare(*checked);
    if (!executable) return state.SkipWithError(executable.error().c_str());
    std::uint32_t sum = 0;
    for (std::uint64_t i = 0; i < verdicts; ++i) sum += (*executable)->run(calls[i % calls.size()]);
    benchmark::DoNotOptimize(sum);
  }
  if (engine == nullptr) {
    state.SetLabel(std::string(callgate::engine_for(*checked, verdicts).name()));
  }
}

// Choosing alone; the label says what is chosen.
void choice(benchmark::State& state, const Program& program, std::uint64_t verdicts) {
  const auto checked = callgate::verifier::check(program, KernelModel{});
  if (!checked) return state.SkipWithError("the program is refused");
  for (auto _ : state) {
    const Engine* chosen = &callgate::engine_for(*checked, verdicts);
    benchmark::DoNotOptimize(chosen);
  }
  state.SetLabel(std::string(callgate::engine_for(*checked, verdicts).name()));
}

void check(benchmark::State& state, const Program& program) {
  if (!callgate::verifier::check(program, KernelModel{})) {
    return state.SkipWithError("the program is refused");
  }
  for (auto _ : state) {
    auto checked = callgate::verifier::check(program, KernelModel{});
    benchmark::DoNotOptimize(checked);
  }
}

// Verdicts of a whole stack of `filters` copies of the container profile.
void stack(benchmark::State& state, std::size_t filters, bool specialised) {
  callgate::FilterStack stack{KernelModel{}};
  const Program& program = callgate::bench::filters()[1].program;
  const auto checked = callgate::verifier::check(program, KernelModel{});
  for (std::size_t i = 0; i < filters; ++i) {
    if (!checked || !stack.push(*checked)) return state.SkipWithError("the stack is refused");
  }
  const callgate::SpecialisedStack whole(stack);
  const std::vector<SeccompData> calls = callgate::bench::calls(Mix::Traced, program);
  for (const SeccompData& data : calls) {
    if (whole.run(data) != stack.run(data)) return state.SkipWithError("a verdict is wrong");
  }
  for (auto _ : state) {
    std::uint32_t sum = 0;
    for (const SeccompData& data : calls) {
      sum += specialised ? whole.run(data).value : stack.run(data).value;
    }
    benchmark::DoNotOptimize(sum);
  }
  count(state, calls.size());
}

template <typename... Function>
void add(const std::string& name, Function&&... function) {
  benchmark::RegisterBenchmark(name.c_str(), std::forward<Function>(function)...);
}

const bool kRegistered = [] {
  for (const auto& [filter, program] : callgate::bench::filters()) {
    for (const Mix mix : callgate::bench::kMixes) {
      const std::string rest = "/" + filter + "/" + name_of(mix);
      for (const Engine* engine : callgate::all_engines()) {
        add("single/" + std::string(engine->name()) + rest, [=, &program](benchmark::State& state) {
          one_at_a_time(state, *engine, program, mix);
        });
        add("batch/" + std::string(engine->name()) + rest, [=, &program](benchmark::State& state) {
          many_at_once(state, *engine, program, mix, 0);
        });
      }
      if (callgate::bench::kHasLibpcap) {
        add("single/libpcap" + rest,
            [mix, &program](benchmark::State& state) { peer(state, program, mix); });
      }
    }
    for (const Engine* engine : callgate::all_engines()) {
      const std::string name(engine->name());
      add("prepare/" + name + "/" + filter,
          [=, &program](benchmark::State& state) { prepare(state, *engine, program); });
      benchmark::RegisterBenchmark(("threads/" + name + "/" + filter).c_str(),
                                   [=, &program](benchmark::State& state) {
                                     many_at_once(state, *engine, program, Mix::Traced, 2);
                                   })
          ->UseRealTime();
      benchmark::RegisterBenchmark(
          ("cache/" + name + "/" + filter).c_str(),
          [=, &program](benchmark::State& state) { many_in_cache(state, *engine, program); })
          ->Threads(2)
          ->UseRealTime();
    }
    for (const std::uint64_t verdicts : {1U, 100U, 10'000U}) {
      const std::string rest = "/" + filter + "/" + std::to_string(verdicts);
      for (const Engine* engine : callgate::all_engines()) {
        add("cold/" + std::string(engine->name()) + rest,
            [=, &program](benchmark::State& state) { cold(state, engine, program, verdicts); });
      }
      add("cold/default" + rest,
          [=, &program](benchmark::State& state) { cold(state, nullptr, program, verdicts); });
    }
    add("choice/default/" + filter + "/10000000",
        [&program](benchmark::State& state) { choice(state, program, 10'000'000); });
    add("check/" + filter, [&program](benchmark::State& state) { check(state, program); });
  }
  for (const std::size_t filters : {1U, 4U, 16U}) {
    const std::string name = std::to_string(filters);
    add("stack/each/" + name, [=](benchmark::State& state) { stack(state, filters, false); });
    add("stack/specialised/" + name, [=](benchmark::State& state) { stack(state, filters, true); });
  }
  return true;
}();

}  // namespace
