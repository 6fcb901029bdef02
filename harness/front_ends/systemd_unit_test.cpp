// How unit files are read, and sets of syscalls.

#include "harness/front_ends/systemd_unit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/front_ends/profile_formats.hpp"
#include "harness/front_ends/systemd_sets.hpp"

namespace callgate::front_ends {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(SystemdSets, of_252_are_those_that_an_installed_systemd_252_lists) {
  const auto version = systemd::installed_version();
  const auto installed = systemd::installed_sets();
  ASSERT_EQ(version.has_value(), installed.has_value());
  if (!installed) {
    EXPECT_THAT(installed.error().message, HasSubstr("systemd-analyze"));
  } else if (*version == "252") {
    EXPECT_EQ(systemd::sets_252(), *installed);
  } else {
    EXPECT_TRUE(installed->contains("@system-service"));
  }
}

TEST(SystemdSets, hold_further_sets) {
  const systemd::SyscallSets sets = {{"@a", {"read", "@b", "write"}},
                                     {"@b", {"read", "@a", "sync"}}};
  EXPECT_THAT(systemd::members_of(sets, "@a"), ElementsAre("read", "sync", "write"));
  EXPECT_THAT(systemd::members_of(sets, "@c"), IsEmpty());
  EXPECT_EQ(systemd::parse_listing("@a\n    # help\n    read\n    @b\n\n@b\n    sync\n"
                                   "# Ungrouped\n#   other\n    stray\n"),
            (systemd::SyscallSets{{"@a", {"read", "@b"}}, {"@b", {"sync"}}}));
}

TEST(SystemdSets, that_are_not_listed_in_time_are_an_error) {
  const auto none = systemd::installed_sets(std::chrono::milliseconds(0));
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("systemd-analyze"));
}

std::vector<std::string> assigned(std::string_view text) {
  systemd::UnitText out;
  std::vector<Note> notes;
  EXPECT_TRUE(systemd::read_unit(text, out, notes));
  std::vector<std::string> words;
  for (const auto& each : out.assignments) {
    words.push_back(each.section + " " + std::string(each.key.text()) + "=" +
                    std::string(each.value.text()));
  }
  return words;
}

TEST(SystemdUnits, are_sections_of_assignments) {
  EXPECT_THAT(assigned("\xef\xbb\xbf[A]\nk=v\n # c\n ; c\n  l =  a=b \r\n[B]\nm=\n"),
              ElementsAre("A k=v", "A l=a=b", "B m="));
  EXPECT_THAT(assigned("[A]\nk=a\\\n# comment\nb \\\n\nl=\\\\\nm=x\\"),
              ElementsAre("A k=a b", "A l=\\\\", "A m=x"));
}

TEST(SystemdUnits, say_where_each_byte_of_joined_lines_stands) {
  systemd::UnitText out;
  std::vector<Note> notes;
  ASSERT_TRUE(systemd::read_unit("[A]\nkey = one \\\n#\n  two\\\n three\n", out, notes));
  ASSERT_EQ(out.assignments.size(), 1U);
  const auto words = systemd::words_of(out.assignments[0].value, false, notes);
  ASSERT_EQ(words.size(), 3U);
  EXPECT_EQ(words[0].place, (Place{2, 7}));
  EXPECT_EQ(words[1].place, (Place{4, 3}));
  EXPECT_EQ(words[2].place, (Place{5, 2}));
  EXPECT_EQ(out.assignments[0].key.at(0), (Place{2, 1}));
}

TEST(SystemdUnits, that_systemd_refuses_are_errors_with_their_places) {
  const auto refused = [](std::string_view text) {
    const auto profile = read_systemd(text, "", {});
    return profile ? "not refused" : to_string(profile.error());
  };
  EXPECT_THAT(refused("[Service]\n [Unit\n"), HasSubstr("line 2, column 2: a section's header"));
  EXPECT_THAT(refused("[Service]\n[Un\"it]\n"), HasSubstr("line 2, column 4: a section's name"));
  EXPECT_THAT(refused("[Service]\nk=\xc0\x80\n"), HasSubstr("line 2, column 3: this is no UTF-8"));
  EXPECT_THAT(refused("[Service]\nk=\xed\xa0\x80\n"), HasSubstr("no UTF-8"));
  EXPECT_THAT(refused("[Service]\nk=" + std::string(1 << 20, 'x')), HasSubstr("more than 1 MiB"));
  EXPECT_THAT(refused("[Unit]\nk=v\n"), HasSubstr("no [Service]"));
  EXPECT_THAT(refused(""), HasSubstr("no [Service]"));
}

TEST(SystemdUnits, are_told_by_name_or_content) {
  EXPECT_TRUE(detect_systemd("", "a.service"));
  EXPECT_TRUE(detect_systemd("[Socket]\nPrivateDevices=y\n", "10-more.conf"));
  EXPECT_FALSE(detect_systemd("[Service]\nExecStart=/bin/true\n", "a.conf"));
  EXPECT_FALSE(detect_systemd("{\"defaultAction\": \"SCMP_ACT_ALLOW\"}", "a.json"));
  EXPECT_FALSE(detect_systemd("", ""));
  EXPECT_EQ(find_profile_format("systemd")->read, &read_systemd);
}

}  // namespace
}  // namespace callgate::front_ends
