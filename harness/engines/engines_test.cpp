// Every engine, against the reference, on random programs and on chains of compares.

#include "harness/engines/engines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "harness/engines/test_programs.hpp"
#include "harness/random/generator.hpp"
#include "verifier/check.hpp"
#include "vm/equality_chains.hpp"
#include "vm/reference.hpp"

namespace callgate {
namespace {

TEST(Engines, are_found_by_their_names) {
  std::set<std::string_view> names;
  for (const Engine* each : all_engines()) {
    EXPECT_TRUE(names.insert(each->name()).second);
    EXPECT_EQ(find_any_engine(each->name()), each);
    EXPECT_THAT(engine_names(), testing::HasSubstr(std::string(each->name())));
  }
  EXPECT_EQ(all_engines().front()->name(), "reference");
  EXPECT_EQ(find_any_engine("warp"), nullptr);
#ifdef CALLGATE_WITH_JIT
  EXPECT_TRUE(names.contains("jit"));
#endif
}

// The models whose shifts or byte orders differ.
std::vector<KernelModel> models() {
  std::vector<KernelModel> out;
  for (const Arch arch : {Arch::X86_64, Arch::AArch64, Arch::S390x, Arch::Arm, Arch::Ppc64}) {
    for (const KernelEngine engine : {KernelEngine::Jit, KernelEngine::Interpreter}) {
      for (const Version version : {kNewestVersion, Version{5, 10, 0}}) {
        KernelModel model;
        model.version = version;
        model.arch = arch;
        model.engine = engine;
        out.push_back(model);
      }
    }
  }
  return out;
}

void agree(const Program& program, const KernelModel& model, random::Source& source) {
  const auto checked = verifier::check(program, model);
  ASSERT_TRUE(checked.has_value());
  std::vector<SeccompData> inputs;
  std::vector<reference::Result> results;
  for (int i = 0; i < 24; ++i) {
    inputs.push_back(random::input(source, program, info(model.arch).token));
    results.push_back(reference::run(program, inputs.back(), model));
  }
  for (const Engine* engine : all_engines()) {
    const auto executable = engine->prepare(*checked);
    ASSERT_TRUE(executable.has_value()) << engine->name() << ": " << executable.error();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      ASSERT_EQ((*executable)->run(inputs[i]), results[i].value)
          << engine->name() << " on " << info(model.arch).name;
    }
  }
}

TEST(Engines, return_what_the_reference_returns_of_random_programs) {
  const std::vector<KernelModel> all = models();
  random::Source source(7);
  for (std::size_t i = 0; i < 4000 && !HasFatalFailure(); ++i) {
    SCOPED_TRACE(i);
    agree(random::valid_program(source), all[i % all.size()], source);
  }
}

TEST(Engines, return_what_the_reference_returns_of_chains_of_compares) {
  const std::vector<KernelModel> all = models();
  random::Source source(8);
  std::size_t chains = 0;
  for (std::size_t i = 0; i < 4000 && !HasFatalFailure(); ++i) {
    SCOPED_TRACE(i);
    const Program program = chain_program(source);
    chains += equality_chains(program, past_jumps(program), 4).size();
    agree(program, all[i % all.size()], source);
  }
  EXPECT_GT(chains, 2000U);
}

}  // namespace
}  // namespace callgate
