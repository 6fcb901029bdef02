// How time and memory of preparing and running grow with the length of a program and the depth of a
// stack. bench/report.py draws them.

#include <benchmark/benchmark.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "bench/filters.hpp"
#include "harness/engines/engines.hpp"
#include "verifier/check.hpp"
#include "vm/filter_stack.hpp"
#include "vm/reference.hpp"
#include "vm/specialised_stack.hpp"

namespace {

using callgate::Engine;
using callgate::Executable;
using callgate::KernelModel;
using callgate::Program;
using callgate::SeccompData;
using callgate::bench::Mix;

constexpr std::uint32_t kAllow = 0x7fff0000U;
constexpr std::uint32_t kLengths[] = {1, 4, 16, 64, 256, 1024, 4096};
constexpr std::size_t kDepths[] = {1, 2, 4, 8, 16, 32};

// What a program of such a length does.
enum class Kind : std::uint8_t {
  Numbers,    // compares the number, again and again
  Arguments,  // compares words of the arguments, whatever the number
};

Program of_length(Kind kind, std::uint32_t length) {
  if (kind == Kind::Numbers && length >= 4) return callgate::bench::chain((length - 2) / 2);
  Program program;
  for (std::uint32_t i = 0; program.size() + 4 <= length; ++i) {
    program.push_back({0x20, 0, 0, 16 + 8 * (i % 6)});
    program.push_back({0x15, 0, 1, 1000 + i});
    program.push_back({0x06, 0, 0, 0x00050000U | (1 + i % 100)});
  }
  program.push_back({0x06, 0, 0, kAllow});
  return program;
}

// Bytes of this process that are in memory.
double resident() {
  malloc_trim(0);
  std::ifstream file("/proc/self/statm");
  double all = 0;
  double pages = 0;
  file >> all >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// What one more of what `make` makes takes, by holding many.
template <typename Make>
double bytes_of(const Make& make) {
  constexpr std::size_t kHeld = 64;
  std::vector<decltype(make())> held;
  held.reserve(kHeld);
  const double before = resident();
  for (std::size_t i = 0; i < kHeld; ++i) held.push_back(make());
  return std::max(0.0, resident() - before) / kHeld;
}

void prepares(benchmark::State& state, const Engine& engine, const Program& program) {
  const auto checked = callgate::verifier::check(program, KernelModel{});
  if (!checked) return state.SkipWithError("the program is refused");
  if (const auto once = engine.prepare(*checked); !once) {
    return state.SkipWithError(once.error().c_str());
  }
  const double bytes = bytes_of([&] { return engine.prepare(*checked); });
  for (auto _ : state) {
    auto executable = engine.prepare(*checked);
    benchmark::DoNotOptimize(executable);
  }
  state.counters["bytes"] = bytes;
}

void runs(benchmark::State& state, const Engine& engine, const Program& program) {
  const auto checked = callgate::verifier::check(program, KernelModel{});
  if (!checked) return state.SkipWithError("the program is refused");
  const auto executable = engine.prepare(*checked);
  if (!executable) return state.SkipWithError(executable.error().c_str());
  const std::vector<SeccompData> calls = callgate::bench::calls(Mix::Uniform, program);
  for (const SeccompData& data : calls) {
    if ((*executable)->run(data) != callgate::reference::run(program, data, KernelModel{}).value) {
      return state.SkipWithError("a verdict is wrong");
    }
  }
  for (auto _ : state) {
    std::uint32_t sum = 0;
    for (const SeccompData& data : calls) sum += (*executable)->run(data);
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() * std::ssize(calls));
}

void checks(benchmark::State& state, const Program& program) {
  for (auto _ : state) {
    auto checked = callgate::verifier::check(program, KernelModel{});
    if (!checked) return state.SkipWithError("the program is refused");
    benchmark::DoNotOptimize(checked);
  }
}

// Each asks for 300 numbers in turn: of the container profile 32 are too many instructions.
const Program& stacked() { return callgate::bench::filters()[3].program; }

bool fill(callgate::FilterStack& stack, std::size_t depth) {
  const auto checked = callgate::verifier::check(stacked(), KernelModel{});
  for (std::size_t i = 0; i < depth; ++i) {
    if (!checked || !stack.push(*checked)) return false;
  }
  return true;
}

void prepares_stack(benchmark::State& state, std::size_t depth) {
  callgate::FilterStack stack{KernelModel{}};
  if (!fill(stack, depth)) return state.SkipWithError("the stack is refused");
  const double bytes =
      bytes_of([&] { return std::make_unique<callgate::SpecialisedStack>(stack); });
  for (auto _ : state) {
    callgate::SpecialisedStack whole(stack);
    benchmark::DoNotOptimize(whole);
  }
  state.counters["bytes"] = bytes;
}

void runs_stack(benchmark::State& state, std::size_t depth, bool specialised) {
  callgate::FilterStack stack{KernelModel{}};
  if (!fill(stack, depth)) return state.SkipWithError("the stack is refused");
  const callgate::SpecialisedStack whole(stack);
  const std::vector<SeccompData> calls = callgate::bench::calls(Mix::Uniform, stacked());
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
  state.SetItemsProcessed(state.iterations() * std::ssize(calls));
}

template <typename Function>
void add(const std::string& name, Function function) {
  benchmark::RegisterBenchmark(name.c_str(), function);
}

const bool kRegistered = [] {
  for (const Kind kind : {Kind::Numbers, Kind::Arguments}) {
    const std::string of = kind == Kind::Numbers ? "numbers" : "arguments";
    for (const std::uint32_t length : kLengths) {
      const std::string rest = "/" + of + "/" + std::to_string(length);
      const Program program = of_length(kind, length);
      for (const Engine* engine : callgate::all_engines()) {
        const std::string name(engine->name());
        add("growth_prepare/" + name + rest,
            [=](benchmark::State& state) { prepares(state, *engine, program); });
        add("growth_run/" + name + rest,
            [=](benchmark::State& state) { runs(state, *engine, program); });
      }
      add("growth_prepare/check" + rest, [=](benchmark::State& state) { checks(state, program); });
    }
  }
  for (const std::size_t depth : kDepths) {
    const std::string rest = "/stack/" + std::to_string(depth);
    add("growth_prepare/specialised" + rest,
        [=](benchmark::State& state) { prepares_stack(state, depth); });
    add("growth_run/each" + rest,
        [=](benchmark::State& state) { runs_stack(state, depth, false); });
    add("growth_run/specialised" + rest,
        [=](benchmark::State& state) { runs_stack(state, depth, true); });
  }
  return true;
}();

}  // namespace
