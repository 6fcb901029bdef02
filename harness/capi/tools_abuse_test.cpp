// The functions of callgate_tools.h with wrong arguments and hostile inputs.
#include <gmock/gmock.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>

#include "harness/capi/tools_test.hpp"

namespace callgate {
namespace {

using ::testing::HasSubstr;

class CToolsAbused : public ToolsFixture {
 protected:
  // Errno and message of loading a file.
  static Given load(const std::string& path, const callgate_load_options* how = nullptr) {
    callgate_filters* filters = nullptr;
    char* message = nullptr;
    const int error = callgate_filters_load(path.c_str(), how, &filters, &message);
    EXPECT_EQ(filters == nullptr, error != 0);
    callgate_filters_destroy(filters);
    return {error, {}, taken(message)};
  }
  static Given read(const std::string& bytes, const char* name = nullptr) {
    callgate_filters* filters = nullptr;
    char* message = nullptr;
    const int error =
        callgate_filters_read(bytes.data(), bytes.size(), name, nullptr, &filters, &message);
    EXPECT_EQ(filters == nullptr, error != 0);
    callgate_filters_destroy(filters);
    return {error, {}, taken(message)};
  }
  static Given load_suite(const std::string& path, const callgate_suite_options* how = nullptr) {
    callgate_suite* suite = nullptr;
    char* message = nullptr;
    const int error = callgate_suite_load(path.c_str(), how, &suite, &message);
    EXPECT_EQ(suite == nullptr, error != 0);
    callgate_suite_destroy(suite);
    return {error, {}, taken(message)};
  }
};

TEST_F(CToolsAbused, take_NULL_for_every_handle_and_place) {
  callgate_text_free(nullptr);
  callgate_filters_destroy(nullptr);
  callgate_suite_destroy(nullptr);
  callgate_results_destroy(nullptr);
  EXPECT_EQ(callgate_syscall_number(nullptr, nullptr), -1);
  EXPECT_EQ(callgate_filters_count(nullptr), 0U);
  EXPECT_EQ(callgate_filters_format(nullptr), nullptr);
  EXPECT_EQ(callgate_filters_notes(nullptr), nullptr);
  EXPECT_EQ(callgate_filters_name(nullptr, 0), nullptr);
  std::size_t length = 7;
  EXPECT_EQ(callgate_filters_program(nullptr, 0, &length), nullptr);
  EXPECT_EQ(length, 0U);
  EXPECT_EQ(callgate_filters_program(nullptr, 0, nullptr), nullptr);
  EXPECT_EQ(callgate_suite_count(nullptr), 0U);

  const auto filters = loaded(filter_);
  const auto stack = stack_of(filters);
  const callgate_data data = call("getpid");
  auto verdict = options<callgate_verdict>();
  auto a_case = options<callgate_case>();
  auto counts = options<callgate_counts>();
  callgate_data read_data{};
  EXPECT_EQ(callgate_call_read(nullptr, nullptr, &read_data, nullptr), EFAULT);
  EXPECT_EQ(callgate_call_read("read", nullptr, nullptr, nullptr), EFAULT);
  char* text = nullptr;
  EXPECT_EQ(callgate_call_write(nullptr, nullptr, &text), EFAULT);
  EXPECT_EQ(callgate_call_write(&data, nullptr, nullptr), EFAULT);
  EXPECT_EQ(callgate_filters_append(nullptr, filters.get()), EFAULT);
  EXPECT_EQ(callgate_filters_append(filters.get(), nullptr), EFAULT);
  callgate_stack* made = nullptr;
  EXPECT_EQ(callgate_stack_of(nullptr, nullptr, &made, nullptr), EFAULT);
  EXPECT_EQ(callgate_stack_of(filters.get(), nullptr, nullptr, nullptr), EFAULT);
  EXPECT_EQ(callgate_stack_decide(nullptr, &data, nullptr, &verdict), EFAULT);
  EXPECT_EQ(callgate_stack_decide(stack.get(), nullptr, nullptr, &verdict), EFAULT);
  EXPECT_EQ(callgate_stack_decide(stack.get(), &data, nullptr, nullptr), EFAULT);
  EXPECT_EQ(callgate_value_words(nullptr, 0, &text), EFAULT);
  EXPECT_EQ(callgate_value_words(stack.get(), 0, nullptr), EFAULT);
  EXPECT_EQ(callgate_suite_case(nullptr, 0, &a_case), EFAULT);
  EXPECT_EQ(callgate_suite_case(nullptr, 0, nullptr), EFAULT);
  EXPECT_EQ(callgate_results_counts(nullptr, &counts), EFAULT);
  EXPECT_EQ(callgate_results_counts(nullptr, nullptr), EFAULT);
}

TEST_F(CToolsAbused, say_which_argument_is_NULL) {
  const auto filters = loaded(filter_);
  const callgate_data data = call("getpid");
  callgate_filters* made = nullptr;
  char* message = nullptr;
  EXPECT_EQ(callgate_filters_load(nullptr, nullptr, &made, &message), EFAULT);
  EXPECT_EQ(taken(message), "path is NULL");
  EXPECT_EQ(callgate_filters_load("a", nullptr, nullptr, &message), EFAULT);
  EXPECT_EQ(taken(message), "out is NULL");
  EXPECT_EQ(callgate_filters_read(nullptr, 1, nullptr, nullptr, &made, &message), EFAULT);
  EXPECT_EQ(taken(message), "bytes is NULL");
  EXPECT_EQ(given(callgate_check, nullptr, nullptr, nullptr).message, "filters is NULL");
  EXPECT_EQ(given(callgate_explain, nullptr, nullptr, nullptr, nullptr).error, EFAULT);
  EXPECT_EQ(given(callgate_explain_call, nullptr, nullptr, &data, nullptr).error, EFAULT);
  EXPECT_EQ(given(callgate_explain_call, filters.get(), nullptr, nullptr, nullptr).message,
            "data is NULL");
  EXPECT_EQ(given(callgate_diff, filters.get(), nullptr, nullptr, nullptr, nullptr).message,
            "b is NULL");
  EXPECT_EQ(given(callgate_results_write, nullptr, "text").error, EFAULT);
  const auto results = results_of(suite_of(path("profile_test.yaml")));
  EXPECT_EQ(given(callgate_results_write, results.get(), nullptr).message, "format is NULL");
  callgate_suite* suite = nullptr;
  EXPECT_EQ(callgate_suite_load(nullptr, nullptr, &suite, &message), EFAULT);
  EXPECT_EQ(taken(message), "path is NULL");
  EXPECT_EQ(callgate_suite_load("a", nullptr, nullptr, nullptr), EFAULT);
  callgate_results* none = nullptr;
  EXPECT_EQ(callgate_suite_run(nullptr, &none, &message), EFAULT);
  EXPECT_EQ(taken(message), "suite is NULL");
  char* text = nullptr;
  EXPECT_EQ(callgate_explain(filters.get(), nullptr, nullptr, nullptr, nullptr, nullptr), EFAULT);
  EXPECT_EQ(callgate_explain(filters.get(), nullptr, nullptr, nullptr, &text, nullptr), 0)
      << "neither `whole` nor `message` is needed";
  callgate_text_free(text);
}

TEST_F(CToolsAbused, say_what_is_wrong_with_options) {
  const auto with = [&](auto set) {
    auto how = options<callgate_load_options>();
    set(how);
    return load(path("profile.json"), &how);
  };
  const std::array<Given, 6> wrong = {with([](auto& how) { how.kernel = "six"; }),
                                      with([](auto& how) { how.arch = "vax"; }),
                                      with([](auto& how) { how.input_format = "word"; }),
                                      with([](auto& how) { how.caps = "CAP_FLY"; }),
                                      with([](auto& how) { how.runtime = "runx"; }),
                                      with([](auto& how) { how.size = 0; })};
  const std::array words = {"six: not a version", "vax: not an arch",  "word: not a format",
                            "CAP_FLY is no cap",  "runx: the runtime", "size is not set"};
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    EXPECT_EQ(wrong[i].error, EINVAL);
    EXPECT_THAT(wrong[i].message, HasSubstr(words[i]));
  }
  const auto filters = loaded(filter_);
  auto how = options<callgate_options>();
  how.engine = "warp";
  EXPECT_EQ(given(callgate_check, filters.get(), &how, nullptr).error, ENOTSUP);
  EXPECT_THAT(given(callgate_check, filters.get(), &how, nullptr).message,
              HasSubstr("warp: not an engine"));
  how.engine = nullptr;
  how.kernel = "six";
  EXPECT_THAT(given(callgate_explain, filters.get(), &how, nullptr, nullptr).message,
              HasSubstr("six: not a version"));
  how.kernel = nullptr;
  how.arch = "vax";
  EXPECT_THAT(given(callgate_explain, filters.get(), &how, nullptr, nullptr).message,
              HasSubstr("vax: not an arch"));
  EXPECT_EQ(given(callgate_explain, filters.get(), nullptr, "pdf", nullptr).message,
            "pdf: not a format; there are: text, json, markdown");
  const callgate_data data = call("getpid");
  EXPECT_EQ(given(callgate_explain_call, filters.get(), nullptr, &data, "markdown").error, EINVAL);
  auto diff = options<callgate_diff_options>();
  diff.level = "sea";
  EXPECT_THAT(given(callgate_diff, filters.get(), filters.get(), nullptr, &diff, nullptr).message,
              HasSubstr("sea: the level is"));
  diff.level = "raw";
  const auto two = loaded(filter_);
  ASSERT_EQ(callgate_filters_append(two.get(), filters.get()), 0);
  EXPECT_EQ(given(callgate_diff, filters.get(), two.get(), nullptr, &diff, nullptr).error, EINVAL);
  auto jobs = options<callgate_suite_options>();
  jobs.jobs = 2000;
  EXPECT_EQ(load_suite(path("profile_test.yaml"), &jobs).error, EINVAL);
  jobs.jobs = 0;
  jobs.names = "nothing is called so";
  EXPECT_THAT(load_suite(path("profile_test.yaml"), &jobs).message, HasSubstr("no case is left"));
  const auto results = results_of(suite_of(path("profile_test.yaml")));
  EXPECT_THAT(given(callgate_results_write, results.get(), "pdf").message,
              HasSubstr("there are text tap "));
  EXPECT_THAT(given(callgate_results_write, results.get(), "coverage-json").message,
              HasSubstr("was not collected"));
  callgate_data out{};
  char* message = nullptr;
  EXPECT_EQ(callgate_call_read("read(1, ", nullptr, &out, &message), EINVAL);
  EXPECT_THAT(taken(message), HasSubstr("read(1, : character 9: "));
  EXPECT_EQ(callgate_call_read("read", "vax", &out, nullptr), EINVAL);
  char* text = nullptr;
  EXPECT_EQ(callgate_call_write(&out, "vax", &text), EINVAL);
}

// A struct of a later version.
template <typename Struct>
struct Longer {
  Struct known{};
  std::uint64_t later = 0;
  Longer() { known.size = sizeof(Longer); }
};

TEST_F(CToolsAbused, take_structs_of_other_versions) {
  Longer<callgate_load_options> how;
  EXPECT_EQ(load(filter_, &how.known).error, 0);
  how.later = 1;
  EXPECT_EQ(load(filter_, &how.known).error, E2BIG);
  how.known.size = SIZE_MAX;
  EXPECT_EQ(load(filter_, &how.known).error, E2BIG) << "and nothing beyond is read";
  callgate_load_options shorter{};
  shorter.size = 2 * sizeof(size_t);
  shorter.arch = "not looked at";
  EXPECT_EQ(load(filter_, &shorter).error, 0);

  const auto stack = stack_of(loaded(filter_));
  const callgate_data data = call("read");
  Longer<callgate_verdict> verdict;
  verdict.later = 7;
  EXPECT_EQ(callgate_stack_decide(stack.get(), &data, nullptr, &verdict.known), 0);
  EXPECT_EQ(verdict.known.size, sizeof(verdict));
  EXPECT_EQ(verdict.known.value, 0x00050001U);
  EXPECT_EQ(verdict.later, 7U) << "not written";
  verdict.known.size = sizeof(callgate_verdict) - 1;
  EXPECT_EQ(callgate_stack_decide(stack.get(), &data, nullptr, &verdict.known), EINVAL);
  verdict.known.size = sizeof(callgate_verdict);
  Longer<callgate_surroundings> around;
  EXPECT_EQ(callgate_stack_decide(stack.get(), &data, &around.known, &verdict.known), 0);
  around.later = 1;
  EXPECT_EQ(callgate_stack_decide(stack.get(), &data, &around.known, &verdict.known), E2BIG);

  const auto suite = suite_of(path("profile_test.yaml"));
  const auto results = results_of(suite);
  callgate_case a_case{};
  EXPECT_EQ(callgate_suite_case(suite.get(), 0, &a_case), EINVAL) << "its size is not set";
  callgate_counts counts{};
  EXPECT_EQ(callgate_results_counts(results.get(), &counts), EINVAL);
  Longer<callgate_counts> more;
  EXPECT_EQ(callgate_results_counts(results.get(), &more.known), 0);
  EXPECT_EQ(more.known.passed, 8U);
}

TEST_F(CToolsAbused, give_the_errno_of_a_file_that_cannot_be_read) {
  EXPECT_EQ(load(path("none")).error, ENOENT);
  EXPECT_THAT(load(path("none")).message, HasSubstr(path("none") + ": "));
  EXPECT_EQ(load(path("none") + "#part").error, ENOENT);
  EXPECT_EQ(load("").error, ENOENT);
  EXPECT_EQ(load("-").error, ENOENT) << "standard input is not read";
  EXPECT_EQ(load(folder_.string()).error, EISDIR);
  EXPECT_EQ(load(filter_ + "/below").error, ENOTDIR);
  EXPECT_EQ(load("/proc/self/mem").error, EIO);
  EXPECT_EQ(load(std::string(5000, 'x')).error, ENAMETOOLONG);
  EXPECT_EQ(load_suite(path("none")).error, ENOENT);
  EXPECT_EQ(load_suite(folder_.string()).error, EISDIR);
  EXPECT_EQ(load_suite("-").error, ENOENT);
  file("stdin.yaml", "filter: \"-\"\nexpect:\n  - allow: [read]\n");
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder_);
  EXPECT_THAT(load_suite("stdin.yaml").message, HasSubstr("./-: No such file"));
  std::filesystem::current_path(before);
  EXPECT_EQ(load_suite(file("a.yaml", "filter: none\nexpect:\n  - allow: [read]\n")).error, EINVAL);
  file("c", "{0x20,0,0,1}");
  const Given refused = load_suite(file("b.yaml", "filter: c\nexpect:\n  - allow: [read]\n"));
  EXPECT_EQ(refused.error, EACCES);
  EXPECT_THAT(refused.message, HasSubstr("refused by Linux"));
}

