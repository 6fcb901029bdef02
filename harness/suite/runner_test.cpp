// Cases of suites, asked of filters: what is proved is what running them shows.

#include "harness/suite/runner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <set>

#include "harness/compare/comparison.hpp"
#include "harness/random/generator.hpp"
#include "harness/report/disassembly.hpp"
#include "harness/suite/explicit_call.hpp"
#include "harness/suite/suite_files_test.hpp"
#include "vm/syscalls.hpp"

namespace callgate::suite {
namespace {

using random::Source;
using testing::HasSubstr;

constexpr const char* kHead = "filter: filter\narch: x86_64\n";

class Runner : public SuiteFixture {
 protected:
  // What came of the one case that an expectation is.
  CaseResult one(const std::string& expectation, const std::string& head = kHead) {
    RunResults results = run(head + "expect: [{" + expectation + "}]\n");
    EXPECT_EQ(results.cases.size(), 1U) << expectation;
    return results.cases.empty() ? CaseResult{} : std::move(results.cases.front());
  }
  Status status(const std::string& expectation, const std::string& head = kHead) {
    return one(expectation, head).status;
  }
};

TEST_F(Runner, what_all_calls_of_a_pattern_get_is_proved) {
  const CaseResult passed = one("allow: getpid, reason: it asks");
  EXPECT_EQ(passed.status, Status::Passed);
  EXPECT_EQ(passed.how, "proved");
  EXPECT_EQ(passed.name, "allow: getpid [x86_64]");
  EXPECT_EQ(passed.reason, "it asks");
  EXPECT_EQ(passed.arch, "x86_64");
  EXPECT_EQ(passed.place.line, 3U);
  EXPECT_EQ(status("errno EPERM: read"), Status::Passed);
  EXPECT_EQ(status("allow: write(1)"), Status::Passed);
  EXPECT_EQ(status("errno 1: write(!1)"), Status::Passed);
  EXPECT_EQ(status("deny: '@unknown'"), Status::Passed);
  EXPECT_EQ(status("never kill: '*'"), Status::Passed);
  EXPECT_EQ(status("returns -1 EPERM: 'x32:*(arg0 == 0)'"), Status::Passed);
}

TEST_F(Runner, a_failure_shows_the_smallest_call) {
  const CaseResult failed = one("allow: write");
  ASSERT_EQ(failed.status, Status::Failed);
  ASSERT_EQ(failed.failures.size(), 1U);
  EXPECT_THAT(failed.failures[0].call, testing::StartsWith("write("));
  EXPECT_EQ(failed.failures[0].expected, "ALLOW");
  EXPECT_THAT(failed.failures[0].actual, HasSubstr("ERRNO(1)"));
  EXPECT_FALSE(failed.failures[0].path.empty());
  EXPECT_EQ(one("errno EPERM: write").failures.at(0).expected, "ERRNO(1), EPERM");
  EXPECT_EQ(status("errno EACCES: read"), Status::Failed);
  EXPECT_EQ(status("never errno: '*'"), Status::Failed);
}

TEST_F(Runner, sometimes_is_of_one_call_at_least) {
  EXPECT_EQ(status("sometimes allow: write"), Status::Passed);
  EXPECT_EQ(status("sometimes errno EPERM: write"), Status::Passed);
  const CaseResult failed = one("sometimes allow: read");
  EXPECT_EQ(failed.status, Status::Failed);
  EXPECT_EQ(failed.how, "proved");
  EXPECT_EQ(failed.failures.size(), 1U);
  EXPECT_EQ(status("sometimes allow: write(2)"), Status::Failed);
}

TEST_F(Runner, what_a_machine_does_not_have_is_absent) {
  const CaseResult absent = one("allow: open", "filter: filter\narch: aarch64\n");
  EXPECT_EQ(absent.status, Status::Absent);
  EXPECT_THAT(absent.note, HasSubstr("aarch64 has no call open"));
  const RunResults both = run("filter: filter\narch: [x86_64, aarch64]\nexpect: [{deny: open}]\n");
  ASSERT_EQ(both.cases.size(), 2U);
  EXPECT_EQ(both.cases[0].status, Status::Passed);
  EXPECT_EQ(both.cases[1].status, Status::Absent);
}

TEST_F(Runner, a_pattern_of_no_call_is_an_error) {
  const CaseResult wrong = one("allow: 'read(arg0 == 1, arg0 == 2)'");
  EXPECT_EQ(wrong.status, Status::Error);
  EXPECT_THAT(wrong.note, HasSubstr("its tests exclude each other"));
}

TEST_F(Runner, what_is_wrong_with_a_pattern_or_a_verb_has_its_place) {
  const auto error = [&](std::string_view expectation) {
    auto read = read_suite_file(
        file("s.yaml", std::string(kHead) + "expect:\n  - " + std::string(expectation) + "\n"));
    EXPECT_TRUE(read.has_value());
    const auto plan = Plan::make(*read, {});
    EXPECT_FALSE(plan.has_value()) << expectation;
    return plan ? std::string{} : to_string(plan.error());
  };
  EXPECT_THAT(error("allow: [read, raed]"), HasSubstr("s.yaml:4:19: raed: character 1: "));
  EXPECT_THAT(error("alow: read"), HasSubstr("s.yaml:4:5: alow: nothing that can be expected"));
}

TEST_F(Runner, a_product_of_arguments_is_not_proved_but_tried_out) {
  // A = arg0 * arg1; allowed unless it is 12345.
  file("product",
       "{0x20, 0, 0, 16}, {0x07, 0, 0, 0}, {0x20, 0, 0, 24}, {0x2c, 0, 0, 0}, {0x04, 0, 0, 7}, "
       "{0x2c, 0, 0, 0}, {0x15, 0, 1, 0x7654321}, {0x06, 0, 0, 0}, {0x06, 0, 0, 0x7fff0000}");
  const std::string head = "filter: product\narch: x86_64\n";
  const CaseResult result = one("allow: read", head);
  EXPECT_TRUE(result.status == Status::Unknown || result.status == Status::Failed)
      << to_string(result.status);
  if (result.status == Status::Unknown) {
    EXPECT_THAT(result.how, HasSubstr("tried"));
    EXPECT_THAT(result.note, HasSubstr("not proved"));
  }
  // A product with 0 takes a solver.
  const bool solves = compare::built_in_solver(std::chrono::seconds(1)) != nullptr;
  EXPECT_EQ(status("allow: 'read(arg0 == 0)'", head), solves ? Status::Passed : Status::Unknown);
  EXPECT_EQ(status("kill: read", head), Status::Failed);
  EXPECT_EQ(status("sometimes allow: read", head), Status::Passed);
}

TEST_F(Runner, a_formula_is_compared_with_what_is_wanted) {
  // It returns the lower half of its first argument.
  file("formula", "{0x20, 0, 0, 16}, {0x16, 0, 0, 0}");
  const std::string head = "filter: formula\narch: x86_64\nhigh_half: exact\n";
  EXPECT_EQ(status("allow: 'read(arg0 == 0x7fff0000)'", head), Status::Passed);
  EXPECT_EQ(status("errno EPERM: 'read(arg0 == 0x50001)'", head), Status::Passed);
  EXPECT_EQ(status("errno: 'read(arg0 in 0x50000..0x5ffff)'", head), Status::Passed);
  EXPECT_EQ(status("errno: 'read(arg0 in 0x50000..0x60000)'", head), Status::Failed);
  EXPECT_EQ(status("sometimes log: read", head), Status::Passed);
}

TEST_F(Runner, a_formula_of_the_number_or_the_architecture_is_that_of_the_calls_own) {
  file("arch", "{0x20, 0, 0, 4}, {0x16, 0, 0, 0}");
  const std::string head = "filter: arch\narch: mips\n";  // whose token is 8
  EXPECT_EQ(status("kill: '*'", head), Status::Passed);
  EXPECT_EQ(status("never kill: read", head), Status::Failed);
  EXPECT_EQ(status("sometimes allow: read", head), Status::Failed);
  file("number", "{0x20, 0, 0, 0}, {0x44, 0, 0, 0x50000}, {0x16, 0, 0, 0}");
  EXPECT_EQ(status("errno 39: getpid", "filter: number\narch: x86_64\n"), Status::Passed);
  EXPECT_EQ(status("errno 40: getpid", "filter: number\narch: x86_64\n"), Status::Failed);
}

TEST_F(Runner, a_shift_that_the_kernel_leaves_open_is_unknown) {
  // A = 1 << arg0.
  file("shift",
       "{0x20, 0, 0, 16}, {0x07, 0, 0, 0}, {0x00, 0, 0, 1}, {0x6c, 0, 0, 0}, {0x15, 0, 1, 0}, "
       "{0x06, 0, 0, 0}, {0x06, 0, 0, 0x7fff0000}");
  const std::string head = "filter: shift\narch: arm\n";
  EXPECT_EQ(status("allow: 'read(arg0 < 32)'", head), Status::Passed);
  const CaseResult far = one("allow: 'read(arg0 == 300)'", head);
  EXPECT_TRUE(far.status == Status::Unknown || far.status == Status::Passed ||
              far.status == Status::Failed);
  const RunResults recorded = run(head + "recorded: [{read(1): ALLOW}]\n");
  EXPECT_EQ(recorded.cases.at(0).status, Status::Passed);
}

TEST_F(Runner, calls_that_no_kernel_of_the_machine_takes_are_absent) {
  const std::string head = "filter: filter\narch: aarch64\n";
  for (const char* const each : {"'x32:*'", "'x86:getpid'", "'x86_64:39'"}) {
    const CaseResult absent = one(fmt::format("never allow: {}", each), head);
    EXPECT_EQ(absent.status, Status::Absent) << each;
    EXPECT_THAT(absent.note, testing::StartsWith("no kernel of aarch64 takes calls of x")) << each;
    EXPECT_THAT(absent.note, testing::EndsWith("; it takes those of aarch64, arm")) << each;
  }
  EXPECT_EQ(status("deny: '@unknown', abi: x86", head), Status::Absent);
  EXPECT_EQ(status("never allow: 'arm:*'", head), Status::Failed);
  EXPECT_EQ(status("errno EPERM: 'x86:read'"), Status::Passed);
  EXPECT_EQ(status("errno EPERM: 'arm:read'"), Status::Absent);
}

TEST_F(Runner, filters_are_compared_with_others) {
  file("same",
       "{0x20, 0, 0, 0}, {0x15, 2, 0, 39}, {0x15, 2, 0, 1}, {0x06, 0, 0, 0x00050001}, "
       "{0x06, 0, 0, 0x7fff0000}, {0x20, 0, 0, 16}, {0x15, 0, 1, 1}, {0x06, 0, 0, 0x7fff0000}, "
       "{0x06, 0, 0, 0x00050001}");
  file("laxer", "{0x06, 0, 0, 0x7fff0000}");
  file("stricter", "{0x06, 0, 0, 0x00050001}");
  EXPECT_EQ(status("same as: same"), Status::Passed);
  EXPECT_EQ(status("same as: laxer"), Status::Failed);
  EXPECT_EQ(status("same as: [laxer, same]"), Status::Passed);
  EXPECT_EQ(status("no laxer than: laxer"), Status::Passed);
  EXPECT_EQ(status("no laxer than: same"), Status::Passed);
  const CaseResult failed = one("no laxer than: stricter");
  EXPECT_EQ(failed.status, Status::Failed);
  EXPECT_FALSE(failed.failures.empty());
  // Others that cannot be read are found before anything is run.
  file("broken", "{0x20, 0, 0, 1}, {0x06, 0, 0, 0}");
  for (const char* const name : {"nothing", "broken"}) {
    auto read = read_suite_file(
        file("s.yaml", fmt::format("{}expect:\n  - allow: read\n  - same as: {}\n", kHead, name)));
    ASSERT_TRUE(read.has_value());
    auto plan = Plan::make(*read, {});
    ASSERT_TRUE(plan.has_value());
    const auto done = plan->load();
    ASSERT_FALSE(done.has_value()) << name;
    EXPECT_THAT(to_string(done.error()), HasSubstr("s.yaml:5:14: on Linux")) << name;
    EXPECT_THAT(to_string(done.error()), HasSubstr(name));
    EXPECT_EQ(done.error().refused, std::string(name) == "broken");
  }
}

TEST_F(Runner, recorded_calls_are_run) {
  const RunResults results =
      run(std::string(kHead) +
          "recorded:\n  - write(1): ALLOW\n    write(2): ALLOW\n"
          "    read(): ERRNO(EPERM)\n    i386:socketcall(): ERRNO(1)\n"
          "    socketcall(): ALLOW\n    raed(): ALLOW\n    read(5): PERHAPS\n");
  ASSERT_EQ(results.cases.size(), 7U);
  const std::array kWanted{Status::Passed, Status::Failed, Status::Passed, Status::Passed,
                           Status::Absent, Status::Error,  Status::Error};
  for (std::size_t i = 0; i < kWanted.size(); ++i) {
    EXPECT_EQ(results.cases[i].status, kWanted[i]) << results.cases[i].name;
  }
  EXPECT_EQ(results.cases[1].place.line, 5U);
  const Failure& failure = results.cases[1].failures.at(0);
  EXPECT_EQ(failure.expected, "ALLOW");
  EXPECT_THAT(failure.actual, HasSubstr("ERRNO(1)"));
}

TEST_F(Runner, a_table_is_one_case_whose_failures_have_their_lines) {
  std::string table = "write(1): ALLOW\nread(): ERRNO(1)\n";
  const std::string suite = std::string(kHead) + "recorded: [{file: table}]\n";
  file("table", table);
  EXPECT_EQ(run(suite).cases.at(0).status, Status::Passed);
  file("table", table + "# here\nread(5): ALLOW\nsocketcall(): ALLOW\n");
  const CaseResult failed = run(suite).cases.at(0);
  EXPECT_EQ(failed.status, Status::Failed);
  EXPECT_EQ(failed.place.line, 4U);
  EXPECT_EQ(failed.failures.size(), 1U);
  file("table", table + "raed(5): ALLOW\n");
  EXPECT_EQ(run(suite).cases.at(0).status, Status::Error);
  // Of many lines several threads take a part each: the same comes of it.
  std::string many;
  for (int i = 0; i < 5000; ++i)
    many += fmt::format("read({}): {}\n", i, i % 1000 == 7 ? "LOG" : "ERRNO(1)");
  file("table", many);
  RunOptions threads;
  threads.jobs = 4;
  const CaseResult a = run(suite).cases.at(0);
  const CaseResult b = run(suite, threads).cases.at(0);
  EXPECT_EQ(a.failures.size(), 5U);
  ASSERT_EQ(b.failures.size(), 5U);
  EXPECT_EQ(a.place.line, 8U);
  EXPECT_EQ(b.place.line, 8U);
  EXPECT_EQ(a.note, b.note);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(a.failures[i].call, b.failures[i].call);
}

constexpr const char* kSeveral =
    "filter: filter\narch: [x86_64, aarch64, arm]\nkernel: [5.10, newest]\nexpect:\n"
    "  - allow: [getpid, read, '@unknown', getpid]\n  - deny: [mount, 'write(2)', open]\n";

TEST_F(Runner, shards_are_disjoint_and_all_together) {
  const auto names = [&](std::size_t shard, std::size_t shards) {
    RunOptions options;
    options.shard = shard;
    options.shards = shards;
    std::vector<std::string> out;
    for (const CaseResult& each : run(kSeveral, options).cases) out.push_back(each.name);
    return out;
  };
  const std::vector<std::string> all = names(1, 1);
  ASSERT_EQ(all.size(), 42U);
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), all.size());
  for (const std::size_t shards : {2U, 5U, 50U}) {
    std::vector<std::string> parts;
    for (std::size_t i = 1; i <= shards; ++i) {
      for (std::string& each : names(i, shards)) parts.push_back(std::move(each));
    }
    EXPECT_THAT(parts, testing::UnorderedElementsAreArray(all));
  }
}

