// Random scripts of tasks, in the model and on the running kernel.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>

#include "harness/task/live_runner.hpp"

namespace {

struct Options {
  std::uint64_t random = 300;
  std::uint64_t seed = 1;
  std::size_t steps = 30;
};

}  // namespace

int main(int argc, char** argv) {
  using namespace callgate;
  Options options;
  CLI::App app{"Random scripts of tasks against the running kernel", "callgate_live_tasks"};
  app.add_option("--random", options.random, "Scripts to make");
  app.add_option("--seed", options.seed, "The same seed makes the same scripts");
  app.add_option("--steps", options.steps, "Steps of the longest")->check(CLI::Range(3, 100));
  CLI11_PARSE(app, argc, argv);

  const KernelModel model = KernelModel::host();
  const bool has_cap = task::has_sys_admin();
  random::Source source(options.seed);
  live::Pace pace;
  std::uint64_t made = 0;
  std::uint64_t differ = 0;
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < options.random; ++i) {
    const task::Script script = task::random_script(source, options.steps, has_cap, model);
    const auto run = task::run_live(script, model, pace);
    if (!run) {
      fmt::print(stderr, "callgate_live_tasks: script {}: {}\n{}", i, run.error().message,
                 task::text_of(script));
      return 2;
    }
    made += run->made;
    if (!run->difference) continue;
    ++differ;
    fmt::print("script {}, step {}: the model: {}; the kernel: {}\n{}\n", i,
               run->difference->step + 1, run->difference->ours, run->difference->kernel,
               task::text_of(script));
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  fmt::print("{} scripts, {} steps, {} disagreements ({:.1f} s)\n", options.random, made, differ,
             seconds.count());
  return differ == 0 ? 0 : 1;
}
