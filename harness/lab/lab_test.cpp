#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/lab/agent_files.hpp"
#include "harness/lab/guest_files.hpp"
#include "harness/lab/kernels.hpp"
#include "harness/lab/machine.hpp"
#include "harness/lab/played_console.hpp"

namespace callgate::lab {
namespace {

const std::vector<std::string> kLines{"u 6.1.0 Debian 6.1.1-1", "j 1",     "f 0 -22",
                                      "p 0 0 0001fffe",         "p 1 22 ", "e 1 2 0"};

TEST(LabConsole, whole_output_is_read) {
  const auto got = parse_console(console_of(kLines));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->jit, "1");
  EXPECT_EQ(got->probes, (std::vector<std::int64_t>{-22}));
  ASSERT_EQ(got->answers.size(), 2U);
  EXPECT_EQ(got->answers[0].values, (std::vector<std::uint16_t>{1, kKilled}));
  EXPECT_EQ(got->answers[1].error, 22U);
}

TEST(LabConsole, output_cut_anywhere_is_refused) {
  const std::string whole = console_of(kLines);
  for (std::size_t i = 0; i + 2 < whole.size(); ++i) {
    EXPECT_FALSE(parse_console(whole.substr(0, i))) << i;
  }
}

TEST(LabConsole, one_wrong_character_is_noticed) {
  std::string text = console_of(kLines);
  text[text.find("0001fffe")] = '1';
  EXPECT_FALSE(parse_console(text));
}

TEST(LabRequest, words_have_the_byte_order_of_the_guest) {
  const std::vector<Question> questions{{{{0x0006, 1, 2, 0x7fff0000}}, {}}};
  const std::vector<ProbeQuestion> asked{{3, 4}};
  const std::string little = encode_request(asked, questions, {}, 1, ByteOrder::Little);
  const std::string big = encode_request(asked, questions, {}, 1, ByteOrder::Big);
  EXPECT_EQ(little.substr(0, 4), "BLGC");
  EXPECT_EQ(big.substr(0, 4), "CGLB");
  EXPECT_EQ(little.substr(36), std::string("\x06\0\x01\x02\0\0\xff\x7f", 8));
  EXPECT_EQ(big.substr(36), std::string("\0\x06\x01\x02\x7f\xff\0\0", 8));
}

TEST(LabInitrd, archive_holds_names_and_bytes_aligned_and_ends_in_a_trailer) {
  const std::string out = initrd({{"init", "abcde", 0100755}});
  EXPECT_EQ(out.substr(0, 6), "070701");
  EXPECT_EQ(out.substr(110, 5), std::string("init\0", 5));
  EXPECT_EQ(out.substr(116, 5), "abcde");
  EXPECT_EQ(out.substr(124, 6), "070701");
  EXPECT_NE(out.find("TRAILER!!!"), std::string::npos);
  EXPECT_EQ(out.size() % 4, 0U);
}

TEST(LabKernels, lists_are_read_and_unknown_names_are_told) {
  EXPECT_EQ(parse_kernels("all")->size(), lab_kernels().size());
  EXPECT_EQ(parse_kernels("arm64-6.1,s390x-6.1")->size(), 2U);
  EXPECT_LT(parse_kernels("default")->size(), lab_kernels().size());
  EXPECT_EQ(parse_kernels("s390x-6.1,vax-1").error(), "vax-1");
  EXPECT_FALSE(parse_kernels(""));
}

TEST(LabKernels, boots_of_one_kernel_share_its_image) {
  const auto rows = parse_kernels("arm64-6.1,arm64-6.1-nojit,arm64-6.1-arm,arm64-6.12");
  ASSERT_TRUE(rows);
  EXPECT_EQ((*rows)[1].image(), "arm64-6.1");
  EXPECT_EQ((*rows)[2].image(), "arm64-6.1");
  EXPECT_EQ((*rows)[3].image(), "arm64-6.12");
}

TEST(LabKernels, pattern_takes_the_version_and_the_flavour_alone) {
  const std::string pattern = parse_kernels("arm64-6.1")->front().package_pattern();
  EXPECT_THAT("linux-image-6.1.0-50-cloud-arm64", ::testing::ContainsRegex(pattern));
  EXPECT_THAT("linux-image-6.12.95+deb12-cloud-arm64",
              ::testing::Not(::testing::ContainsRegex(pattern)));
  EXPECT_THAT("linux-image-6.1.0-50-arm64", ::testing::Not(::testing::ContainsRegex(pattern)));
  EXPECT_THAT("linux-image-6.1.0-50-rt-arm64", ::testing::Not(::testing::ContainsRegex(pattern)));
}

TEST(LabAgent, source_that_is_built_in_is_that_of_the_tree) {
  ASSERT_EQ(agent_files().size(), 3U);
  for (const AgentFile& each : agent_files()) {
    const auto path = std::filesystem::path(CALLGATE_SOURCE_DIR) / each.name;
    EXPECT_EQ(slurp(path), each.text) << each.name;
  }
}

}  // namespace
}  // namespace callgate::lab
