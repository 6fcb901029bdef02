// The JSON of coverage, read again.

#include "harness/coverage/read_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "harness/coverage/subject_test.hpp"
#include "harness/coverage/writers.hpp"

namespace callgate::coverage {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// A profile with a rule that is covered and one that is not, on a machine; calls with arguments
// that have names, of other ABIs, with instruction pointers.
Report covered(const KernelModel& model = {}) {
  filters::FilterFile file{"a \"b\".json", small_program(), {}, front_ends::Policy{}, {}};
  file.policy->default_value = 0x7fff0000;
  file.policy->arches = {model.arch};
  for (const std::uint64_t family : {std::uint64_t{40}, std::uint64_t{39}}) {
    file.policy->rules.push_back({"socket",
                                  {},
                                  0x00050001,
                                  {{0, front_ends::Comparison::Equal, family, 0xffffffff}},
                                  {},
                                  {3, static_cast<std::size_t>(family)}});
  }
  Subject subject({file}, model);
  Collector collector = subject.collector();
  collector.add(call(39));
  collector.add(call(41));
  return collector.report();
}

json document() { return json::parse(coverage_json(covered(), {}).text); }

std::string error_of(const std::string& text) {
  const auto read = read_coverage(text);
  return read ? "" : to_string(read.error());
}
std::string error_of(const json& changed) { return error_of(changed.dump(1)); }

TEST(CoverageJson, is_read_as_what_was_written) {
  Report written = covered();
  written.merge(covered({.arch = Arch::S390x}));
  written.rules.at(0).differs = "for socket(1)";
  written.programs.at(0).instructions.at(6).why = "dead";
  SeccompData odd = call(-1, 0xffffffff00000001);
  odd.arch = 0x12345678;
  odd.instruction_pointer = 0x401000;
  written.programs.at(0).instructions.at(5).would = odd;
  const auto read = read_coverage(coverage_json(written, {}).text);
  ASSERT_TRUE(read.has_value()) << to_string(read.error());
  EXPECT_EQ(read->programs, written.programs);
  EXPECT_EQ(read->rules, written.rules);
  EXPECT_EQ(read->inputs, written.inputs);
  EXPECT_EQ(read->proofs, written.proofs);
}

TEST(CoverageJson, what_is_no_json_is_refused_with_its_place) {
  EXPECT_THAT(error_of(std::string("{\n \"callgate\": 1,\n")), HasSubstr("line 2, column 16: "));
  EXPECT_THAT(error_of(std::string("[]")), HasSubstr("coverage is an object, not an array"));
}

TEST(CoverageJson, what_is_not_as_the_schema_says_is_refused_with_its_place) {
  const auto changed = [](auto&& change) {
    json all = document();
    change(all);
    return error_of(all);
  };
  EXPECT_THAT(changed([](json& all) { all["callgate"] = 2; }), HasSubstr("version 2"));
  EXPECT_THAT(changed([](json& all) { all.erase("rules"); }), HasSubstr("`rules` is missing"));
  const auto in_program = [&](const char* key, const json& value) {
    return changed([&](json& all) { all["programs"][0][key] = value; });
  };
  EXPECT_THAT(in_program("arch", "pdp11"), HasSubstr("pdp11 is no architecture"));
  EXPECT_THAT(in_program("kernels", json::array({"x"})), HasSubstr("is no version"));
  EXPECT_THAT(in_program("instructions", json::array()), HasSubstr("an instruction at least"));
  EXPECT_THAT(in_program("file", 3), HasSubstr("`file` is a string, not an integer"));
  const auto in_instruction = [&](const char* key, const json& value) {
    return changed([&](json& all) { all["programs"][0]["instructions"][1][key] = value; });
  };
  EXPECT_THAT(in_instruction("k", 0x100000000), HasSubstr("`k` is a number from 0 to 4294967295"));
  EXPECT_THAT(in_instruction("inputs", -1), HasSubstr("`inputs` is a number"));
  EXPECT_THAT(in_instruction("state", "seen"), HasSubstr("seen is no state"));
  EXPECT_THAT(in_instruction("would", "opne()"), HasSubstr("no architecture has a call opne"));
  EXPECT_THAT(in_instruction("taken", nullptr), HasSubstr("`taken` is missing"));
  EXPECT_THAT(in_instruction("state", "seen"), testing::MatchesRegex("line [0-9]+, column .*"));
}

TEST(CoverageJson, every_beginning_of_a_text_is_refused) {
  const std::string text = document().dump();
  for (std::size_t length = 0; length < text.size(); ++length) {
    ASSERT_NE(error_of(text.substr(0, length)), "") << length;
  }
}

}  // namespace
}  // namespace callgate::coverage
