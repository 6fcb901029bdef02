// Walks the tables: each row must be touched by a vector, and a failure names those that are not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "corpus/vector_files.hpp"
#include "harness/engines/engines.hpp"
#include "harness/suite/vector.hpp"
#include "verifier/check.hpp"
#include "vm/actions.hpp"
#include "vm/arches.hpp"
#include "vm/diagnostics.hpp"
#include "vm/engine.hpp"
#include "vm/filter_stack.hpp"
#include "vm/kernel_model.hpp"
#include "vm/opcodes.hpp"
#include "vm/reference.hpp"

namespace callgate::corpus {
namespace {

using suite::Vector;
using suite::VectorKind;
using testing::IsEmpty;

// Features that none of the four kinds of vector can show: they concern installation, several
// threads, ptrace, /proc, notifications, registers that no filter sees, or speed alone.
constexpr std::array kBeyondVectors = {
    Feature::SeccompSyscall, Feature::FlagTsync,      Feature::RecheckAfterTrace,
    Feature::FlagSpecAllow,  Feature::FlagTsyncEsrch, Feature::ConstantActionCache,
    Feature::ForcedSigsys,   Feature::DeadMode,       Feature::FlagWaitKillable,
    Feature::LeaderStatus,   Feature::AddfdSend,      Feature::HighNumberBits,
    Feature::SyncWakeUp,     Feature::ReceiveEnds,
};

struct Named {
  std::string name;
  Vector vector;
};

const std::vector<Named>& all_vectors() {
  static const std::vector<Named> kAll = [] {
    std::vector<Named> all;
    for (const VectorFile& file : vector_files(CALLGATE_SOURCE_DIR "/corpus/vectors")) {
      // One that cannot be read fails as a test of its own.
      if (auto vector = read_vector(file)) all.push_back({file.name(), std::move(*vector)});
    }
    return all;
  }();
  return kAll;
}

struct CodesMet {
  std::span<const Instruction> program;
  std::set<std::uint16_t>& codes;

  void step(const reference::Step& step) const { codes.insert(program[step.at].code); }
};

TEST(EveryRow, of_the_opcodes_is_executed_or_refused_in_a_vector) {
  std::set<std::uint16_t> executed;
  std::set<std::uint16_t> refused;
  for (const auto& [name, vector] : all_vectors()) {
    if (vector.kind == VectorKind::Run) {
      const auto& program = vector.programs.front().instructions;
      for (const auto& each : vector.cases) {
        static_cast<void>(
            reference::run(program, each.data, vector.kernel, CodesMet{program, executed}));
      }
    }
    for (const Diagnostic& each : vector.diagnostics) {
      if (each.id == DiagnosticId::ClassicOnlyCode) {
        refused.insert(static_cast<std::uint16_t>(each.operands[0]));
      }
    }
  }
  std::vector<std::string_view> missing;
  for (const OpcodeInfo& row : opcodes()) {
    const auto& met = row.acceptance == Acceptance::Seccomp ? executed : refused;
    if (!met.contains(static_cast<std::uint16_t>(row.opcode))) missing.push_back(row.name);
  }
  EXPECT_THAT(missing, IsEmpty());
}

TEST(EveryRow, of_the_actions_is_the_value_of_an_outcome_vector) {
  std::set<std::uint32_t> met;
  for (const auto& [name, vector] : all_vectors()) {
    if (vector.value) met.insert(action_bits(*vector.value, vector.kernel));
  }
  std::vector<std::string_view> missing;
  for (const ActionInfo& row : actions()) {
    if (!met.contains(static_cast<std::uint32_t>(row.action))) missing.push_back(row.name);
  }
  EXPECT_THAT(missing, IsEmpty());
}

TEST(EveryRow, of_the_diagnostics_is_expected_by_a_check_vector) {
  std::set<DiagnosticId> met;
  for (const auto& [name, vector] : all_vectors()) {
    for (const Diagnostic& each : vector.diagnostics) met.insert(each.id);
  }
  std::vector<std::string_view> missing;
  for (const DiagnosticInfo& row : diagnostics()) {
    if (row.severity == Severity::Error && !met.contains(row.id)) missing.push_back(row.name);
  }
  EXPECT_THAT(missing, IsEmpty());
}

TEST(EveryRow, of_the_features_has_a_vector_before_it_and_one_after) {
  std::set<std::pair<Feature, bool>> met;
  for (const auto& [name, vector] : all_vectors()) {
    for (const Feature feature : vector.features) met.emplace(feature, vector.kernel.has(feature));
  }
  std::vector<std::string> wrong;
  for (const FeatureInfo& row : features()) {
    const bool before = met.contains({row.feature, false});
    const bool after = met.contains({row.feature, true});
    if (std::ranges::find(kBeyondVectors, row.feature) != kBeyondVectors.end()) {
      if (before || after) wrong.push_back(std::string(row.name) + " has a vector after all");
      continue;
    }
    if (!before) wrong.push_back(std::string(row.name) + " lacks a vector before it");
    if (!after) wrong.push_back(std::string(row.name) + " lacks a vector after it");
  }
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(EveryRow, of_the_architectures_has_a_vector) {
  std::set<Arch> met;
  for (const auto& [name, vector] : all_vectors()) met.insert(vector.kernel.arch);
  std::vector<std::string_view> missing;
  for (const ArchInfo& row : arches()) {
    if (!met.contains(row.arch)) missing.push_back(row.name);
  }
  EXPECT_THAT(missing, IsEmpty());
}

TEST(EveryRow, of_the_engines_runs_a_vector) {
  std::vector<std::string_view> missing;
  for (const Engine* engine : all_engines()) {
    const bool runs = std::ranges::any_of(all_vectors(), [&](const Named& each) {
      if (each.vector.kind != VectorKind::Run) return false;
      const auto checked =
          verifier::check(each.vector.programs.front().instructions, each.vector.kernel);
      return checked && engine->prepare(*checked).has_value();
    });
    if (!runs) missing.push_back(engine->name());
  }
  EXPECT_THAT(missing, IsEmpty());
}

TEST(EveryVector, says_how_its_rule_is_known) {
  std::vector<std::string> silent;
  for (const auto& [name, vector] : all_vectors()) {
    const auto says = [&](std::string_view mark) { return vector.story.contains(mark); };
    if (!says("[live]") && !says("[source]") && !says("[memory]")) silent.push_back(name);
  }
  EXPECT_THAT(silent, IsEmpty());
}

TEST(EveryVector, is_a_vec_file) {
  std::vector<std::string> others;
  for (const VectorFile& file : vector_files(CALLGATE_SOURCE_DIR "/corpus/vectors")) {
    if (file.path.extension() != ".vec") others.push_back(file.path.string());
  }
  EXPECT_THAT(others, IsEmpty());
}

TEST(EveryVector, is_looked_at) { EXPECT_GE(all_vectors().size(), 200U); }

}  // namespace
}  // namespace callgate::corpus
