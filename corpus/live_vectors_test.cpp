// The vectors that are about kernels like the running one, put to the running kernel: is what they
// expect what it does?
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "corpus/vector_files.hpp"
#include "harness/live/acceptor.hpp"
#include "harness/live/live_test.hpp"
#include "harness/live/outcome_oracle.hpp"
#include "harness/live/value_oracle.hpp"
#include "harness/suite/vector.hpp"

namespace callgate::live {
namespace {

using suite::Vector;
using suite::VectorKind;

struct Named {
  std::string name;
  Vector vector;
};

class LiveVectors : public Live {
 protected:
  void SetUp() override {
    Live::SetUp();
    if (IsSkipped()) return;
    if (model_.arch != Arch::X86_64) GTEST_SKIP() << "the live oracle is for x86_64";
    for (const FeatureInfo& row : features()) {
      if (model_.has(row.feature) != KernelModel{}.has(row.feature)) {
        GTEST_SKIP() << "the running kernel is not like Linux " << to_string(kNewestVersion) << ": "
                     << row.name;
      }
    }
  }

  // Those of a kind whose kernel is the newest with everything at its default.
  [[nodiscard]] static std::vector<Named> vectors(VectorKind kind) {
    std::vector<Named> found;
    for (const auto& file : corpus::vector_files(CALLGATE_SOURCE_DIR "/corpus/vectors")) {
      if (file.kind != kind) continue;
      auto vector = corpus::read_vector(file);
      if (!vector) {
        ADD_FAILURE() << vector.error();
        continue;
      }
      const KernelModel& kernel = vector->kernel;
      if (kernel.version == kNewestVersion && kernel.arch == Arch::X86_64 &&
          !kernel.blinds_constants && kernel.engine == KernelEngine::Jit) {
        found.push_back({file.name(), std::move(*vector)});
      }
    }
    return found;
  }
};

TEST_F(LiveVectors, of_the_checker_hold) {
  std::vector<Program> programs;
  std::vector<Named> asked;
  for (Named& each : vectors(VectorKind::Check)) {
    if (each.vector.programs.size() != 1) continue;  // the limit has its own live test
    programs.push_back(each.vector.programs.front().instructions);
    asked.push_back(std::move(each));
  }
  const auto errors = accepted(programs);
  ASSERT_TRUE(errors.has_value()) << errors.error().message;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto& refused = asked[i].vector.refused;
    EXPECT_EQ((*errors)[i], refused ? static_cast<int>(*refused) : 0) << asked[i].name;
  }
  EXPECT_GT(asked.size(), 80U);
}

TEST_F(LiveVectors, of_programs_hold) {
  const std::vector<Named> asked = vectors(VectorKind::Run);
  std::vector<ValueJob> jobs;
  for (const Named& each : asked) {
    ValueJob job{each.vector.programs.front().instructions, {}};
    for (const auto& one : each.vector.cases) {
      job.calls.push_back({one.data, one.data.instruction_pointer == 0});
    }
    jobs.push_back(std::move(job));
  }
  CallSites sites;
  const auto answers = values(jobs, sites);
  ASSERT_TRUE(answers.has_value()) << answers.error().message;
  std::size_t known = 0;
  std::size_t all = 0;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    SCOPED_TRACE(asked[i].name);
    const ValueAnswer& answer = (*answers)[i];
    EXPECT_EQ(answer.install_error, 0);
    all += jobs[i].calls.size();
    for (std::size_t c = 0; c < answer.values.size(); ++c) {
      EXPECT_NE(answer.values[c].state, Value::State::Lost) << answer.values[c].why;
      if (answer.values[c].state != Value::State::Known) continue;
      ++known;
      EXPECT_EQ(answer.values[c].value, asked[i].vector.cases[c].returns) << "input " << c;
    }
  }
  RecordProperty("known", static_cast<int>(known));
  EXPECT_GT(known, all * 9 / 10) << "of " << all << " inputs";
}

TEST_F(LiveVectors, of_stacks_hold) {
  if (!available_.outcomes.empty()) GTEST_SKIP() << available_.outcomes;
  // As the outcome oracle's child has it: traced, without a listener, two threads.
  const Surroundings around = {.tracer = true,
                               .listener = false,
                               .only_thread = false,
                               .sigsys_blocked_or_ignored = false,
                               .log_flag = false};
  std::size_t agreed = 0;
  for (const Named& each : vectors(VectorKind::Stack)) {
    SCOPED_TRACE(each.name);
    std::vector<Program> programs;
    std::size_t filters = 0;
    for (const auto& program : each.vector.programs) {
      filters += program.times;
      programs.push_back(program.instructions);
    }
    if (filters != programs.size()) continue;  // many filters are for the model alone
    std::vector<Call> calls;
    for (const auto& one : each.vector.cases) {
      calls.push_back({one.data, true});
    }
    CallSites sites;
    const auto seen = outcomes(programs, calls, sites);
    ASSERT_TRUE(seen.has_value()) << seen.error().message;
    ASSERT_EQ(seen->install_error, 0);
    for (std::size_t c = 0; c < calls.size(); ++c) {
      const std::uint32_t value = each.vector.cases[c].verdict->value;
      const Outcome expected = outcome_of(value, seen->calls[c].data, model_, around);
      const Agreement agreement = compare(expected, value, seen->calls[c]);
      EXPECT_NE(agreement, Agreement::Differs)
          << "input " << c << ": the kernel: " << words(seen->calls[c], "it");
      agreed += agreement == Agreement::Agrees ? 1 : 0;
    }
  }
  EXPECT_GT(agreed, 30U);
}

}  // namespace
}  // namespace callgate::live
