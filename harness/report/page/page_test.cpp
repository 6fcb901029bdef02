#include "harness/report/page/page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "verifier/check.hpp"
#include "vm/filter_stack.hpp"

namespace callgate::report {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

FilterStack stack_of(const Program& program, const KernelModel& model = {}) {
  FilterStack stack(model);
  const auto checked = verifier::check(program, model);
  EXPECT_TRUE(checked.has_value() && stack.push(*checked).has_value());
  return stack;
}

// x86_64: read is allowed, write where args[0] is 1; all else gets ERRNO(1).
Program small() {
  return {{0x20, 0, 0, 4}, {0x15, 0, 7, 0xc000003e}, {0x20, 0, 0, 0},         {0x15, 6, 0, 0},
          {0x15, 0, 4, 1}, {0x20, 0, 0, 20},         {0x15, 0, 2, 0},         {0x20, 0, 0, 16},
          {0x15, 1, 0, 1}, {0x06, 0, 0, 0x00050001}, {0x06, 0, 0, 0x7fff0000}};
}

std::string page_of(const FilterStack& stack, const std::string& name) {
  return page({.stack = {.stack = &stack, .names = {name}}});
}

nlohmann::json data_of(const std::string& html) {
  const std::string open = "<script type=\"application/json\" id=\"report-data\">";
  const std::size_t start = html.find(open) + open.size();
  return nlohmann::json::parse(html.substr(start, html.find("</script>", start) - start));
}

std::size_t count_of(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
    ++count;
  }
  return count;
}

TEST(Page, is_one_file_that_loads_nothing) {
  const FilterStack stack = stack_of(small());
  const std::string html = page_of(stack, "a filter");
  // The one address is the name of SVG, which is not loaded.
  EXPECT_EQ(count_of(html, "://"), 1U);
  EXPECT_THAT(html, HasSubstr("\"http://www.w3.org/2000/svg\""));
  for (const char* loads : {" src=", "<link", "@import", "url(", "<iframe", "fetch(", "XMLHttp"}) {
    EXPECT_THAT(html, Not(HasSubstr(loads)));
  }
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
}

TEST(Page, names_that_look_like_markup_stay_names) {
  const FilterStack stack = stack_of(small());
  const std::string plain = page_of(stack, "plain");
  for (const std::string name : {"</script><script>alert(1)</script>", "<!--<script>",
                                 "</title><img src=x onerror=alert(1)>", "a\"b'c&amp;{{data}}",
                                 "\x80\xff broken", "line\nbreak"}) {
    const std::string html = page_of(stack, name);
    for (const char* tag : {"<script", "</script", "<!--", "<img", "</title"}) {
      EXPECT_EQ(count_of(html, tag), count_of(plain, tag)) << name << ": " << tag;
    }
    // What is no UTF-8 is replaced.
    const std::string shown = data_of(html)["stack"]["filters"][0]["name"];
    EXPECT_TRUE(shown == name || name.starts_with('\x80')) << shown;
  }
}

TEST(Page, lists_where_a_stack_beside_differs) {
  const FilterStack stack = stack_of(small());
  Program changed = small();
  changed[8].k = 2;  // write where args[0] is 2
  const FilterStack other = stack_of(changed);
  const auto both = [&](const FilterStack& beside) {
    return data_of(page({.stack = {.stack = &stack, .names = {"a"}},
                         .other = NamedStack{.stack = &beside, .names = {"b"}}}))["differences"];
  };
  const nlohmann::json found = both(other);
  ASSERT_EQ(found["changes"].size(), 2U);
  for (const auto& change : found["changes"]) {
    EXPECT_EQ(change["calls"][0]["names"], nlohmann::json::array({"write"}));
    EXPECT_EQ(change["calls"][0]["call"]["nr"], 1);
    EXPECT_FALSE(change["calls"][0]["always"]);
  }
  EXPECT_TRUE(both(stack)["changes"].empty());
  EXPECT_THAT(both(stack)["words"].get<std::string>(),
              HasSubstr("the same verdict for every call"));
  EXPECT_TRUE(data_of(page_of(stack, "alone"))["differences"].is_null());
}

TEST(Page, is_small_and_so_is_its_engine) {
  const FilterStack stack = stack_of(small());
  EXPECT_LT(page_of(stack, "small").size(), 400U * 1024);
  EXPECT_LT(page_engine().size(), 300U * 1024);
}

