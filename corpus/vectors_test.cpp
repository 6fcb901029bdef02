// One test for each vector file, and of those that run programs one for each engine:
// run/shift_by_x_33.reference. A new file needs no line here: building again finds it.
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "corpus/vector_files.hpp"
#include "harness/engines/engines.hpp"
#include "harness/suite/vector.hpp"
#include "verifier/check.hpp"
#include "verifier/limits.hpp"
#include "vm/engine.hpp"
#include "vm/filter_stack.hpp"
#include "vm/outcome.hpp"
#include "vm/reference.hpp"

namespace callgate::corpus {
namespace {

using suite::Vector;
using suite::VectorCase;
using suite::VectorKind;
using suite::VectorProgram;

std::string words(const Diagnostics& found) {
  std::string out;
  for (const Diagnostic& each : found) {
    out += std::string(info(each.id).name);
    if (each.instruction) out += " at " + std::to_string(*each.instruction);
    out +=
        " (" + std::to_string(each.operands[0]) + ", " + std::to_string(each.operands[1]) + ")\n";
  }
  return out.empty() ? "accepted\n" : out;
}

// What is said of the last program of a check vector, once the others are attached.
Diagnostics install(FilterStack& stack, const VectorProgram& program) {
  const auto checked = verifier::check(program.instructions, stack.model());
  if (!checked) return checked.error().diagnostics;
  for (std::size_t i = 0; i < program.times; ++i) {
    const auto pushed = stack.push(*checked, program.flags);
    if (!pushed) return {pushed.error()};
  }
  return {};
}

void test_check(const Vector& vector) {
  FilterStack stack(vector.kernel);
  for (const VectorProgram& program : vector.programs) {
    if (&program == &vector.programs.back()) break;
    ASSERT_EQ(words(install(stack, program)), "accepted\n") << "an older filter";
  }
  const VectorProgram& last = vector.programs.back();
  const Diagnostics found = install(stack, last);
  EXPECT_EQ(words(found), words(vector.diagnostics));
  if (vector.refused) {
    for (const Diagnostic& each : found) EXPECT_EQ(info(each.id).error, *vector.refused);
    if (const auto checked = verifier::check(last.instructions, vector.kernel); !checked) {
      EXPECT_EQ(checked.error().error, *vector.refused);
    }
  }
  if (vector.length) {
    EXPECT_EQ(verifier::converted_length(last.instructions, vector.kernel), *vector.length);
  }
  if (vector.counts) {
    const LimitCost cost = verifier::limit_cost(last.instructions, vector.kernel);
    EXPECT_EQ(cost.as_new, vector.counts->as_new);
    EXPECT_EQ(cost.as_attached, vector.counts->as_attached);
  }
}

void test_run(const Vector& vector, const Engine& engine) {
  const auto checked = verifier::check(vector.programs.front().instructions, vector.kernel);
  ASSERT_TRUE(checked.has_value()) << words(checked.error().diagnostics);
  const auto executable = engine.prepare(*checked);
  if (!executable) GTEST_SKIP() << engine.name() << " declines: " << executable.error();
  for (const VectorCase& each : vector.cases) {
    SCOPED_TRACE("input " + std::to_string(&each - vector.cases.data()));
    const reference::Result result =
        reference::run(checked->instructions(), each.data, vector.kernel);
    if (each.undefined) {
      EXPECT_TRUE(result.fault == reference::Fault::UndefinedShift ||
                  result.fault == reference::Fault::ShiftTooLarge)
          << to_string(result.fault);
    } else {
      EXPECT_EQ(result.fault, reference::Fault::None) << to_string(result.fault);
      EXPECT_EQ((*executable)->run(each.data), *each.returns);
    }
    EXPECT_EQ(result.executed, each.executed.value_or(result.executed));
  }
}

void test_stack(const Vector& vector, const Engine& engine) {
  FilterStack stack(vector.kernel);
  for (const VectorProgram& program : vector.programs) {
    const auto checked = verifier::check(program.instructions, vector.kernel);
    ASSERT_TRUE(checked.has_value()) << words(checked.error().diagnostics);
    for (std::size_t i = 0; i < program.times; ++i) {
      ASSERT_TRUE(stack.push(*checked, engine, program.flags).has_value());
    }
  }
  for (const VectorCase& each : vector.cases) {
    SCOPED_TRACE("input " + std::to_string(&each - vector.cases.data()));
    const Verdict verdict = stack.run(each.data);
    ASSERT_TRUE(each.verdict.has_value());
    EXPECT_EQ(verdict.value, each.verdict->value);
    EXPECT_EQ(verdict.winner, each.verdict->winner);
    if (each.logged) {
      EXPECT_EQ(outcome_of(stack, verdict, each.data, Surroundings{}).logged, *each.logged);
    }
  }
}

// What ExpectedOutcome::number stands for.
std::int64_t number_of(const Outcome& outcome) {
  switch (outcome.kind) {
    case OutcomeKind::Returns:
      return outcome.value;
    case OutcomeKind::Sigsys:
    case OutcomeKind::ThreadDies:
    case OutcomeKind::ProcessDies:
      return outcome.signal;
    case OutcomeKind::TracerDecides:
      return outcome.data;
    case OutcomeKind::Executes:
    case OutcomeKind::ListenerDecides:
    case OutcomeKind::Unknown:
      return 0;
  }
  return 0;
}

template <typename T>
void expect_field(const char* name, const std::optional<T>& expected, T found) {
  EXPECT_EQ(found, expected.value_or(found)) << name;
}

void test_outcome(const Vector& vector) {
  for (const VectorCase& each : vector.cases) {
    SCOPED_TRACE("input " + std::to_string(&each - vector.cases.data()));
    const Outcome outcome =
        vector.strict ? strict_outcome(each.data, vector.kernel, vector.around.only_thread)
                      : outcome_of(*vector.value, each.data, vector.kernel, vector.around);
    ASSERT_TRUE(each.outcome.has_value());
    EXPECT_EQ(to_string(outcome.kind), to_string(each.outcome->kind));
    EXPECT_EQ(number_of(outcome), each.outcome->number);
    EXPECT_EQ(outcome.logged, each.logged.value_or(false)) << "logged";
    EXPECT_EQ(outcome.core_dump, each.core.value_or(false)) << "core";
    EXPECT_EQ(outcome.reason.empty(), outcome.kind != OutcomeKind::Unknown);
    expect_field("signo", each.siginfo.signo, outcome.siginfo.signo);
    expect_field("code", each.siginfo.code, outcome.siginfo.code);
    expect_field("errno", each.siginfo.error, outcome.siginfo.error);
    expect_field("addr", each.siginfo.call_addr, outcome.siginfo.call_addr);
    expect_field("syscall", each.siginfo.syscall, outcome.siginfo.syscall);
    expect_field("arch", each.siginfo.arch, outcome.siginfo.arch);
  }
}

class VectorTest : public testing::Test {
 public:
  VectorTest(VectorFile file, const Engine* engine) : file_(std::move(file)), engine_(engine) {}

