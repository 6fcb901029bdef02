// What a profile of 500 rules with 400 names each takes: reading and deploying it, which is ours,
// and libseccomp's part, the larger one.

#include <benchmark/benchmark.h>

#include <string>

#include "harness/front_ends/oci_profile.hpp"
#include "vm/syscalls.hpp"

namespace {

using namespace callgate;
using namespace callgate::front_ends;

// Rules differ in one test, so that libseccomp keeps all of them apart by number alone.
std::string profile_text(std::size_t rules, std::size_t names) {
  std::string out = R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "syscalls": [)";
  const auto table = syscalls(Arch::X86_64);
  for (std::size_t rule = 0; rule < rules; ++rule) {
    out += rule == 0 ? "\n{\"names\": [" : ",\n{\"names\": [";
    std::size_t put = 0;
    for (const SyscallRow& row : table) {
      if (put == names) break;
      if (!libseccomp_knows(row.name)) continue;
      out += (put++ == 0 ? "\"" : ", \"") + std::string(row.name) + "\"";
    }
    out += R"(], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": )" +
           std::to_string(rule) + R"(, "op": "SCMP_CMP_EQ"}]})";
  }
  return out + "]}";
}

void check(benchmark::State& state, bool holds) {
  if (!holds) state.SkipWithError("the profile is not what it should be");
}

void read_and_deploy(benchmark::State& state) {
  const auto rules = static_cast<std::size_t>(state.range(0));
  const std::string text = profile_text(rules, 400);
  const Deployment deployment;
  std::size_t found = 0;
  for (auto _ : state) {
    auto profile = read_oci_profile(text, Arch::X86_64);
    auto built_profile = built(deployed(std::move(*profile), deployment), deployment);
    found = built_profile->layers.front().policy.rules.size();
    benchmark::DoNotOptimize(built_profile);
  }
  check(state, found >= rules * 330);
  state.counters["rules"] = static_cast<double>(found);
}

void libseccomp(benchmark::State& state) {
  const std::string text = profile_text(static_cast<std::size_t>(state.range(0)), 400);
  const Deployment deployment;
  auto profile = built(deployed(*read_oci_profile(text, Arch::X86_64), deployment), deployment);
  bool made = false;
  for (auto _ : state) {
    auto program = lower(profile->layers.front(), deployment.model);
    made = program.has_value();
    benchmark::DoNotOptimize(program);
  }
  check(state, made);
}

BENCHMARK(read_and_deploy)->Arg(1)->Arg(10)->Arg(500)->Unit(benchmark::kMillisecond);
BENCHMARK(libseccomp)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond);

}  // namespace