TEST_F(CToolsAbused, refuse_what_is_no_filter_and_no_suite) {
#ifdef CALLGATE_SANITIZED
  constexpr std::size_t kSize = 256 * 1024 - 3;  // as hostile, in less time; no whole instructions
#else
  constexpr std::size_t kSize = 5 * 1024 * 1024;
#endif
  std::string garbage(kSize, '\0');
  std::uint32_t state = 1;
  for (char& each : garbage) {
    state = state * 1664525U + 1013904223U;
    each = static_cast<char>(state >> 24U);
  }
  std::string letters = garbage;
  for (char& each : letters)
    each = static_cast<char>('a' + (static_cast<unsigned char>(each) & 7U));
  const std::array<std::string, 8> hostile = {"",
                                              std::string(1, '\0'),
                                              "\xff\xfe\x00",
                                              garbage,
                                              letters,
                                              std::string(99'999, '{'),
                                              std::string(99'999, '['),
                                              "{\"defaultAction\": \"SCMP_ACT_ALLOW\", "};
  for (std::size_t i = 0; i < hostile.size(); ++i) {
    const Given from_bytes = read(hostile[i]);
    EXPECT_EQ(from_bytes.error, EINVAL) << i;
    EXPECT_FALSE(from_bytes.message.empty());
    EXPECT_LT(from_bytes.message.size(), 5000U);
    for (const char* name : {"a.json", "a.policy", "x#y"}) {
      EXPECT_EQ(read(hostile[i], name).error, EINVAL) << i << name;
    }
    // systemd passes over lines that it cannot read.
    const int unit = read(hostile[i], "a.service").error;
    EXPECT_TRUE(unit == EINVAL || unit == 0) << i;
    const std::string where = file("hostile", hostile[i]);
    EXPECT_EQ(load(where).error, EINVAL) << i;
    EXPECT_EQ(load_suite(where).error, EINVAL) << i;
    callgate_data data{};
    EXPECT_EQ(callgate_call_read(hostile[i].c_str(), nullptr, &data, nullptr), EINVAL) << i;
  }
  EXPECT_EQ(read(std::string(std::size_t{9} * 1024 * 1024, ' ')).error, EINVAL);
}

TEST_F(CToolsAbused, explain_calls_of_any_abi_and_number) {
  const auto filters = loaded(path("profile.json"));
  for (const std::uint32_t arch : {0xc000003eU, 0x40000003U, 0xc00000b7U, 0U, 0xffffffffU}) {
    for (const std::int32_t number : {0, 41, -1, 0x40000000, INT32_MIN, INT32_MAX}) {
      callgate_data data{};
      data.nr = number;
      data.arch = arch;
      for (std::uint64_t& each : data.args) each = ~std::uint64_t{0};
      for (const char* format : {"text", "json"}) {
        EXPECT_EQ(given(callgate_explain_call, filters.get(), nullptr, &data, format).error, 0);
      }
      char* text = nullptr;
      ASSERT_EQ(callgate_call_write(&data, nullptr, &text), 0);
      const callgate_data again = call(text);
      callgate_text_free(text);
      EXPECT_EQ(std::memcmp(&again, &data, sizeof(data)), 0);
    }
  }
}

TEST_F(CToolsAbused, make_programs_whoever_waits_for_children) {
  // With SIGCHLD ignored nobody learns how a child ended.
  struct sigaction ignored{};
  ignored.sa_handler = SIG_IGN;
  struct sigaction before{};
  ASSERT_EQ(sigaction(SIGCHLD, &ignored, &before), 0);
  EXPECT_EQ(load(path("profile.json")).error, 0);
  const Given refused = load(file("wrong.json", R"({"defaultAction": "SCMP_ACT_ALLOW",
    "architectures": ["SCMP_ARCH_X86_64"],
    "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ERRNO", "errnoRet": 4095}]})"));
  sigaction(SIGCHLD, &before, nullptr);
  EXPECT_EQ(refused.error, EINVAL);
  EXPECT_THAT(refused.message, HasSubstr("libseccomp"));
}

}  // namespace
}  // namespace callgate