  void TestBody() override {
    const auto vector = read_vector(file_);
    ASSERT_TRUE(vector.has_value()) << vector.error();
    SCOPED_TRACE("\n" + vector->story);
    switch (file_.kind) {
      case VectorKind::Check:
        return test_check(*vector);
      case VectorKind::Run:
        return test_run(*vector, *engine_);
      case VectorKind::Stack:
        return test_stack(*vector, *engine_);
      case VectorKind::Outcome:
        return test_outcome(*vector);
    }
  }

 private:
  VectorFile file_;
  const Engine* engine_;
};

void add_test(const VectorFile& file, const std::string& name, const Engine* engine) {
  testing::RegisterTest(file.name().c_str(), name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                        [file, engine]() -> testing::Test* {
                          return new VectorTest(file, engine);  // GoogleTest deletes it
                        });
}

}  // namespace
}  // namespace callgate::corpus

int main(int argc, char** argv) {
  using callgate::suite::VectorKind;
  testing::InitGoogleTest(&argc, argv);
  const std::filesystem::path vectors = CALLGATE_SOURCE_DIR "/corpus/vectors";
  for (const auto& file : callgate::corpus::vector_files(vectors)) {
    const bool runs = file.kind == VectorKind::Run || file.kind == VectorKind::Stack;
    if (!runs) callgate::corpus::add_test(file, "holds", nullptr);
    if (!runs) continue;
    for (const callgate::Engine* engine : callgate::all_engines()) {
      callgate::corpus::add_test(file, std::string(engine->name()), engine);
    }
  }
  return RUN_ALL_TESTS();
}