TEST(Page, has_an_engine_or_says_why_not) {
  EXPECT_NE(page_engine().empty(), page_engine_reason().empty());
  if (page_engine().empty()) GTEST_SKIP() << page_engine_reason();
  const std::string magic(page_engine().begin(), page_engine().begin() + 4);
  EXPECT_EQ(magic, std::string("\0asm", 4));
}

TEST(Page, holds_the_program_and_the_words_of_its_instructions) {
  const FilterStack stack = stack_of(small());
  const nlohmann::json filter = data_of(page_of(stack, "small"))["stack"]["filters"][0];
  EXPECT_EQ(filter["statements"].size(), 11U);
  EXPECT_EQ(filter["statements"][3], "if (nr == read) goto 0010");
  EXPECT_EQ(filter["targets"][3], (nlohmann::json::array_t{10, 4}));
  EXPECT_EQ(filter["targets"][9].size(), 0U);
}

TEST(Page, a_stack_beside_and_costs_are_there_when_given) {
  const FilterStack stack = stack_of(small());
  const FilterStack other = stack_of({{0x06, 0, 0, 0x7fff0000}});
  cost::Report costs;
  costs.model = stack.model();
  costs.filters = 1;
  costs.prediction = cost::predict(stack, cost::every_call(Arch::X86_64), {}, {});
  const nlohmann::json both = data_of(page({.stack = {.stack = &stack, .names = {"one"}},
                                            .other = NamedStack{.stack = &other, .names = {"two"}},
                                            .cost = costs}));
  EXPECT_EQ(both["other"]["filters"][0]["name"], "two");
  EXPECT_GT(both["cost"]["calls"].size(), 300U);
  const nlohmann::json alone = data_of(page_of(stack, "one"));
  EXPECT_TRUE(alone["other"].is_null());
  EXPECT_TRUE(alone["cost"].is_null());
}

// small(), of which a suite covered the way of read; write would come to instruction 5, and on
// to 6.
coverage::Report covered_by_read(const std::string& file, Arch arch = Arch::X86_64) {
  const Program program = small();
  coverage::ProgramCoverage out{
      file, arch, {Version{6, 18, 0}}, program, std::vector<coverage::Point>(program.size()), {}};
  const coverage::Point covered{.state = coverage::State::Covered, .inputs = 2};
  SeccompData write{.nr = 1, .arch = info(Arch::X86_64).token};
  write.args[0] = 1;
  const coverage::Point missing{.state = coverage::State::NotVisited, .would = write};
  for (std::size_t at = 0; at < program.size(); ++at) {
    const bool was = at <= 3 || at == 10;
    out.instructions[at] = was ? covered : missing;
    if (program[at].code != 0x15) continue;
    out.branches[at] = {at == 1 || at == 3 ? covered : missing, missing};
  }
  coverage::Report report;
  report.inputs = 2;
  report.programs.push_back(std::move(out));
  report.rules.push_back({file, 7, 1, "write", arch, missing, "for write(2)"});
  report.rules.push_back({"elsewhere.json", 8, 1, "open", arch, missing, ""});
  return report;
}

TEST(PageCoverage, holds_what_is_covered_and_what_is_not_with_calls) {
  const FilterStack stack = stack_of(small());
  const NamedStack named{.stack = &stack, .names = {"folder/small.json"}};
  const auto found = page_coverage(covered_by_read("small.json"), named, nullptr);
  ASSERT_TRUE(found.has_value()) << found.error();
  const auto all = data_of(page({.stack = named, .coverage = *found}))["coverage"];
  EXPECT_EQ(all["inputs"], 2);
  EXPECT_EQ(all["instructions"]["covered"], 5);
  EXPECT_EQ(all["instructions"]["percent"], "45.4 %");
  EXPECT_EQ(all["stack"], nlohmann::json::array({0}));
  const auto& program = all["programs"][0];
  EXPECT_EQ(program["points"][0]["state"], "covered");
  EXPECT_EQ(program["points"][4]["state"], "not_visited");
  EXPECT_EQ(program["ways"].size(), 5U);
  // Of what is not covered the direction that leads on from what is comes first; one call does.
  EXPECT_EQ(program["missing"][0]["words"], "instruction 1 to 0009");
  ASSERT_EQ(all["calls"].size(), 1U);
  EXPECT_EQ(all["calls"][0]["text"], "write(0x1)");
  EXPECT_EQ(all["calls"][0]["args"][0], "0x1");
  // Rules of other files are not the page's.
  EXPECT_EQ(all["rules"]["not_visited"], 1);
  ASSERT_EQ(all["missing_rules"].size(), 1U);
  EXPECT_EQ(all["missing_rules"][0]["words"], "line 7, write");
  EXPECT_EQ(all["differs"][0], "line 7, write: for write(2)");
  EXPECT_TRUE(data_of(page_of(stack, "alone"))["coverage"].is_null());
}

