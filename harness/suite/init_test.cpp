// First suites, patterns of paths, and recorded verdicts that are written anew.

#include "harness/suite/init.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "harness/random/generator.hpp"
#include "harness/random/mutations.hpp"
#include "harness/suite/pattern_writer.hpp"
#include "harness/suite/suite_files_test.hpp"
#include "harness/suite/update.hpp"
#include "verifier/check.hpp"
#include "verifier/levels.hpp"
#include "verifier/meaning.hpp"
#include "vm/syscalls.hpp"

namespace callgate::suite {
namespace {

using random::Source;
using testing::HasSubstr;
using verifier::Diagrams;
using verifier::Field;
using verifier::Space;

constexpr std::array kMachines{Arch::X86_64, Arch::X86,   Arch::AArch64,
                               Arch::Arm,    Arch::S390x, Arch::Mips};

// Filters by chance: of the calls of each path the patterns are those and no others.
TEST(PatternWriter, the_patterns_of_a_path_are_the_calls_of_it) {
  Source source(31);
  std::size_t written = 0;
  std::size_t left_out = 0;
  for (int i = 0; i < 150; ++i) {
    KernelModel model;
    model.arch = kMachines[source.below(kMachines.size())];
    const ArchInfo& arch = info(model.arch);
    std::vector<filters::FilterFile> files(1);
    files[0].program = source.one_in(4) ? random::valid_program(source, {.longest = 20})
                                        : random::filter_like(source, 50, arch.token);
    const auto stack = filters::stack_of(files, model);
    ASSERT_TRUE(stack.has_value());
    Space space;
    verifier::Endings endings(space);
    const Space::Ref value = verifier::meaning_of(endings, *stack).value;
    const Space::Ref here = space.fixed(value, Field::Arch, arch.token);
    for (int j = 0; j < 8; ++j) {
      // Registers of some ABIs are narrower than what a path is of.
      const auto rows = syscalls(model.arch);
      const SyscallRow row = rows[j < 4 ? std::min<std::size_t>(source.below(60), rows.size() - 1)
                                        : source.below(static_cast<std::uint32_t>(rows.size()))];
      const std::string name(row.name);
      const auto all = parse_pattern(name, model.arch, model.arch, HighHalf::Exact);
      ASSERT_TRUE(all.has_value());
      const Space::Ref possible = all->arguments(space);
      const Space::Ref function = space.fixed(here, Field::Nr, row.nr);
      std::size_t paths = 0;
      verifier::for_each_path(space, function, [&](const verifier::Path& path) {
        const auto patterns = path_patterns(space, path, name, model.arch);
        if (!patterns) {
          ++left_out;
          return ++paths < 50;
        }
        Space::Ref together = Diagrams::kFalse;
        for (const std::string& text : *patterns) {
          const auto read = parse_pattern(text, model.arch, model.arch, HighHalf::Exact);
          EXPECT_TRUE(read.has_value()) << text << ": " << read.error().error.message;
          if (!read) continue;
          EXPECT_TRUE(read->one_number() && read->numbers[0].first == row.nr) << text;
          together = space.diagrams().either(together, read->arguments(space));
        }
        EXPECT_EQ(together, space.diagrams().both(possible, path.condition(space)))
            << testing::PrintToString(*patterns) << " on " << arch.name;
        ++written;
        return ++paths < 50;
      });
    }
  }
  EXPECT_GT(written, 1000U);
  EXPECT_GT(written, left_out);
}

class Init : public SuiteFixture {
 protected:
  // A first suite of files in the folder, written there.
  std::string first(std::vector<std::string> filters, std::vector<Arch> arches,
                    const std::string& format = {}) const {
    InitRequest request;
    request.filters = std::move(filters);
    request.arches = std::move(arches);
    request.kernel = kNewestVersion;
    request.deploy.format = format;
    request.suite = (folder_ / "first.yaml").string();
    const auto text = first_suite(request);
    EXPECT_TRUE(text.has_value()) << text.error();
    return text.value_or(std::string{});
  }
  RunResults run_first(const std::string& text) { return run(text); }
};

TEST_F(Init, a_first_suite_says_what_the_filter_does) {
  const std::string text = first({(folder_ / "filter").string()}, {Arch::X86_64});
  EXPECT_THAT(text, HasSubstr("high_half: exact\n"));
  EXPECT_THAT(text, HasSubstr("write(fd"));
  const RunResults results = run_first(text);
  EXPECT_GT(results.cases.size(), 300U);
  EXPECT_EQ(results.counts().passed, results.cases.size());
}

TEST_F(Init, what_machines_have_alike_stands_once) {
  const std::string text =
      first({(folder_ / "filter").string()}, {Arch::X86_64, Arch::AArch64, Arch::Arm});
  const RunResults results = run_first(text);
  const Counts counts = results.counts();
  EXPECT_EQ(counts.failed + counts.errors + counts.unknown, 0U);
  EXPECT_GT(counts.passed, 900U);
}

TEST_F(Init, the_profiles_of_the_corpus_have_first_suites_that_pass) {
  const std::filesystem::path corpus = std::filesystem::path(CALLGATE_SOURCE_DIR) / "corpus";
  std::size_t profiles = 0;
  std::vector<std::filesystem::directory_entry> all;
  for (const char* const folder :
       {"profiles", "filters/containers", "filters/systemd-252/x86_64"}) {
    for (const auto& each : std::filesystem::directory_iterator(corpus / folder)) {
      all.push_back(each);
    }
  }
  for (const auto& each : all) {
    if (!each.is_regular_file()) continue;
    InitRequest request;
    request.filters = {each.path().string()};
    request.arches = {Arch::X86_64};
    request.kernel = kNewestVersion;
    request.suite = (folder_ / "first.yaml").string();
    const auto text = first_suite(request);
    if (!text) {
      // What has several filters or wants more options says so.
      ADD_FAILURE() << each.path() << ": " << text.error();
      continue;
    }
    ++profiles;
    const RunResults results = run(*text);
    const Counts counts = results.counts();
    EXPECT_EQ(counts.failed + counts.errors, 0U) << each.path();
    EXPECT_GT(counts.passed, 300U) << each.path();
  }
  EXPECT_GT(profiles, 3U);
}

// One instruction of a filter is changed: where the change shows on a named call whose verdict
// nothing but its number decides, the suite must fail; of the others most must be seen too.
struct Changes {
  std::size_t different = 0;
  std::size_t of_arguments = 0;  // alone
  std::size_t caught = 0;
  std::size_t missed_by_number = 0;
};

class ChangedFilter : public Init {
 protected:
  void change(const Program& program, Source& source, int times) {
    const std::uint32_t token = info(Arch::X86_64).token;
    this->program("changing", program);
    const std::string text = first({(folder_ / "changing").string()}, {Arch::X86_64});
    ASSERT_FALSE(text.empty());
    KernelModel model;
    model.arch = Arch::X86_64;
    for (int i = 0; i < times; ++i) {
      Program changed = program;
      Instruction& at = changed[source.below(static_cast<std::uint32_t>(changed.size()))];
      switch (source.below(3)) {
        case 0:
          at.k ^= 1U << source.below(20);
          break;
        case 1:
          at.jt = static_cast<std::uint8_t>(at.jt + 1);
          break;
        default:
          std::swap(at.jt, at.jf);
      }
      if (!verifier::check(changed, model)) continue;
      std::vector<filters::FilterFile> files(2);
      files[0].program = program;
      files[1].program = changed;
      Space space;
      verifier::Endings endings(space);
      // By outcomes: data that nobody sees makes no difference.
      std::array<Space::Ref, 2> seen{};
      for (std::size_t k = 0; k < 2; ++k) {
        const auto stack = filters::stack_of(std::span(files).subspan(k, 1), model);
        ASSERT_TRUE(stack.has_value());
        seen[k] =
            space.fixed(verifier::at_level(verifier::Level::Outcome, endings,
                                           verifier::meaning_of(endings, *stack).value, model, {}),
                        Field::Arch, token);
      }
      bool by_number = false;
      bool by_arguments = false;
      for (const SyscallRow& row : syscalls(Arch::X86_64)) {
        const Space::Ref a = space.fixed(seen[0], Field::Nr, row.nr);
        if (a == space.fixed(seen[1], Field::Nr, row.nr)) continue;
        (space.diagrams().is_end(a) ? by_number : by_arguments) = true;
      }
      if (!by_number && !by_arguments) continue;
      ++changes_.different;
      this->program("changing", changed);
      const bool caught = run(text).counts().failed != 0;
      changes_.caught += caught ? 1U : 0U;
      changes_.of_arguments += by_number ? 0U : 1U;
      changes_.missed_by_number += by_number && !caught ? 1U : 0U;
    }
  }
  void report(std::string_view what) const {
    fmt::print("{}: {} changes show, {} of them by arguments alone; {} are caught\n", what,
               changes_.different, changes_.of_arguments, changes_.caught);
  }

