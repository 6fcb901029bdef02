// What it takes to know that two filters mean the same: symbolic execution of both, and the
// comparison of their diagrams.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "bench/filters.hpp"
#include "verifier/check.hpp"
#include "verifier/equivalence.hpp"
#include "vm/filter_stack.hpp"

namespace {

using callgate::FilterStack;
using callgate::KernelModel;
using callgate::Program;
namespace verifier = callgate::verifier;

const Program& filter(const std::string& name) {
  const auto& all = callgate::bench::filters();
  return std::ranges::find(all, name, &callgate::bench::NamedFilter::name)->program;
}

// 2047 numbers, one compare after another, each allowed: 4096 instructions.
Program chain(bool backwards) {
  Program out{{0x20, 0, 0, 0}};
  for (std::uint32_t i = 0; i < 2047; ++i) {
    out.push_back({0x15, 0, 1, 3 * (backwards ? 2046 - i : i)});
    out.push_back({0x06, 0, 0, 0x7fff0000});
  }
  out.push_back({0x06, 0, 0, 0x00050001});
  return out;
}

Program last_changed(Program program) {
  program.back().k ^= 1;
  return program;
}

FilterStack stack_of(const Program& program) {
  FilterStack stack{KernelModel{}};
  const auto checked = verifier::check(program, KernelModel{});
  if (checked) (void)stack.push(*checked);
  return stack;
}

verifier::Answer compared(const FilterStack& a, const FilterStack& b) {
  verifier::Space space;
  verifier::Endings endings(space);
  const auto meaning_a = verifier::meaning_of(endings, a);
  const auto meaning_b = verifier::meaning_of(endings, b);
  verifier::DiagramSolver solver;
  return verifier::compare(endings, {a, meaning_a}, {b, meaning_b}, solver).answer;
}

void compares(benchmark::State& state, const Program& a, const Program& b,
              verifier::Answer wanted) {
  const FilterStack stack_a = stack_of(a);
  const FilterStack stack_b = stack_of(b);
  if (stack_a.size() + stack_b.size() != 2) return state.SkipWithError("a filter is refused");
  if (compared(stack_a, stack_b) != wanted) return state.SkipWithError("the answer is wrong");
  for (auto _ : state) benchmark::DoNotOptimize(compared(stack_a, stack_b));
}

const bool kRegistered = [] {
  const auto pair = [](const std::string& name, Program a, Program b, verifier::Answer wanted) {
    benchmark::RegisterBenchmark(("diff/" + name).c_str(), [a = std::move(a), b = std::move(b),
                                                            wanted](benchmark::State& state) {
      compares(state, a, b, wanted);
    })->Unit(benchmark::kMillisecond);
  };
  pair("linear_and_tree", filter("linear"), filter("tree"), verifier::Answer::Equal);
  pair("linear_and_one_changed", filter("linear"), last_changed(filter("linear")),
       verifier::Answer::Different);
  pair("chains_of_4096", chain(false), chain(true), verifier::Answer::Equal);
  pair("chains_of_4096_one_changed", chain(false), last_changed(chain(true)),
       verifier::Answer::Different);
  return true;
}();

}  // namespace
