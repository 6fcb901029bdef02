// What using Callgate costs beside verdicts: the start of the command, the readers of programs, and
// a suite of cases. The peers of a start are a program that does nothing, and those who would start
// a process for each verdict.

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <seccomp.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "bench/filters.hpp"
#include "harness/front_ends/program_reader.hpp"
#include "harness/report/disassembly.hpp"
#include "verifier/check.hpp"
#include "vm/engine.hpp"
#include "vm/reference.hpp"

namespace {

using callgate::KernelModel;
using callgate::Program;
using callgate::SeccompData;

// A command's exit status, nothing of its output kept; -1 where it cannot be started.
int status_of(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& each : words) arguments.push_back(each.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  if (error != 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

void starts(benchmark::State& state, const std::vector<std::string>& words) {
  if (status_of(words) != 0) return state.SkipWithError("it cannot be started, or fails");
  for (auto _ : state) benchmark::DoNotOptimize(status_of(words));
}

// A file with a filter as raw bytes, that lasts as long as the process.
std::string file_of(const Program& program) {
  const int file = memfd_create("filter", 0);
  const std::size_t size = program.size() * sizeof(program[0]);
  if (file < 0 || write(file, program.data(), size) != static_cast<ssize_t>(size)) return "";
  return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(file);
}

std::string raw_text(const Program& program) {
  return {reinterpret_cast<const char*>(program.data()), program.size() * sizeof(program[0])};
}

std::string hex_text(const Program& program) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char each : raw_text(program)) {
    const auto byte = static_cast<unsigned char>(each);
    out += {kDigits[byte >> 4U], kDigits[byte & 15U]};
  }
  return out;
}

std::string rows_text(const Program& program) {
  std::string out;
  for (const callgate::Instruction& each : program) {
    out += "{ " + std::to_string(each.code) + ", " + std::to_string(each.jt) + ", " +
           std::to_string(each.jf) + ", " + std::to_string(each.k) + " },\n";
  }
  return out;
}

std::string decimal_text(const Program& program) {
  std::string out = std::to_string(program.size());
  for (const callgate::Instruction& each : program) {
    out += "," + std::to_string(each.code) + " " + std::to_string(each.jt) + " " +
           std::to_string(each.jf) + " " + std::to_string(each.k);
  }
  return out;
}

void reads(benchmark::State& state, std::string (*write)(const Program&), const Program& program) {
  const std::string text = write(program);
  const auto once = callgate::front_ends::read_program(text);
  if (!once) return state.SkipWithError(to_string(once.error()).c_str());
  if (once->program != program) return state.SkipWithError("another program is read");
  for (auto _ : state) {
    auto read = callgate::front_ends::read_program(text);
    benchmark::DoNotOptimize(read);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
  state.SetItemsProcessed(state.iterations());
}

// Cases as generators of filters have them: a filter of a few rules by libseccomp, as raw bytes,
// and calls with the verdicts that are wanted.
struct Case {
  std::string filter;
  std::vector<SeccompData> calls;
  std::vector<std::uint32_t> wanted;
};

constexpr std::size_t kCases = 7808;

const std::vector<Case>& suite() {
  static const std::vector<Case> kSuite = [] {
    constexpr std::size_t kFilters = 61;
    std::vector<Case> out;
    for (std::size_t i = 0; i < kFilters; ++i) {
      const scmp_filter_ctx context = seccomp_init(SCMP_ACT_ERRNO(1));
      for (std::size_t rule = 0; rule < 4 + i % 9; ++rule) {
        const int nr = static_cast<int>((7 * i + 13 * rule) % 330);
        const scmp_arg_cmp first{.arg = 0, .op = SCMP_CMP_EQ, .datum_a = rule, .datum_b = 0};
        seccomp_rule_add_array(context, SCMP_ACT_ALLOW, nr, 1, &first);
        seccomp_rule_add(context, SCMP_ACT_ERRNO(2 + static_cast<unsigned>(rule)), nr + 1, 0);
      }
      const int file = memfd_create("filter", 0);
      seccomp_export_bpf(context, file);
      seccomp_release(context);
      Case each;
      each.filter.resize(static_cast<std::size_t>(lseek(file, 0, SEEK_END)));
      const bool read = pread(file, each.filter.data(), each.filter.size(), 0) ==
                        static_cast<ssize_t>(each.filter.size());
      close(file);
      const auto program = callgate::front_ends::read_program(each.filter);
      if (!read || !program) return std::vector<Case>{};
      for (std::size_t call = 0; call < kCases / kFilters; ++call) {
        SeccompData data;
        data.nr = static_cast<std::int32_t>((5 * call + i) % 340);
        data.arch = 0xc000003eU;
        data.args[0] = call % 5;
        each.calls.push_back(data);
        each.wanted.push_back(
            callgate::reference::run(program->program, data, KernelModel{}).value);
      }
      out.push_back(std::move(each));
    }
    return out;
  }();
  return kSuite;
}

// All of it, from bytes to verdicts: reading, checking, preparing, running. Returns how many
// verdicts are the wanted ones.
std::size_t run_suite(const callgate::Engine& engine) {
  std::size_t right = 0;
  for (const Case& each : suite()) {
    const auto program = callgate::front_ends::read_program(each.filter);
    if (!program) return 0;
    const auto checked = callgate::verifier::check(program->program, KernelModel{});
    if (!checked) return 0;
    const auto executable = engine.prepare(*checked);
    if (!executable) return 0;
    for (std::size_t i = 0; i < each.calls.size(); ++i) {
      right += (*executable)->run(each.calls[i]) == each.wanted[i] ? 1U : 0U;
    }
  }
  return right;
}

void suite_of_cases(benchmark::State& state, const callgate::Engine& engine) {
  if (run_suite(engine) != kCases) return state.SkipWithError("a verdict is not the wanted one");
  for (auto _ : state) benchmark::DoNotOptimize(run_suite(engine));
}

const bool kRegistered = [] {
  const std::string command = CALLGATE_COMMAND;
  const Program& linear = callgate::bench::filters()[1].program;
  static const std::string file = file_of(linear);
  const auto start = [](const std::string& name, const std::vector<std::string>& words) {
    benchmark::RegisterBenchmark(("start/" + name).c_str(),
                                 [words](benchmark::State& state) { starts(state, words); })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  };
  start("nothing", {"/bin/true"});
  start("help", {command, "--help"});
  start("cost_help", {command, "cost", "--help"});
  start("one_verdict", {command, "run", "-f", file, "read"});
  start("check", {command, "check", file});
  start("disasm", {command, "disasm", file});
  struct Format {
    const char* name;
    std::string (*write)(const Program&);
  };
  constexpr std::array<Format, 4> kFormats = {
      {{"raw", raw_text}, {"hex", hex_text}, {"c-rows", rows_text}, {"decimal", decimal_text}}};
  for (const Format& format : kFormats) {
    benchmark::RegisterBenchmark(
        ("read/" + std::string(format.name) + "/linear").c_str(),
        [write = format.write, &linear](benchmark::State& state) { reads(state, write, linear); });
  }
  benchmark::RegisterBenchmark("suite/reference/7808", [](benchmark::State& state) {
    suite_of_cases(state, *callgate::find_engine("reference"));
  });
  benchmark::RegisterBenchmark("suite/default/7808", [](benchmark::State& state) {
    suite_of_cases(state, callgate::default_engine());
  });
  return true;
}();

}  // namespace