  Changes changes_;
};

TEST_F(ChangedFilter, by_chance_fails_its_suite) {
  Source source(41);
  for (int i = 0; i < 20; ++i) {
    change(random::filter_like(source, 60, info(Arch::X86_64).token), source, 20);
  }
  report("filters by chance");
  EXPECT_GT(changes_.different, 40U);
  EXPECT_EQ(changes_.missed_by_number, 0U);
  EXPECT_GE(changes_.caught * 10, changes_.different * 9);
}

TEST_F(ChangedFilter, of_the_corpus_fails_its_suite) {
  Source source(43);
  KernelModel model;
  model.arch = Arch::X86_64;
  const std::filesystem::path corpus = std::filesystem::path(CALLGATE_SOURCE_DIR) / "corpus";
  std::vector<std::filesystem::path> all;
  for (const char* const folder : {"profiles", "filters/containers"}) {
    for (const auto& each : std::filesystem::directory_iterator(corpus / folder)) {
      if (each.is_regular_file()) all.push_back(each.path());
    }
  }
  std::ranges::sort(all);
  std::size_t filters = 0;
  for (const auto& each : all) {
    const auto loaded = load_stack({{each.string(), {}}}, {}, model);
    if (!loaded) continue;  // its own test says why
    ++filters;
    change(loaded->files.front().program, source, 20);
  }
  report("filters of the corpus");
  EXPECT_GT(filters, 8U);
  EXPECT_GT(changes_.different, 40U);
  EXPECT_EQ(changes_.missed_by_number, 0U);
  EXPECT_GE(changes_.caught * 10, changes_.different * 9);
}

TEST_F(Init, a_text_is_quoted_where_yaml_takes_it_for_something_else) {
  EXPECT_EQ(yaml_scalar("read"), "read");
  EXPECT_EQ(yaml_scalar("read(1)"), "\"read(1)\"");
  EXPECT_EQ(yaml_scalar("1.0"), "\"1.0\"");
  EXPECT_EQ(yaml_scalar(""), "\"\"");
  EXPECT_EQ(yaml_scalar("a\"b\\"), "\"a\\\"b\\\\\"");
  EXPECT_EQ(yaml_scalar("a\nb\t\x7f"), "\"a\\x0ab\\x09\\x7f\"");
  for (const char* const each : {"", "~", "null", "x y", "a: b", "#a", "a #b", "[a]", "- a",
                                 "a\"\\", "*", "&a", "!x", "it's"}) {
    const auto read = read_suites(
        fmt::format("filter: f\nexpect: [{{allow: [{}]}}]\n", yaml_scalar(each)), "s", false);
    ASSERT_TRUE(read.has_value()) << each;
    EXPECT_EQ(read->front().expectations.at(0).calls.at(0).text, each);
  }
}

class Update : public SuiteFixture {};

TEST_F(Update, nothing_but_verdicts_is_written_anew) {
  const std::string text =
      "# of the filter\nfilter: filter\narch: x86_64\nrecorded:\n"
      "  - write(1): ALLOW    # stays\n    write(2): ALLOW    # it does not\n"
      "    'read()': \"LOG\" # quoted\n  - {read(1): ERRNO(2), read(2): ERRNO(EPERM)}\n"
      "  - file: table\n";
  const std::string table = "# a table\nread(5) :  ALLOW # why\nread(6): ERRNO(1)\r\n";
  file("table", table);
  auto plan = loaded(text);
  ASSERT_TRUE(plan.has_value());
  const auto changes = changed_verdicts(*plan);
  ASSERT_TRUE(changes.has_value()) << to_string(changes.error());
  ASSERT_EQ(changes->size(), 4U);
  std::vector<VerdictChange> of_suite;
  std::vector<VerdictChange> of_table;
  for (const VerdictChange& each : *changes) {
    EXPECT_EQ(each.after, "ERRNO(1)");
    (each.file.ends_with("table") ? of_table : of_suite).push_back(each);
  }
  const auto written = with_changes(text, of_suite);
  ASSERT_TRUE(written.has_value()) << to_string(written.error());
  EXPECT_EQ(*written,
            "# of the filter\nfilter: filter\narch: x86_64\nrecorded:\n"
            "  - write(1): ALLOW    # stays\n    write(2): ERRNO(1)    # it does not\n"
            "    'read()': \"ERRNO(1)\" # quoted\n"
            "  - {read(1): ERRNO(1), read(2): ERRNO(EPERM)}\n  - file: table\n");
  const auto table_written = with_changes(table, of_table);
  ASSERT_TRUE(table_written.has_value());
  EXPECT_EQ(*table_written, "# a table\nread(5) :  ERRNO(1) # why\nread(6): ERRNO(1)\r\n");
  // As it is written now, all of it passes.
  file("table", *table_written);
  const RunResults again = run(*written);
  EXPECT_EQ(again.counts().passed, again.cases.size());
}

TEST_F(Update, machines_that_disagree_are_an_error) {
  auto plan = loaded("filter: filter\narch: [x86_64, aarch64]\nrecorded: [{write(1): LOG}]\n");
  ASSERT_TRUE(plan.has_value());
  const auto changes = changed_verdicts(*plan);
  ASSERT_FALSE(changes.has_value());
  EXPECT_THAT(to_string(changes.error()), HasSubstr("record it for each with arch: or kernel:"));
  plan = loaded("filter: filter\narch: [x86_64, aarch64]\nrecorded: [{write(2): LOG}]\n");
  ASSERT_TRUE(plan.has_value());
  EXPECT_TRUE(changed_verdicts(*plan).has_value());
}

TEST_F(Update, a_verdict_that_stands_elsewhere_is_an_error) {
  const std::vector<VerdictChange> changes{{"s", 2, 3, "read()", "ALLOW", "LOG"}};
  EXPECT_EQ(with_changes("a\n  ALLOW", changes), "a\n  LOG");
  for (const char* const each : {"", "a\n", "a\n ALLOW", "ALLOW", "a\n  LOG"}) {
    const auto written = with_changes(each, changes);
    ASSERT_FALSE(written.has_value()) << each;
    EXPECT_THAT(written.error().message, HasSubstr("change it by hand"));
  }
}

}  // namespace
}  // namespace callgate::suite
