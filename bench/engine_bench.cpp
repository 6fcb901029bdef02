// What a verdict costs on each engine: the demonstration's filter, a chain of 300 numbers, the
// longest program; and what the checker costs. Each benchmark checks its verdicts before it times
// them.

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "harness/engines/engines.hpp"
#include "verifier/check.hpp"
#include "vm/engine.hpp"
#include "vm/reference.hpp"

namespace {

using callgate::Instruction;
using callgate::KernelModel;
using callgate::Program;
using callgate::SeccompData;

constexpr std::uint32_t kAllow = 0x7fff0000U;
constexpr std::uint32_t kErrno = 0x00050001U;
constexpr std::uint32_t kX86_64 = 0xc000003eU;

// As libseccomp compiles the classic demonstration: read, write, exit, exit_group, getpid.
Program demonstration() {
  return {{0x20, 0, 0, 4},   {0x15, 0, 9, kX86_64}, {0x20, 0, 0, 0},      {0x35, 0, 1, 0x40000000U},
          {0x15, 0, 6, ~0U}, {0x15, 4, 0, 0},       {0x15, 3, 0, 1},      {0x15, 2, 0, 39},
          {0x15, 1, 0, 60},  {0x15, 0, 1, 231},     {0x06, 0, 0, kAllow}, {0x06, 0, 0, kErrno}};
}

// A chain of `length` compares of the number, allowed where one fits.
Program chain(std::uint32_t length) {
  Program program = {{0x20, 0, 0, 0}};
  for (std::uint32_t nr = 0; nr < length; ++nr) {
    program.push_back({0x15, 0, 1, nr});
    program.push_back({0x06, 0, 0, kAllow});
  }
  program.push_back({0x06, 0, 0, kErrno});
  return program;
}

std::vector<SeccompData> calls() {
  std::vector<SeccompData> data(4096);
  std::uint64_t state = 1;
  for (SeccompData& each : data) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    each.nr = static_cast<std::int32_t>((state >> 33U) % 400);
    each.arch = kX86_64;
  }
  return data;
}

void run(benchmark::State& state, const callgate::Engine* engine, const Program& program) {
  const KernelModel model;
  const auto checked = callgate::verifier::check(program, model);
  if (!checked) return state.SkipWithError("the program is refused");
  const auto executable = engine->prepare(*checked);
  if (!executable) return state.SkipWithError("the engine declines the program");
  const std::vector<SeccompData> inputs = calls();
  std::vector<std::uint32_t> results(inputs.size());
  (*executable)->run_many(inputs, results);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (results[i] != callgate::reference::run(program, inputs[i], model).value) {
      return state.SkipWithError("a verdict differs from the reference's");
    }
  }
  for (auto _ : state) {
    (*executable)->run_many(inputs, results);
    benchmark::DoNotOptimize(results.data());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(inputs.size()));
}

void check(benchmark::State& state, const Program& program) {
  const KernelModel model;
  if (!callgate::verifier::check(program, model)) {
    return state.SkipWithError("the program is refused");
  }
  for (auto _ : state) {
    auto checked = callgate::verifier::check(program, model);
    benchmark::DoNotOptimize(checked);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(program.size()));
}

const bool kRegistered = [] {
  for (const callgate::Engine* engine : callgate::all_engines()) {
    const std::string name(engine->name());
    benchmark::RegisterBenchmark(("run/" + name + "/demonstration").c_str(), run, engine,
                                 demonstration());
    benchmark::RegisterBenchmark(("run/" + name + "/chain300").c_str(), run, engine, chain(300));
    benchmark::RegisterBenchmark(("run/" + name + "/longest").c_str(), run, engine, chain(2047));
  }
  benchmark::RegisterBenchmark("check/demonstration", check, demonstration());
  benchmark::RegisterBenchmark("check/longest", check, chain(2047));
  return true;
}();

}  // namespace
