// What a verdict costs on each engine: the demonstration's filter, a chain of 300 numbers, the
// longest program, a profile, arithmetic; what preparing costs, and what the checker. Each
// benchmark checks its verdicts before it times them.

#include <benchmark/benchmark.h>

#include <string>
#include <utility>
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

// A profile of 1025 instructions: a list of numbers for each of two architectures, every eighth
// with a look at its first argument.
Program profile() {
  Program program;
  for (const std::uint32_t arch : {kX86_64, 0x40000003U}) {
    Program list = {{0x20, 0, 0, 0}};
    for (std::uint32_t nr = 0; list.size() < 506; ++nr) {
      if (nr % 8 == 7) {
        list.push_back({0x15, 0, 6, nr});
        list.push_back({0x20, 0, 0, 20});
        list.push_back({0x15, 0, 3, 0});
        list.push_back({0x20, 0, 0, 16});
        list.push_back({0x15, 0, 1, nr});
        list.push_back({0x06, 0, 0, kAllow});
        list.push_back({0x20, 0, 0, 0});
      } else {
        list.push_back({0x15, 0, 1, nr});
        list.push_back({0x06, 0, 0, kAllow});
      }
    }
    list.push_back({0x06, 0, 0, kErrno});
    program.push_back({0x20, 0, 0, 4});
    program.push_back({0x15, 1, 0, arch});
    program.push_back({0x05, 0, 0, static_cast<std::uint32_t>(list.size())});
    program.insert(program.end(), list.begin(), list.end());
  }
  while (program.size() < 1025) program.push_back({0x06, 0, 0, 0});
  return program;
}

// The longest program of arithmetic alone.
Program arithmetic() {
  Program program = {{0x20, 0, 0, 0}, {0x01, 0, 0, 13}};
  while (program.size() < 4095) {
    const auto k = static_cast<std::uint32_t>(program.size());
    switch (k % 8) {
      case 0:
        program.push_back({0x04, 0, 0, k});
        break;
      case 1:
        program.push_back({0x24, 0, 0, k});
        break;
      case 2:
        program.push_back({0xa4, 0, 0, k << 8U});
        break;
      case 3:
        program.push_back({0x0c, 0, 0, 0});
        break;
      case 4:
        program.push_back({0x44, 0, 0, k});
        break;
      case 5:
        program.push_back({0x74, 0, 0, 1});
        break;
      case 6:
        program.push_back({0x1c, 0, 0, 0});
        break;
      default:
        program.push_back({0x6c, 0, 0, 0});
    }
  }
  program.push_back({0x16, 0, 0, 0});
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

void prepare(benchmark::State& state, const callgate::Engine* engine, const Program& program) {
  const auto checked = callgate::verifier::check(program, KernelModel{});
  if (!checked) return state.SkipWithError("the program is refused");
  for (auto _ : state) {
    auto executable = engine->prepare(*checked);
    if (!executable) return state.SkipWithError("the engine declines the program");
    benchmark::DoNotOptimize(executable->get());
  }
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
    const std::vector<std::pair<std::string, Program>> programs = {
        {"demonstration", demonstration()}, {"chain300", chain(300)},     {"profile", profile()},
        {"longest", chain(2047)},           {"arithmetic", arithmetic()},
    };
    for (const auto& [program_name, program] : programs) {
      const std::string rest = name + "/" + program_name;
      benchmark::RegisterBenchmark(("run/" + rest).c_str(), run, engine, program);
      benchmark::RegisterBenchmark(("prepare/" + rest).c_str(), prepare, engine, program);
    }
  }
  benchmark::RegisterBenchmark("check/demonstration", check, demonstration());
  benchmark::RegisterBenchmark("check/longest", check, chain(2047));
  return true;
}();

}  // namespace