TEST_F(Runner, names_choose_cases) {
  const auto count = [&](std::vector<std::string> filters) {
    RunOptions options;
    options.filters = std::move(filters);
    return run(kSeveral, options).cases.size();
  };
  EXPECT_EQ(count({"mount"}), 6U);
  EXPECT_EQ(count({"allow:*arm*"}), 8U);
  EXPECT_EQ(count({"mount", "deny: open*"}), 12U);
  EXPECT_EQ(count({"nothing"}), 0U);
  EXPECT_TRUE(name_matches("abc", "a?c"));
  EXPECT_TRUE(name_matches("abc", "*"));
  EXPECT_TRUE(name_matches("abcabd", "*ab?"));
  EXPECT_FALSE(name_matches("abc", "?"));
  EXPECT_FALSE(name_matches("abc", "b*"));
  EXPECT_TRUE(name_matches("abc", "b"));
  EXPECT_TRUE(name_matches("", "*"));
}

TEST_F(Runner, many_threads_come_to_what_one_does) {
  RunOptions threads;
  threads.jobs = 6;
  const RunResults a = run(kSeveral);
  const RunResults b = run(kSeveral, threads);
  ASSERT_EQ(a.cases.size(), b.cases.size());
  for (std::size_t i = 0; i < a.cases.size(); ++i) {
    EXPECT_EQ(a.cases[i].name, b.cases[i].name);
    EXPECT_EQ(a.cases[i].status, b.cases[i].status);
    ASSERT_EQ(a.cases[i].failures.size(), b.cases[i].failures.size());
    for (std::size_t j = 0; j < a.cases[i].failures.size(); ++j) {
      EXPECT_EQ(a.cases[i].failures[j].call, b.cases[i].failures[j].call);
    }
  }
}

