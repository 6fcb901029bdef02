// A guest that is played by the model: its console must be judged as agreeing, and each way to
// spoil it as a failure that says what is wrong.

#include "harness/lab/session.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/lab/played_console.hpp"
#include "harness/lab/probes.hpp"
#include "verifier/check.hpp"
#include "vm/actions.hpp"
#include "vm/reference.hpp"

namespace callgate::lab {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kPlace = 0x7fff00001234;

struct Played {
  std::vector<std::string> lines;

  [[nodiscard]] std::string console() const { return console_of(lines); }
};

std::uint16_t seen(std::uint32_t value) {
  if (value == 0) return kKilled;
  EXPECT_EQ(value & 0xffff0000U, static_cast<std::uint32_t>(Action::Errno));
  return static_cast<std::uint16_t>(value & 0xffffU);
}

// What a guest of that kernel prints, if the kernel is as the model says.
Played played(const LabKernel& kernel, const Session& session, std::string_view version,
              std::string_view jit) {
  KernelModel model;
  model.arch = kernel.platform.arch;
  model.version = *parse_version(version);
  model.engine = jit == "1" ? KernelEngine::Jit : KernelEngine::Interpreter;
  Played out;
  out.lines = {fmt::format("u {}-cloud #1 SMP Debian {}-1", version, version),
               fmt::format("j {}", jit)};
  for (std::size_t i = 0; i < probes().size(); ++i) {
    const auto value = expected(probes()[i], model, kernel.calls);
    out.lines.push_back(fmt::format("f {} {}", i, value.value_or(-77)));
  }
  for (std::size_t i = 0; i < session.questions().size(); ++i) {
    const Question& question = session.questions()[i];
    const auto checked = verifier::check(question.program, model);
    std::string line =
        fmt::format("p {} {} ", i, checked ? 0 : static_cast<int>(checked.error().error));
    for (SeccompData data : question.calls) {
      data.instruction_pointer = info(kernel.calls).bits == 32 ? kPlace & 0xffffffffU : kPlace;
      line += fmt::format("{:04x}", seen(reference::run(question.program, data, model).value));
    }
    out.lines.push_back(std::move(line));
  }
  out.lines.push_back(fmt::format("e {} {} 0", probes().size(), session.questions().size()));
  return out;
}

class LabSession : public ::testing::TestWithParam<const char*> {
 protected:
  LabKernel kernel_ = parse_kernels(GetParam())->front();
  Session session_{kernel_, {.programs = 24, .inputs = 5}, {}};
  std::string jit_ = kernel_.jit == 1 ? "1" : kernel_.jit == 0 ? "0" : "-";
};

TEST_P(LabSession, guest_that_is_as_the_model_says_passes) {
  const Report report = session_.judge(played(kernel_, session_, "6.12.95", jit_).console());
  EXPECT_EQ(report.ending, Ending::Passed)
      << report.reason << report.first.size() << (report.first.empty() ? "" : report.first[0]);
  EXPECT_GT(report.values, 1000U);
  EXPECT_EQ(report.shifts, 1040U);
  EXPECT_EQ(report.acceptances, 24U / kernel_.platform.slowness);
  EXPECT_EQ(report.seen.size(), probes().size());
}

TEST_P(LabSession, each_spoilt_answer_is_a_difference) {
  const Played whole = played(kernel_, session_, "6.12.95", jit_);
  // A value: the last of the shifts' answers.
  Played other = whole;
  for (std::string& line : other.lines) {
    if (!line.starts_with("p ") || line.size() < 2000) continue;
    line.back() = line.back() == '0' ? '1' : '0';
    break;
  }
  EXPECT_EQ(session_.judge(other.console()).differences, 1U);
  EXPECT_EQ(session_.judge(other.console()).ending, Ending::Failed);
  // A probe.
  other = whole;
  other.lines[2] = "f 0 -1";
  EXPECT_EQ(session_.judge(other.console()).differences, 1U);
}

INSTANTIATE_TEST_SUITE_P(Guests, LabSession,
                         ::testing::Values("arm64-6.1", "arm64-6.1-arm", "s390x-6.1", "ppc64el-6.1",
                                           "ppc64el-6.1-nojit", "mips64el-6.1", "amd64-5.10",
                                           "armhf-6.1"),
                         [](const auto& name) {
                           std::string out = name.param;
                           for (char& c : out) {
                             if (c == '-' || c == '.') c = '_';
                           }
                           return out;
                         });

class LabJudgement : public ::testing::Test {
 protected:
  LabKernel kernel_ = parse_kernels("amd64-5.10")->front();
  Session session_{kernel_, {.programs = 4, .inputs = 2}, {}};
};

TEST_F(LabJudgement, cut_answers_have_failed) {
  const std::string whole = played(kernel_, session_, "5.10.223", "1").console();
  ASSERT_EQ(session_.judge(whole).ending, Ending::Passed);
  const Report report = session_.judge(whole.substr(0, whole.size() / 2));
  EXPECT_EQ(report.ending, Ending::Failed);
  EXPECT_THAT(report.reason, HasSubstr("cut or damaged"));
}

TEST_F(LabJudgement, panic_has_failed_and_is_quoted) {
  const Report report =
      session_.judge("noise\r\n[ 1.2] Kernel panic - not syncing: no init\r\n[ 1.3] ---[ end\r\n");
  EXPECT_EQ(report.ending, Ending::Failed);
  EXPECT_THAT(report.reason, HasSubstr("Kernel panic - not syncing: no init"));
  EXPECT_EQ(report.values, 0U);
}

TEST_F(LabJudgement, silence_has_failed) {
  EXPECT_EQ(session_.judge("").ending, Ending::Failed);
  EXPECT_THAT(session_.judge("").reason, HasSubstr("empty"));
}

TEST_F(LabJudgement, fewer_questions_answered_than_asked_have_failed) {
  Played some = played(kernel_, session_, "5.10.223", "1");
  some.lines.pop_back();
  some.lines.pop_back();
  some.lines.push_back(fmt::format("e {} {} 0", probes().size(), session_.questions().size() - 1));
  EXPECT_EQ(session_.judge(some.console()).ending, Ending::Failed);
}

TEST_F(LabJudgement, jit_that_could_not_be_set_has_failed) {
  const Report report = session_.judge(played(kernel_, session_, "5.10.223", "0").console());
  EXPECT_EQ(report.ending, Ending::Failed);
  EXPECT_THAT(report.reason, HasSubstr("bpf_jit_enable"));
}

TEST_F(LabJudgement, other_kernel_than_the_model_is_noticed_by_probes) {
  Played newer = played(kernel_, session_, "6.12.95", "1");
  newer.lines[0] = "u 5.10.0-32 #1 SMP Debian 5.10.223-1";
  const Report report = session_.judge(newer.console());
  EXPECT_EQ(report.ending, Ending::Failed);
  EXPECT_GE(report.differences, 5U);
}

}  // namespace
}  // namespace callgate::lab
