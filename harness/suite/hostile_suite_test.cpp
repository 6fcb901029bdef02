// Suites that are meant to do harm: refused with a message, within bounds of memory and of work.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>

#include "harness/suite/suite.hpp"
#include "harness/suite/yaml_tree.hpp"

// Sanitizers reserve address space of their own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CALLGATE_NO_LIMITS
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define CALLGATE_NO_LIMITS
#endif
#endif

namespace callgate::suite {
namespace {

using testing::HasSubstr;

constexpr std::size_t kMiB = std::size_t{1} << 20U;
#ifdef CALLGATE_NO_LIMITS
constexpr std::size_t kLarge = kMiB / 2;
constexpr rlim_t kSeconds = 600;
#else
constexpr std::size_t kLarge = 5 * kMiB;
constexpr rlim_t kSeconds = 60;
#endif

std::string repeated(std::string_view part, std::size_t times) {
  std::string out;
  out.reserve(part.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += part;
  return out;
}

// What becomes of a suite in a process of its own that has so much memory and processor time: the
// error, "read", or how the process died.
std::string in_bounds(const std::string& text, [[maybe_unused]] rlim_t memory = 1500 * kMiB,
                      rlim_t seconds = kSeconds) {
  int ends[2];
  if (pipe(ends) != 0) return "no pipe";
  const pid_t child = fork();
  if (child < 0) return "no child";
  if (child == 0) {
    close(ends[0]);
    const rlimit time{seconds, seconds};
    setrlimit(RLIMIT_CPU, &time);
#ifndef CALLGATE_NO_LIMITS
    const rlimit space{memory, memory};
    setrlimit(RLIMIT_AS, &space);
#endif
    std::string said;
    try {
      const auto read = read_suites(text, "s.yaml", false);
      said = read ? "read" : to_string(read.error());
    } catch (const std::bad_alloc&) {
      said = "memory ran out";
    }
    if (said.size() > 4000) said = fmt::format("a message of {} bytes", said.size());
    const auto written = write(ends[1], said.data(), said.size());
    _exit(written == static_cast<ssize_t>(said.size()) ? 0 : 1);
  }
  close(ends[1]);
  std::string out;
  char buffer[4096];
  for (ssize_t count = 0; (count = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
    out.append(buffer, static_cast<std::size_t>(count));
  }
  close(ends[0]);
  int status = 0;
  rusage used{};
  wait4(child, &status, 0, &used);
  if (std::getenv("CALLGATE_MEASURE") != nullptr) {
    fmt::print(stderr, "{:.2f} s, {} MiB: {}\n",
               static_cast<double>(used.ru_utime.tv_sec) +
                   static_cast<double>(used.ru_utime.tv_usec) / 1e6,
               used.ru_maxrss / 1024, out);
  }
  return WIFSIGNALED(status) ? fmt::format("killed by signal {}", WTERMSIG(status)) : out;
}

// Levels of lists, each of so many aliases of the one below.
std::string laughs(std::string_view first, unsigned levels, unsigned wide) {
  std::string out = fmt::format("filter: f\nx-0: &l0 {}\n", first);
  for (unsigned i = 1; i <= levels; ++i) {
    out += fmt::format("x-{}: &l{} [", i, i);
    out += repeated(fmt::format("*l{},", i - 1), wide) + "]\n";
  }
  return out;
}

constexpr const char* kTooMuch = "aliases and templates make too much of this suite";

TEST(HostileSuite, very_many_anchors) {
  std::string text = "filter: f\nx-a: [";
  for (int i = 0; i < 100'000; ++i) text += fmt::format("&a{} b,", i);
  EXPECT_THAT(in_bounds(text + "]\n"), HasSubstr("more than 10000 anchors"));
}

TEST(HostileSuite, deep_nesting) {
  for (const char* const each : {"[", "{a: ", "{? ", "[{a: ["}) {
    EXPECT_THAT(in_bounds("filter: f\nx-a: " + repeated(each, 1'000'000)), HasSubstr("nested"))
        << each;
    EXPECT_THAT(in_bounds("filter: f\nx-a: " + repeated(each, 1500)), HasSubstr("nested")) << each;
  }
  EXPECT_THAT(in_bounds("- " + repeated("- ", 1'000'000)), HasSubstr("nested"));
  EXPECT_THAT(in_bounds(repeated("? ", 1'000'000)), HasSubstr("nested"));
  std::string block;
  for (std::size_t i = 0; i < 3000; ++i) block += std::string(i, ' ') + "a:\n";
  EXPECT_THAT(in_bounds(block), HasSubstr("nested"));
}

TEST(HostileSuite, lists_of_aliases_of_lists_of_aliases) {
  EXPECT_THAT(in_bounds(laughs("[read]", 8, 2000) + "expect: [{allow: *l8}]\n"),
              HasSubstr("more than 2,000,000 calls"));
  EXPECT_THAT(in_bounds(laughs("[]", 7, 2000) + "expect: [{allow: *l7}]\n"), HasSubstr(kTooMuch));
  EXPECT_THAT(in_bounds(laughs("[]", 7, 2000) + "expect: *l7\n"), HasSubstr(kTooMuch));
  EXPECT_THAT(in_bounds(laughs("[{allow: read}]", 7, 2000) + "expect: *l7\n"), HasSubstr(kTooMuch));
  EXPECT_THAT(in_bounds(laughs("[]", 20, 2000) + "expect: *l20\n"), HasSubstr("nested too deeply"));
  EXPECT_THAT(in_bounds(laughs("[]", 20, 2000) + "expect: [{allow: *l20}]\n"),
              HasSubstr("nested too deeply"));
  EXPECT_THAT(in_bounds(laughs("[{allow: read}]", 1, 1'000'000) + "expect: *l1\n"),
              HasSubstr(kTooMuch));
  EXPECT_THAT(in_bounds(laughs("{read: ALLOW}", 1, 1'000'000) + "recorded: *l1\n"),
              testing::AnyOf(HasSubstr(kTooMuch), HasSubstr("more than 2,000,000 calls"), "read"));
}

TEST(HostileSuite, merge_keys_of_merge_keys) {
  std::string text = "filter: f\nx-0: &m0 {reason: r, allow: read}\n";
  for (int i = 1; i <= 8; ++i) {
    text += fmt::format("x-{}: &m{} {{<<: [", i, i) + repeated(fmt::format("*m{},", i - 1), 1000) +
            "]}\n";
  }
  EXPECT_THAT(in_bounds(text + "expect: [*m7]\n"), HasSubstr(kTooMuch));
  EXPECT_THAT(in_bounds(text + "expect: [{<<: *m8}]\n"), HasSubstr("<< is nested too deeply"));
  std::string wide = "filter: f\nx-w: &w {";
  for (int i = 0; i < 20'000; ++i) wide += fmt::format("x-{}: 1,", i);
  wide += "}\nexpect: [" + repeated("{<<: *w, allow: read},", 20'000) + "]\n";
  EXPECT_THAT(in_bounds(wide), HasSubstr(kTooMuch));
}

TEST(HostileSuite, long_texts_many_times) {
  std::string text = "filter: f\nx-a: &a " + std::string(60'000, 'a') + "\nexpect: [{allow: [";
  EXPECT_THAT(in_bounds(text + repeated("*a,", 500'000) + "]}]\n"), HasSubstr(kTooMuch));
  for (const auto& [megabytes, words] : {std::pair{3U, "a text of more than 64 KiB"},
                                         std::pair{30U, "a text or a comment of more"}}) {
    const std::string longest(megabytes * kMiB, 'a');
    EXPECT_THAT(in_bounds("filter: f\nname: " + longest), HasSubstr(words));
    EXPECT_THAT(in_bounds("filter: f\nname: \"" + longest + "\""), HasSubstr(words));
    EXPECT_THAT(in_bounds("filter: f\nname: |\n" + repeated("  a\n", megabytes * kMiB / 4)),
                HasSubstr(words));
  }
  EXPECT_THAT(in_bounds(std::string(1'000'000, 'a') + ": 1\n"),
              testing::AnyOf(HasSubstr("64 KiB"), HasSubstr("s.yaml:1:")));
}

TEST(HostileSuite, templates_without_end) {
  std::string text = "filter: f\nx-v: &v [" + repeated("1,", 1000) +
                     "]\ntemplates:\n  t: {parameters: [a, b, c], expect: [{allow: '{a}{b}{c}'}]}\n"
                     "  e: {parameters: [a, b, c], expect: []}\n"
                     "  n: {expect: [" +
                     repeated("{use: m},", 1000) + "]}\n  m: {expect: [" +
                     repeated("{use: o},", 1000) + "]}\n  o: {expect: [" +
                     repeated("{use: e, with: {a: *v, b: *v, c: *v}},", 1000) + "]}\n";
  for (const char* const each : {"t", "e"}) {
    EXPECT_THAT(
        in_bounds(text +
                  fmt::format("expect: [{{use: {}, with: {{a: *v, b: *v, c: *v}}}}]\n", each)),
        HasSubstr("templates are used more than 100,000 times"));
  }
  EXPECT_THAT(in_bounds(text + "expect: [{use: n}]\n"),
              testing::AnyOf(HasSubstr("100,000 times"), HasSubstr(kTooMuch)));
  // Each value is long, and each text has it often.
  const std::string longer =
      "filter: f\ntemplates: {t: {parameters: a, expect: [{allow: '" + repeated("{a}", 1000) +
      "'}]}}\nexpect: [{use: t, with: {a: " + std::string(1000, 'a') + "}}]\n";
  EXPECT_THAT(in_bounds(longer), HasSubstr("a text of more than 64 KiB"));
  // Braces that open nothing.
  std::string braces = "filter: f\ntemplates: {t: {parameters: a, expect: [{allow: [";
  braces += "&b '" + std::string(1'900, '{') + "'," + repeated("*b,", 3000) +
            "]}]}}\nexpect: [{use: t, with: {a: 1}}]\n";
  EXPECT_THAT(in_bounds(braces), testing::AnyOf("read", HasSubstr(kTooMuch)));
  std::string parameters = "filter: f\ntemplates: {t: {parameters: [";
  for (int i = 0; i < 100'000; ++i) parameters += fmt::format("p{},", i);
  EXPECT_THAT(in_bounds(parameters + "], expect: []}}\n"), HasSubstr("32 parameters at most"));
}

TEST(HostileSuite, maps_of_very_many_keys) {
  std::string text = "filter: f\nrecorded:\n";
  for (int i = 0; i < 1'000'000; ++i) text += fmt::format("  {}(): ALLOW\n", i);
  EXPECT_EQ(in_bounds(text), "read");
  text = "filter: f\n";
  for (int i = 0; i < 1'000'000; ++i) text += fmt::format("k{}: 1\n", i);
  EXPECT_THAT(in_bounds(text), HasSubstr("k0: no such key"));
}

TEST(HostileSuite, files_that_are_large) {
  EXPECT_THAT(in_bounds(std::string(64 * kMiB + 1, '#')), HasSubstr("larger than 64 MiB"));
  EXPECT_THAT(in_bounds(repeated("- a\n", 16 * kMiB)), HasSubstr("more than 6000000 values"));
  EXPECT_THAT(in_bounds("[" + repeated("a,", 30 * kMiB)), HasSubstr("a list in brackets"));
  EXPECT_THAT(in_bounds(repeated("---\n", 16 * kMiB)), HasSubstr("more than 1,000 documents"));
  EXPECT_THAT(in_bounds(repeated("#\n", 32 * kMiB)), HasSubstr("a text or a comment"));
  EXPECT_THAT(in_bounds(repeated("#\n", kMiB)), HasSubstr("there is no suite in it"));
  for (const char* const each :
       {"a",    " ",      "a ",   "'",   "\"",    "&a ",   "*a ", "!a ",  "!",     "|",    ">",
        "%",    "@",      "`",    "a: ", ": ",    "?\n",   ",",   "]",    "}",     "{}",   "[]",
        "--- ", "...\n",  "- ",   "\\",  "\"\\x", "\t",    "\r",  "a:\n", "- -\n", "%a\n", "!<",
        "|\n",  "a: |\n", "'a':", "{a,", "[a:",   "[? a,", "#",   " #a\n"}) {
    const std::string whole = repeated(each, kLarge / std::string_view(each).size());
    for (const std::string& text : {whole, "filter: f\nx-a: " + whole, "x-a: [" + whole}) {
      EXPECT_THAT(in_bounds(text), testing::AnyOf("read", testing::StartsWith("s.yaml")))
          << text.substr(0, 20);
    }
  }
}

TEST(HostileSuite, bytes_that_are_no_text) {
  for (const std::string& each :
       {std::string("filter: f\0\n", 11), std::string(1000, '\0'),
        std::string("\xff\xfe"
                    "f\0:\0",
                    6),
        std::string("\xfe\xff\0f\0:", 6), std::string("filter: \xff\xff\n"),
        std::string("\xef\xbb\xbf"), std::string("\x7f\x1b[2J: 1\n"),
        std::string("filter: \"\\u0000\\xff\\U0010ffff\"\n"), std::string("\xff\xfe\0\0f\0\0\0", 8),
        std::string("filter: \"\\Uffffffff\"\n")}) {
    const std::string said = in_bounds(each);
    EXPECT_TRUE(said == "read" || said.starts_with("s.yaml")) << said;
  }
  EXPECT_THAT(in_bounds("filter: f\n? {a: b}\n: c\n"), HasSubstr("a key is a text"));
  EXPECT_THAT(in_bounds("filter: f\nx-a: &a {b: [*a]}\n"),
              HasSubstr("an alias of what it stands in itself"));
  // UTF-16 is read as what it says.
  std::string wide = "\xff\xfe";
  for (const char c : std::string("filter: f\n")) wide += {c, '\0'};
  EXPECT_EQ(in_bounds(wide), "read");
}

TEST(HostileSuite, messages_stay_short) {
  const std::string name(60'000, 'x');
  for (const std::string& each :
       {"filter: f\n? \"" + name + "\"\n: 1\n", "filter: f\narch: " + name,
        "filter: f\nkernel: " + name, "filter: f\nexpect: [{use: " + name + "}]",
        "filter: f\nhigh_half: " + name, "filter: f\ninclude: " + name}) {
    EXPECT_THAT(in_bounds(each), HasSubstr("s.yaml:"));
  }
}

}  // namespace
}  // namespace callgate::suite
