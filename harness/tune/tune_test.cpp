#include "harness/tune/tune.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/tune/proposals.hpp"
#include "harness/tune/tune_page.hpp"
#include "harness/tune/tune_words.hpp"
#include "verifier/check.hpp"
#include "vm/reference.hpp"
#include "vm/syscalls.hpp"

namespace callgate::tune {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::uint32_t kAllow = 0x7fff0000U;
constexpr std::uint32_t kErrno = 0x00050001U;
const std::uint32_t kToken = info(Arch::X86_64).token;

verifier::KnownCall call(std::string_view name, std::uint64_t count, Arch arch = Arch::X86_64) {
  return verifier::call_of(*syscall_number(arch, name), info(arch).token, count);
}

verifier::KnownCall ioctl(std::uint32_t request, std::uint64_t count) {
  verifier::KnownCall out = call("ioctl", count);
  out.data.args[1] = request;
  out.known |= verifier::low_known(1);
  out.known |= verifier::high_known(1);
  return out;
}

// A chain that asks for its numbers from low to high, the requests of ioctl at its end.
Program chain() {
  Program out = {{0x20, 0, 0, 4}, {0x15, 1, 0, kToken}, {0x06, 0, 0, 0}, {0x20, 0, 0, 0}};
  for (std::uint32_t nr = 200; nr < 300; ++nr) {
    out.push_back({0x15, 0, 1, nr});
    out.push_back({0x06, 0, 0, kErrno});
  }
  out.push_back({0x15, 0, 4, 16});
  out.push_back({0x20, 0, 0, 24});
  out.push_back({0x15, 1, 0, 0x5412});
  out.push_back({0x15, 0, 1, 0x541c});
  out.push_back({0x06, 0, 0, kErrno});
  out.push_back({0x06, 0, 0, kAllow});
  return out;
}

FilterStack stack_of(const std::vector<Program>& programs, KernelModel model = {}) {
  FilterStack stack(model);
  for (const Program& each : programs) {
    const auto checked = verifier::check(each, model);
    EXPECT_TRUE(checked.has_value() && stack.push(*checked).has_value());
  }
  return stack;
}

std::vector<filters::FilterFile> files_of(const std::vector<Program>& programs) {
  std::vector<filters::FilterFile> out;
  for (const Program& each : programs) {
    filters::FilterFile file;
    file.path = "filter" + std::to_string(out.size() + 1);
    file.program = each;
    out.push_back(std::move(file));
  }
  return out;
}

Report tuned(const std::vector<Program>& programs,
             const std::vector<verifier::KnownCall>& workload) {
  const FilterStack stack = stack_of(programs);
  return tune::tuned(files_of(programs), stack, workload, {});
}

const Proposal& rewritten(const Report& report) {
  return *std::ranges::find(report.proposals, "rewritten", &Proposal::id);
}

TEST(Tune, proposes_a_cheaper_filter_that_is_proved_to_mean_the_same) {
  const std::vector<Program> programs = {chain()};
  const Report report = tuned(programs, {ioctl(0x5401, 900), call("read", 100)});
  const Proposal& proposal = rewritten(report);
  ASSERT_EQ(proposal.refused, "");
  EXPECT_THAT(proposal.proof, HasSubstr("tried on both"));
  EXPECT_EQ(report.best, 1U);
  EXPECT_LT(proposal.cost, report.proposals.front().cost);
  EXPECT_LT(proposal.prediction.totals.executed.most, 12);
  EXPECT_GT(report.proposals.front().prediction.totals.executed.most, 90);
  EXPECT_THAT(summary(report), HasSubstr("every call gets what it got"));
  // What it says is what the original says, here as elsewhere.
  for (std::int32_t nr = -2; nr < 500; ++nr) {
    for (const std::uint64_t request : {0ULL, 0x5412ULL, 0x541cULL, 0x1'0000'5412ULL}) {
      SeccompData data;
      data.nr = nr;
      data.arch = kToken;
      data.args[1] = request;
      ASSERT_EQ(reference::run(programs[0], data, KernelModel{}).value,
                reference::run(proposal.programs[0], data, KernelModel{}).value);
    }
  }
}

TEST(Tune, says_that_served_calls_cost_the_same_wherever_they_stand) {
  const Report report = tuned({chain()}, {call("read", 10)});
  EXPECT_THAT(report.advice.at(1).words, HasSubstr("moving them gains nothing"));
  EXPECT_THAT(summary(report),
              HasSubstr("nothing that is proved equal adds less; rewritten is shorter"));
}

TEST(Tune, names_the_construct_that_keeps_calls_out_of_the_cache) {
  // Every call is allowed, but the filter looks at an argument first.
  const Report report =
      tuned({{{0x20, 0, 0, 16}, {0x06, 0, 0, kAllow}}}, {call("read", 6), call("write", 4)});
  const auto advice = std::ranges::find_if(report.advice, [](const Advice& each) {
    return each.words.find("args[0] is tested") != std::string::npos;
  });
  ASSERT_NE(advice, report.advice.end());
  EXPECT_THAT(advice->words, HasSubstr("read, write (100.0 % of the calls)"));
  EXPECT_THAT(advice->words, HasSubstr("the rewritten filter has them served"));
  EXPECT_NEAR(advice->cost, report.time->uncached_ns - report.time->cached_ns, 1e-9);
  EXPECT_EQ(rewritten(report).prediction.totals.served, 10U);
}

TEST(Tune, says_what_one_filter_in_place_of_several_saves) {
  const Program asking = {
      {0x20, 0, 0, 16}, {0x15, 0, 1, 7}, {0x06, 0, 0, kErrno}, {0x06, 0, 0, kAllow}};
  const Report report = tuned({asking, asking, asking}, {call("read", 1)});
  EXPECT_THAT(report.advice.back().words, HasSubstr("One filter in place of them saves"));
  EXPECT_NEAR(report.advice.back().cost, 2 * report.time->per_filter_ns, 1e-9);
  EXPECT_EQ(rewritten(report).programs.size(), 1U);
}

TEST(Tune, does_not_merge_filters_that_have_different_flags) {
  const Program allows = {{0x06, 0, 0, kAllow}};
  std::vector<filters::FilterFile> files = files_of({allows, allows});
  files[1].flags.log = true;
  const FilterStack stack = stack_of({allows, allows});
  const Report logs = tune::tuned(files, stack, std::vector{call("read", 1)}, {});
  EXPECT_THAT(rewritten(logs).refused, HasSubstr("different flags"));
  EXPECT_THAT(rewritten(logs).programs, IsEmpty());
  files[1].flags.new_listener = true;
  const Report listens = tune::tuned(files, stack, std::vector{call("read", 1)}, {});
  EXPECT_THAT(rewritten(listens).refused, HasSubstr("filter2 has a listener of its own"));
}

TEST(Tune, refuses_what_it_cannot_prove) {
  // A product of arguments decides.
  const Program product = {{0x20, 0, 0, 16},    {0x07, 0, 0, 0},         {0x20, 0, 0, 24},
                           {0x2c, 0, 0, 0},     {0x15, 0, 1, 0x7654321}, {0x06, 0, 0, 0},
                           {0x06, 0, 0, kAllow}};
  const Report report = tuned({product}, {call("read", 1)});
  EXPECT_THAT(rewritten(report).refused, Not(IsEmpty()));
  EXPECT_EQ(report.best, 0U);
}

TEST(Tune, takes_calls_of_another_abi_by_their_names) {
  const std::vector<verifier::KnownCall> workload = {call("read", 3), call("open", 2)};
  const Calls own = calls_for(workload, Arch::X86_64);
  EXPECT_FALSE(own.by_name);
  EXPECT_EQ(own.total, 5U);
  const Calls arm = calls_for(workload, Arch::AArch64);
  EXPECT_TRUE(arm.by_name);
  ASSERT_EQ(arm.calls.size(), 1U);  // there is no open
  EXPECT_EQ(arm.calls[0], call("read", 3, Arch::AArch64));
  EXPECT_EQ(arm.left_out, 2U);
}

TEST(Tune, weighs_nothing_where_there_is_no_call) {
  const Report report = tuned({chain()}, {});
  EXPECT_THAT(summary(report), HasSubstr("nothing to weigh"));
  EXPECT_THAT(tune_page(std::vector{report}), Not(HasSubstr("nan")));
}

TEST(Tune, writes_a_page_that_says_all_of_it) {
  std::vector<Report> reports = {tuned({chain()}, {ioctl(0x5401, 900), call("read", 100)})};
  reports[0].proposals[1].title = "<one & other>";
  const std::string page = tune_page(reports);
  EXPECT_THAT(page, HasSubstr("&lt;one &amp; other&gt;"));
  EXPECT_THAT(page, HasSubstr("The dearest calls, before and after"));
  EXPECT_THAT(page, HasSubstr("ioctl"));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
}

TEST(Tune, puts_yardsticks_beside_and_never_proposes_them) {
  front_ends::Policy policy;
  policy.arches = {Arch::X86_64};
  policy.default_value = kErrno;
  for (const std::string_view name : {"read", "write", "close", "getpid"}) {
    front_ends::Rule rule;
    rule.syscall = name;
    rule.value = kAllow;
    policy.rules.push_back(rule);
  }
  const auto program = front_ends::lower_plain(policy);
  ASSERT_TRUE(program.has_value());
  std::vector<filters::FilterFile> files = files_of({*program});
  files[0].policy = policy;
  const FilterStack stack = stack_of({*program});
  Options options;
  options.yardsticks = true;
  const Report report = tune::tuned(files, stack, std::vector{call("mmap", 5)}, options);
  std::vector<std::string> ids;
  for (const Proposal& each : report.proposals) {
    if (each.yardstick) ids.push_back(each.id);
  }
  EXPECT_THAT(ids, ::testing::ElementsAre("linear", "tree", "frequency-tree"));
  EXPECT_FALSE(report.proposals[report.best].yardstick);
}

}  // namespace
}  // namespace callgate::tune