TEST(PageCoverage, of_another_program_is_refused_and_said_how_it_differs) {
  const FilterStack stack = stack_of(small());
  const auto error_of = [&](const coverage::Report& report) {
    const NamedStack named{.stack = &stack, .names = {"small.json"}};
    const auto found = page_coverage(report, named, nullptr);
    return found ? std::string() : found.error();
  };
  coverage::Report other = covered_by_read("small.json");
  other.programs[0].program[8].k = 2;
  EXPECT_THAT(error_of(other), HasSubstr("instruction 8 of small.json is `if (A == 2) goto 0010` "
                                         "there, and `if (A == 1) goto 0010` here"));
  other.programs[0].program.pop_back();
  EXPECT_THAT(error_of(other), HasSubstr("small.json has 10 instructions there, and 11 here"));
  other.programs[0].file = "large.json";
  EXPECT_THAT(error_of(other), HasSubstr("it covers large.json (x86_64, 10 instructions)"));
  EXPECT_THAT(error_of({}), HasSubstr("it covers no program"));
  EXPECT_THAT(error_of(covered_by_read("small.json", Arch::S390x)), HasSubstr("give --arch s390x"));
  EXPECT_EQ(error_of(covered_by_read("small.json")), "");
}

TEST(PageCoverage, of_a_program_by_another_name_is_taken_where_none_has_its_own) {
  const FilterStack stack = stack_of(small());
  coverage::Report report = covered_by_read("one.json");
  coverage::Report second = covered_by_read("two.json");
  second.programs[0].instructions[4] = {.state = coverage::State::Covered, .inputs = 1};
  report.merge(second);
  const auto covered_by = [&](const std::string& name) {
    const NamedStack named{.stack = &stack, .names = {name}};
    return coverage::instructions_of(
               page_coverage(report, named, nullptr).value().report.programs.at(0))
        .covered;
  };
  EXPECT_EQ(covered_by("one.json"), 5U);
  EXPECT_EQ(covered_by("two.json"), 6U);
  EXPECT_EQ(covered_by("three.json"), 6U);  // by either
}

TEST(PageCoverage, of_a_stack_beside_is_there_where_it_is_known) {
  const FilterStack stack = stack_of(small());
  const FilterStack other = stack_of({{0x06, 0, 0, 0x7fff0000}});
  const NamedStack named{.stack = &stack, .names = {"small.json"}};
  const NamedStack beside{.stack = &other, .names = {"other.json"}};
  const coverage::Report report = covered_by_read("small.json");
  EXPECT_EQ(page_coverage(report, named, &named).value().other.at(0), 0U);
  EXPECT_EQ(page_coverage(report, named, &beside).value().other.at(0), std::nullopt);
  EXPECT_FALSE(page_coverage(report, beside, &named).has_value());
}

// What the rows of an ABI say of a number, without their conditions.
std::vector<std::string> actions_of(const PageTable& table, std::string_view arch,
                                    std::uint32_t nr) {
  std::vector<std::string> out;
  for (const TableRow& row : table.rows) {
    const bool mine = std::ranges::any_of(row.numbers, [&](const TableRow::Range& each) {
      return each.first <= nr && nr <= each.last;
    });
    if (row.arch == arch && mine) out.push_back(row.condition + ": " + row.action);
  }
  return out;
}

TEST(PageTable, says_what_each_number_gets_and_when) {
  const FilterStack stack = stack_of(small());
  const PageTable table = page_table(stack);
  EXPECT_TRUE(table.left_out.empty());
  EXPECT_THAT(actions_of(table, "x86_64", 0), testing::ElementsAre(": ALLOW"));
  EXPECT_THAT(actions_of(table, "x86_64", 2), testing::ElementsAre(": ERRNO(1)"));
  const std::vector<std::string> write = actions_of(table, "x86_64", 1);
  EXPECT_EQ(write.size(), 2U);
  EXPECT_THAT(write, Contains(testing::EndsWith("fd == 1: ALLOW")));
  EXPECT_THAT(write, Contains("otherwise: ERRNO(1)"));
  EXPECT_THAT(actions_of(table, "x86", 0), testing::ElementsAre(": ERRNO(1)"));
}

}  // namespace
}  // namespace callgate::report