TEST_F(Runner, after_a_failure_nothing_is_begun_where_that_is_asked) {
  RunOptions options;
  options.fail_fast = true;
  const RunResults results = run(kSeveral, options);
  EXPECT_EQ(results.cases.size(), 2U);  // getpid, and read, which is not allowed
  EXPECT_EQ(results.not_run, 40U);
}

TEST_F(Runner, the_options_machines_are_taken_instead_of_the_suites) {
  RunOptions options;
  options.arches = {Arch::Riscv64};
  options.kernels = {*parse_version("5.15")};
  const RunResults results = run(kSeveral, options);
  ASSERT_EQ(results.cases.size(), 7U);
  EXPECT_EQ(results.cases[0].arch, "riscv64");
  EXPECT_EQ(results.cases[0].kernel, "5.15");
}

TEST_F(Runner, a_filter_that_cannot_be_read_is_an_error_of_its_suite) {
  file("broken", "{0x20, 0, 0, 1}, {0x06, 0, 0, 0}");
  for (const char* const name : {"nothing", "broken"}) {
    auto read = read_suite_file(
        file("s.yaml", fmt::format("filter: {}\narch: arm\nexpect: [{{allow: read}}]\n", name)));
    ASSERT_TRUE(read.has_value());
    auto plan = Plan::make(*read, {});
    ASSERT_TRUE(plan.has_value());
    const auto loaded = plan->load();
    ASSERT_FALSE(loaded.has_value());
    EXPECT_THAT(to_string(loaded.error()), HasSubstr("s.yaml:1:9: on Linux"));
    EXPECT_THAT(to_string(loaded.error()), HasSubstr(name));
  }
}

