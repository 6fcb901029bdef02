// Documents of coverage, read again.

#include "harness/coverage/writers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "harness/coverage/subject_test.hpp"

namespace callgate::coverage {
namespace {

using testing::HasSubstr;
using testing::Not;

filters::FilterFile profile() {
  filters::FilterFile file{"a<b>&\"c\".json", small_program(), {}, front_ends::Policy{}, {}};
  file.policy->default_value = 0x7fff0000;
  file.policy->arches = {Arch::X86_64};
  const auto rule = [&](std::size_t line, std::uint64_t second_mask) {
    file.policy->rules.push_back({"socket",
                                  {},
                                  0x00050001,
                                  {{0, front_ends::Comparison::Equal, 40, 0xffffffff},
                                   {1, front_ends::Comparison::Equal, 0, second_mask}},
                                  {},
                                  {line, 1 + file.policy->rules.size()}});
  };
  rule(3, 0xff);  // socket(40, 0)
  rule(3, 0);     // other ones
  rule(4, 0);     // none is left
  return file;
}

Report covered(std::initializer_list<SeccompData> inputs) {
  Subject subject({profile()});
  Collector collector = subject.collector();
  for (const SeccompData& data : inputs) collector.add(data);
  return collector.report();
}

TEST(CoverageText, names_a_call_for_each_direction_that_is_not_covered) {
  const std::string text = text_summary(covered({call(39), call(41)}), {}).text;
  EXPECT_THAT(text, HasSubstr("coverage by 2 inputs and 0 proofs\n"));
  EXPECT_THAT(text, HasSubstr("instructions 83.3 % (5 of 6, 1 unreachable)"));
  EXPECT_THAT(text, HasSubstr("branches 75.0 % (3 of 4)"));
  EXPECT_THAT(text, HasSubstr("not visited: instruction 3 to 0005: `socket(AF_VSOCK)` would\n"));
  EXPECT_THAT(text, HasSubstr("unreachable: instruction 6: no call comes there\n"));
  EXPECT_THAT(text, HasSubstr("not visited: line 3, socket: `socket(AF_VSOCK)` would\n"));
  EXPECT_THAT(text, HasSubstr("unreachable: line 4, socket: rules before it decide all of"));
  // What only follows from a direction that is named is not named too.
  EXPECT_THAT(text, Not(HasSubstr("not visited: instruction 5")));
}

TEST(CoverageText, of_nothing_names_where_it_begins) {
  EXPECT_THAT(text_summary(covered({}), {}).text, HasSubstr("not visited: instruction 0: `"));
}

TEST(CoverageText, of_all_has_nothing_to_name) {
  const std::string text = text_summary(covered({call(39), call(41), call(41, 40)}), {}).text;
  EXPECT_THAT(text, HasSubstr("branches 100.0 % (4 of 4)"));
  EXPECT_THAT(text, Not(HasSubstr("not visited: instruction")));
}

TEST(CoverageListing, has_counts_and_marks_in_its_margin) {
  const std::string text = annotated_listing(covered({call(39), call(41)}), {}).text;
  EXPECT_THAT(text, HasSubstr("         2   0000  A = nr\n"));
  EXPECT_THAT(text, HasSubstr("           ! 0005  return ERRNO(1)"));
  EXPECT_THAT(text, HasSubstr("           - 0006  return KILL_THREAD"));
  EXPECT_THAT(text, HasSubstr("# to 0005: not visited (`socket(AF_VSOCK)`); to 0004: 1\n"));
  EXPECT_THAT(text, HasSubstr("           ! line     3  socket\n"));
}

TEST(CoverageText, tells_ways_to_one_place_apart) {
  Subject subject({{{0x20, 0, 0, 0}, {0x15, 0, 0, 41}, {0x06, 0, 0, 0}}});
  Collector collector = subject.collector();
  collector.add(call(1));
  const std::string text = text_summary(collector.report(), {}).text;
  EXPECT_THAT(text, HasSubstr("not visited: instruction 1 to 0002 (taken): `socket()` would\n"));
}

// A tracefile, read by its own rules.
struct Record {
  std::map<int, std::uint64_t> lines;
  std::map<std::pair<int, int>, std::string> branches;
  std::map<std::string, std::size_t> totals;
};
std::map<std::string, Record> records_of(const std::string& text) {
  std::map<std::string, Record> out;
  std::istringstream in(text);
  std::string source;
  for (std::string line; std::getline(in, line);) {
    if (line == "end_of_record") {
      source.clear();
      continue;
    }
    const std::size_t colon = line.find(':');
    const std::string key = line.substr(0, colon);
    const std::string value = line.substr(colon + 1);
    if (key == "SF") source = value;
    std::istringstream fields(value);
    char comma = 0;
    int number = 0;
    if (key == "DA") {
      std::uint64_t hits = 0;
      fields >> number >> comma >> hits;
      EXPECT_TRUE(out[source].lines.emplace(number, hits).second);
    } else if (key == "BRDA") {
      int block = 0;
      int branch = 0;
      std::string taken;
      fields >> number >> comma >> block >> comma >> branch >> comma >> taken;
      EXPECT_TRUE(out[source].branches.emplace(std::pair(number, branch), taken).second);
    } else if (key == "LF" || key == "LH" || key == "BRF" || key == "BRH") {
      fields >> out[source].totals[key];
    }
  }
  return out;
}

TEST(CoverageLcov, says_what_the_report_says) {
  const Report report = covered({call(39), call(39), call(41)});
  const Document document = lcov_tracefile(report, {.path = "out/coverage.info"});
  auto records = records_of(document.text);
  ASSERT_EQ(records.size(), 2U);
  // Rules: two on line 3 are its branches; line 4 cannot be covered and is not there.
  const Record& rules = records.at("a<b>&\"c\".json");
  EXPECT_EQ(rules.lines, (std::map<int, std::uint64_t>{{3, 0}}));
  ASSERT_EQ(document.beside.size(), 1U);
  EXPECT_EQ(document.beside[0].path, "out/coverage.info.a_b___c_.json.x86_64.lst");
  const Record& program = records.at(document.beside[0].path);
  const ProgramCoverage& its = report.programs[0];
  EXPECT_EQ(program.totals.at("LF"), instructions_of(its).all());
  EXPECT_EQ(program.totals.at("LH"), instructions_of(its).covered);
  EXPECT_EQ(program.totals.at("BRF"), branches_of(its).all());
  EXPECT_EQ(program.totals.at("BRH"), branches_of(its).covered);
  // A line of the listing for each instruction.
  EXPECT_EQ(std::ranges::count(document.beside[0].text, '\n'),
            static_cast<std::ptrdiff_t>(its.program.size()));
  for (const auto& [line, hits] : program.lines) {
    EXPECT_EQ(hits, its.instructions[static_cast<std::size_t>(line) - 1].inputs);
  }
  EXPECT_EQ(program.branches.at({2, 0}), "1");
  EXPECT_EQ(program.branches.at({2, 1}), "2");
  EXPECT_EQ(program.branches.at({4, 0}), "0");
}

TEST(CoverageLcov, counts_what_only_a_proof_comes_to_once) {
  Subject subject({small_program()});
  Collector collector = subject.collector();
  collector.add(subject.space.equal(verifier::Field::Nr, 41));
  const auto records = records_of(lcov_tracefile(collector.report(), {}).text);
  EXPECT_EQ(records.begin()->second.lines.at(6), 1U);
  EXPECT_EQ(records.begin()->second.branches.at({2, 1}), "0");
}

TEST(CoverageLcov, gives_listings_of_one_name_different_names) {
  Program other = small_program();
  other.pop_back();
  Subject subject({{"a/filter", small_program(), {}, {}, {}}, {"b/filter", other, {}, {}, {}}});
  const Document document = lcov_tracefile(subject.collector().report(), {.path = "c.info"});
  std::set<std::string> paths;
  for (const Beside& each : document.beside) paths.insert(each.path);
  EXPECT_THAT(paths,
              testing::ElementsAre("c.info.filter.x86_64.2.lst", "c.info.filter.x86_64.lst"));
}

TEST(CoverageCobertura, escapes_names_and_counts_branches) {
  const std::string text = cobertura(covered({call(39), call(41)}), {.timestamp = 12}).text;
  EXPECT_THAT(text, HasSubstr("filename=\"a&lt;b&gt;&amp;&quot;c&quot;.json\""));
  EXPECT_THAT(text, HasSubstr("lines-covered=\"5\" lines-valid=\"7\""));
  EXPECT_THAT(text, HasSubstr("branches-covered=\"3\" branches-valid=\"6\""));
  EXPECT_THAT(text, HasSubstr("timestamp=\"12\""));
  EXPECT_THAT(text, HasSubstr("<line number=\"4\" hits=\"1\" branch=\"true\" "
                              "condition-coverage=\"50% (1/2)\">"));
  EXPECT_THAT(text, HasSubstr("<line number=\"1\" hits=\"2\" branch=\"false\"/>"));
}

TEST(CoverageJson, says_what_the_report_says) {
  const Report report = covered({call(39), call(41)});
  const auto document = nlohmann::json::parse(coverage_json(report, {}).text);
  EXPECT_EQ(document["callgate"], 1);
  EXPECT_EQ(document["inputs"], 2);
  EXPECT_EQ(document["counts"]["branches"]["covered"], 3);
  const auto& program = document["programs"][0];
  EXPECT_EQ(program["arch"], "x86_64");
  EXPECT_EQ(program["instructions"].size(), 7U);
  EXPECT_EQ(program["instructions"][3]["taken"]["state"], "not_visited");
  EXPECT_EQ(program["instructions"][3]["taken"]["would"], "socket(AF_VSOCK)");
  EXPECT_EQ(program["instructions"][6]["state"], "unreachable");
  EXPECT_EQ(document["rules"][2]["state"], "unreachable");
  EXPECT_EQ(document["rules"][0]["line"], 3);
}

TEST(CoverageWriters, are_found_by_their_names) {
  for (const WriterRow& row : writers()) {
    EXPECT_EQ(find_writer(row.name), &row);
    EXPECT_FALSE(row.write(covered({call(39)}), {}).text.empty());
    // Of nothing there may be no record.
    EXPECT_EQ(row.write({}, {}).text.empty(), row.name == "lcov");
  }
  EXPECT_EQ(find_writer("nothing"), nullptr);
}

TEST(CoverageWriters, name_the_abi_where_there_are_several_machines) {
  Report report = covered({call(39)});
  Subject arm({profile()}, {.arch = Arch::AArch64});
  report.merge(arm.collector().report());
  const std::string text = text_summary(report, {}).text;
  EXPECT_THAT(text, HasSubstr("`x86_64:socket("));
  EXPECT_THAT(text, HasSubstr(".json, aarch64: "));
}

}  // namespace
}  // namespace callgate::coverage
