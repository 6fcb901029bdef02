#include "vm/kernel_model.hpp"

#include <gtest/gtest.h>

namespace callgate {
namespace {

bool has(Version version, Feature feature) { return KernelModel{.version = version}.has(feature); }

TEST(Versions, are_read_from_what_uname_says) {
  EXPECT_EQ(parse_version("6.18"), (Version{6, 18, 0}));
  EXPECT_EQ(parse_version("v6.18"), (Version{6, 18, 0}));
  EXPECT_EQ(parse_version("6.1.0-47-cloud-amd64"), (Version{6, 1, 0}));
  EXPECT_EQ(parse_version("5.10.50"), (Version{5, 10, 50}));
  EXPECT_EQ(parse_version("4.4.302.1"), (Version{4, 4, 302}));
  EXPECT_EQ(parse_version("6.12+"), (Version{6, 12, 0}));
}

TEST(Versions, that_are_none_are_refused) {
  for (const char* text :
       {"", "6", "6.", "v", ".5", "6.x", "-6.1", "6.-1", "6.1x", "six", "99999999999.1"}) {
    EXPECT_EQ(parse_version(text), std::nullopt) << text;
  }
}

TEST(Versions, are_written_as_they_are_read) {
  EXPECT_EQ(to_string(Version{6, 18, 0}), "6.18");
  EXPECT_EQ(to_string(Version{5, 10, 50}), "5.10.50");
}

TEST(Versions, compare_number_by_number) {
  EXPECT_LT((Version{3, 19, 0}), (Version{4, 0, 0}));
  EXPECT_LT((Version{4, 9, 0}), (Version{4, 14, 0}));
  EXPECT_LT((Version{6, 12, 0}), (Version{6, 12, 1}));
}

TEST(Features, begin_with_their_version_and_stay) {
  for (const FeatureInfo& row : features()) {
    EXPECT_TRUE(has(row.since, row.feature)) << row.name;
    EXPECT_TRUE(has({row.since.major, row.since.minor, 5}, row.feature)) << row.name;
    EXPECT_TRUE(has(kNewestVersion, row.feature)) << row.name;
    EXPECT_FALSE(has({row.since.major, row.since.minor - 1, 0}, row.feature)) << row.name;
    EXPECT_FALSE(has({2, 6, 39}, row.feature)) << row.name;
  }
}

TEST(Features, stand_in_the_order_in_which_they_came) {
  for (std::size_t i = 1; i < features().size(); ++i) {
    EXPECT_LE(features()[i - 1].since, features()[i].since) << features()[i].name;
  }
}

TEST(Features, that_were_backported_are_in_that_series_alone) {
  EXPECT_TRUE(has({6, 12, 14}, Feature::UretprobeExempt));
  EXPECT_TRUE(has({6, 12, 99}, Feature::UretprobeExempt));
  EXPECT_FALSE(has({6, 12, 13}, Feature::UretprobeExempt));
  EXPECT_FALSE(has({6, 11, 99}, Feature::UretprobeExempt));
  EXPECT_FALSE(has({6, 13, 0}, Feature::UretprobeExempt)) << "a newer series without the patch";
  EXPECT_TRUE(has({6, 13, 3}, Feature::UretprobeExempt));
}

TEST(Features, of_the_dead_mode_went_into_three_stable_series) {
  EXPECT_TRUE(has({5, 10, 223}, Feature::DeadMode)) << "seen by callgate lab";
  EXPECT_FALSE(has({5, 10, 100}, Feature::DeadMode));
  EXPECT_TRUE(has({5, 15, 24}, Feature::DeadMode));
  EXPECT_TRUE(has({5, 16, 10}, Feature::DeadMode));
  EXPECT_FALSE(has({5, 14, 99}, Feature::DeadMode));
}

TEST(KernelModel, of_the_host_is_of_this_machine) {
  const KernelModel host = KernelModel::host();
  EXPECT_EQ(host.arch, host_arch());
  EXPECT_GE(host.version, kOldestVersion);
}

TEST(ShiftCounts, below_32_are_themselves_everywhere) {
  for (const ArchInfo& row : arches()) {
    for (const KernelEngine engine : {KernelEngine::Jit, KernelEngine::Interpreter}) {
      const KernelModel model{.version = kOldestVersion, .arch = row.arch, .engine = engine};
      for (std::uint32_t x = 0; x < 32; ++x) {
        const ShiftCount shift = shift_count(model, x);
        EXPECT_TRUE(shift.defined && !shift.gives_zero) << row.name;
        EXPECT_EQ(shift.count, x) << row.name;
      }
    }
  }
}

TEST(ShiftCounts, never_reach_32) {
  for (const ArchInfo& row : arches()) {
    const KernelModel model{.arch = row.arch};
    for (std::uint32_t x = 0; x < 1024; ++x) {
      EXPECT_LT(shift_count(model, x).count, 32U) << row.name << " " << x;
      EXPECT_LT(shift_count(model, ~x).count, 32U) << row.name << " " << ~x;
    }
  }
}

}  // namespace
}  // namespace callgate