TEST_F(Runner, coverage_is_a_case_where_a_least_is_asked) {
  RunOptions options;
  options.coverage = true;
  const auto cases = [&](const std::string& expectations) {
    auto plan = loaded(
        std::string(kHead) + "min_coverage: {instructions: 100, branches: 100}\n" + expectations,
        options);
    static_cast<void>(plan->run(options));
    return plan->coverage_cases(nullptr);
  };
  const auto all = cases("expect: [{never kill: '*'}]\n");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].status, Status::Passed) << all[0].how;
  EXPECT_EQ(all[1].status, Status::Passed) << all[1].how;
  const auto some = cases("expect: [{allow: getpid}]\n");
  EXPECT_EQ(some.at(0).status, Status::Failed);
  EXPECT_EQ(some.at(0).failures.size(), 1U);
  EXPECT_EQ(some.at(1).status, Status::Failed);
  const auto run_alone =
      cases("recorded: [{getpid(): ALLOW, write(1): ALLOW, write(): ERRNO(1)}]\n");
  EXPECT_EQ(run_alone.at(0).status, Status::Passed) << run_alone[0].how;
}

// Filters and patterns by chance, every answer against running the filter.
TEST_F(Runner, no_answer_is_contradicted_by_running) {
  Source source(23);
  constexpr std::array kMachines{Arch::X86_64, Arch::AArch64, Arch::Arm, Arch::S390x, Arch::Mips};
  constexpr std::array kVerbs{
      "allow",           "errno",      "kill",  "deny",           "log",        "never allow",
      "sometimes allow", "never trap", "trace", "sometimes deny", "never deny", "sometimes errno",
      "returns -1 EPERM"};
  std::map<Status, std::size_t> counts;
  for (int i = 0; i < 250; ++i) {
    KernelModel model;
    model.arch = kMachines[source.below(kMachines.size())];
    const std::uint32_t token = info(model.arch).token;
    const Program program = source.one_in(3) ? random::valid_program(source, {.longest = 24})
                                             : random::filter_like(source, 40, token);
    std::vector<filters::FilterFile> files(1);
    files[0].program = program;
    auto stack = filters::stack_of(files, model);
    ASSERT_TRUE(stack.has_value());
    Target target({std::move(files), std::move(*stack), {}}, {});
    for (int j = 0; j < 12; ++j) {
      // What the filter compares with is what patterns ask for.
      const SeccompData data = random::input(source, program, token);
      std::string text =
          source.one_in(6) ? "*" : fmt::format("{}", static_cast<std::uint32_t>(data.nr));
      const std::uint32_t index = source.below(6);
      static constexpr const char* kTests[] = {"arg{} == {:#x}", "arg{} != {:#x}", "arg{} <= {:#x}",
                                               "arg{} >= {:#x}", "arg{} in {{1, {:#x}}}"};
      if (!source.one_in(3)) {
        text +=
            "(" + fmt::format(fmt::runtime(kTests[source.below(5)]), index, data.args[index]) + ")";
      }
      const HighHalf high = source.one_in(2) ? HighHalf::Exact : HighHalf::Extended;
      const auto pattern = parse_pattern(text, model.arch, model.arch, high);
      const auto verb = parse_verb(kVerbs[source.below(kVerbs.size())], model.arch);
      ASSERT_TRUE(verb.has_value());
      if (!pattern.has_value()) {
        ASSERT_THAT(pattern.error().error.message, HasSubstr("some have more and some do not"))
            << text;
        continue;
      }
      const Answer answer = target.ask(*pattern, *verb);
      ++counts[answer.status];
      ASSERT_NE(answer.status, Status::Absent);
      if (answer.status == Status::Error) {
        EXPECT_THAT(answer.note, HasSubstr("exclude each other"))
            << text << " " << verb->text << " on " << info(model.arch).name << ", round " << i
            << ": " << (answer.calls.empty() ? "" : explicit_call_text(answer.calls[0], model.arch))
            << "\n"
            << report::c_rows(program);
        continue;
      }
      const bool sometimes = verb->quantifier == Verb::Quantifier::Sometimes;
      for (const SeccompData& each : answer.calls) {
        ASSERT_TRUE(pattern->holds(each)) << text;
        const auto number = target.result(each, verb->level);
        if (answer.status == Status::Failed && !sometimes) {
          ASSERT_TRUE(number && !verb->fits(*number)) << text << " " << verb->text;
        }
        if (answer.status == Status::Passed) {
          ASSERT_TRUE(number && verb->fits(*number)) << text << " " << verb->text;
        }
      }
      if (answer.status == Status::Failed || (answer.status == Status::Passed && sometimes)) {
        ASSERT_EQ(answer.calls.size(), 1U) << text;
      }
      // By running.
      std::vector<SeccompData> calls = edge_calls(*pattern, target.constants(), 60);
      for (int k = 0; k < 20; ++k) {
        SeccompData near = random::input(source, program, token);
        near.nr = static_cast<std::int32_t>(source.one_in(4) || pattern->numbers.empty()
                                                ? random::edge_word(source)
                                                : pattern->numbers[0].first);
        near.args[index] = source.one_in(2) ? data.args[index] : near.args[index];
        if (pattern->holds(near)) calls.push_back(near);
      }
      for (const SeccompData& each : calls) {
        const auto number = target.result(each, verb->level);
        if (!number) {
          ASSERT_FALSE(answer.status == Status::Passed && !sometimes) << text << " is left open";
          continue;
        }
        if (answer.status == Status::Passed && !sometimes) {
          ASSERT_TRUE(verb->fits(*number)) << text << " " << verb->text;
        }
        if (answer.status == Status::Failed && sometimes) {
          ASSERT_FALSE(verb->fits(*number)) << text << " " << verb->text;
        }
      }
    }
  }
  EXPECT_GT(counts[Status::Passed], 300U);
  EXPECT_GT(counts[Status::Failed], 300U);
}

}  // namespace
}  // namespace callgate::suite
