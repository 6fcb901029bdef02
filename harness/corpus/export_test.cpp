// The export: the same bytes for the same tree, and a folder that is whole or not there.
#include "harness/corpus/export.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "harness/testing/folder_test.hpp"

namespace callgate::corpus {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

const std::vector<ExportFile>& all_files() {
  static const std::vector<ExportFile> kFiles = render(make_corpus(), {"0.1.0", {}});
  return kFiles;
}

class Export : public testing::Test {
 private:
  const TestFolder made_;

 protected:
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& each : fs::directory_iterator(top_)) {
      out.push_back(each.path().filename().string());
    }
    return out;
  }

  const fs::path top_ = made_.path();
  const std::vector<ExportFile> few_ = {{"corpus.json", "{\n  \"schema\": \"callgate-corpus/1\"}"},
                                        {"value.json", "new"}};
};

TEST_F(Export, has_the_same_bytes_for_the_same_tree) {
  const auto again = render(make_corpus(), {"0.1.0", {}});
  ASSERT_EQ(again.size(), all_files().size());
  for (std::size_t i = 0; i < again.size(); ++i) {
    EXPECT_EQ(again[i].name, all_files()[i].name);
    EXPECT_TRUE(again[i].text == all_files()[i].text) << again[i].name;
  }
}

TEST_F(Export, is_json_with_its_schema_and_kind_in_each_file_and_inputs_that_are_there) {
  std::set<std::string> kinds;
  for (const ExportFile& each : all_files()) {
    if (!each.name.ends_with(".json") || each.name == "schema.json") continue;
    const auto document = nlohmann::json::parse(each.text);
    EXPECT_EQ(document["schema"], kSchema);
    kinds.insert(document["kind"]);
    if (!document.contains("inputs")) continue;
    for (const auto& one : document["cases"]) {
      if (one.contains("input")) {
        EXPECT_LT(one["input"], document["inputs"].size());
      }
      for (const auto& run : one.value("runs", nlohmann::json::array())) {
        ASSERT_LT(run["input"], document["inputs"].size()) << one["id"];
      }
    }
  }
  EXPECT_EQ(kinds.size(), 7U);
}

TEST_F(Export, brings_along_how_to_read_it) {
  for (const std::string name : {"README.md", "schema.json", "consume_example.py"}) {
    EXPECT_TRUE(std::ranges::any_of(all_files(), [&](const ExportFile& each) {
      return each.name == name && each.text.size() > 1'000;
    })) << name;
  }
}

TEST_F(Export, goes_into_a_new_folder_and_leaves_nothing_beside) {
  ASSERT_TRUE(write_export(few_, top_ / "out").has_value());
  EXPECT_THAT(names(), UnorderedElementsAre("out"));
  EXPECT_EQ(content(top_ / "out" / "value.json"), "new");
}

TEST_F(Export, goes_into_an_empty_folder) {
  fs::create_directory(top_ / "out");
  ASSERT_TRUE(write_export(few_, top_ / "out" / "").has_value());
  EXPECT_EQ(content(top_ / "out" / "value.json"), "new");
}

TEST_F(Export, takes_the_place_of_an_earlier_one) {
  const std::vector<ExportFile> older = {{"corpus.json", few_[0].text}, {"value.json", "old"}};
  ASSERT_TRUE(write_export(older, top_ / "out").has_value());
  ASSERT_TRUE(write_export(few_, top_ / "out").has_value());
  EXPECT_EQ(content(top_ / "out" / "value.json"), "new");
  EXPECT_THAT(names(), UnorderedElementsAre("out"));
}

TEST_F(Export, leaves_a_folder_alone_that_is_not_empty) {
  fs::create_directory(top_ / "out");
  std::ofstream(top_ / "out" / "thesis.txt") << "mine";
  const auto written = write_export(few_, top_ / "out");
  ASSERT_FALSE(written.has_value());
  EXPECT_THAT(written.error(), HasSubstr("name a folder that is new or empty"));
  EXPECT_EQ(content(top_ / "out" / "thesis.txt"), "mine");
  // Nor one whose files have our names, and are not ours.
  fs::remove(top_ / "out" / "thesis.txt");
  std::ofstream(top_ / "out" / "corpus.json") << "{}";
  EXPECT_FALSE(write_export(few_, top_ / "out").has_value());
  EXPECT_EQ(content(top_ / "out" / "corpus.json"), "{}");
}

TEST_F(Export, leaves_an_earlier_one_alone_in_which_something_else_lies) {
  ASSERT_TRUE(write_export(few_, top_ / "out").has_value());
  std::ofstream(top_ / "out" / "notes") << "mine";
  const auto written = write_export(few_, top_ / "out");
  ASSERT_FALSE(written.has_value());
  EXPECT_THAT(written.error(), HasSubstr("notes"));
  EXPECT_EQ(content(top_ / "out" / "notes"), "mine");
}

TEST_F(Export, leaves_what_is_there_when_it_cannot_be_written) {
  ASSERT_TRUE(write_export(few_, top_ / "out").has_value());
  std::vector<ExportFile> files = few_;
  files[1].text = "half";
  files.push_back({std::string(300, 'n'), "a name that no file may have"});
  EXPECT_FALSE(write_export(files, top_ / "out").has_value());
  EXPECT_EQ(content(top_ / "out" / "value.json"), "new");
  EXPECT_THAT(names(), UnorderedElementsAre("out"));
  EXPECT_FALSE(write_export(few_, top_ / "no" / "such" / "folder").has_value());
}

TEST_F(Export, is_no_file) {
  std::ofstream(top_ / "out") << "mine";
  const auto written = write_export(few_, top_ / "out");
  ASSERT_FALSE(written.has_value());
  EXPECT_THAT(written.error(), HasSubstr("is no folder"));
}

}  // namespace
}  // namespace callgate::corpus
