// Decision tables of real filters: a program made of nothing but the table means the same.
// CALLGATE_FILTERS: a folder of further programs, raw, of x86_64.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include "corpus/vector_files.hpp"
#include "harness/front_ends/program_reader.hpp"
#include "verifier/check.hpp"
#include "verifier/lower_table.hpp"

namespace callgate::corpus {
namespace {

const std::filesystem::path kTop = CALLGATE_SOURCE_DIR "/corpus";

// What became of many tables.
struct Tally {
  std::size_t filters = 0;
  std::size_t whole = 0;
  std::size_t equal = 0;
  std::map<std::string, std::size_t> not_lowered;  // by reason

  void print(const char* what) const {
    std::printf("%s: %zu filters, %zu whole tables, %zu lowered to what means the same", what,
                filters, whole, equal);
    for (const auto& [reason, count] : not_lowered) {
      std::printf("; %zu not: %s", count, reason.c_str());
    }
    std::printf("\n");
  }
};

void prove(const Program& program, const KernelModel& model, const std::string& name,
           Tally& tally) {
  SCOPED_TRACE(name);
  const auto checked = verifier::check(program, model);
  if (!checked) return;
  FilterStack stack(model);
  ASSERT_TRUE(stack.push(*checked));
  verifier::Space space;
  verifier::Endings endings(space);
  const auto meaning = verifier::meaning_of(endings, stack);
  const auto table = verifier::decision_table(endings, meaning.verdict, std::array{model.arch});
  ++tally.filters;
  if (table.whole()) ++tally.whole;
  const auto lowered = verifier::lower_table(endings, table, info(model.arch).byte_order);
  if (!lowered) {
    ++tally.not_lowered[std::string(lowered.error())];
    return;
  }
  const auto again = verifier::check(*lowered, model);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(verifier::meaning_of(endings, *again).value, meaning.value);
  ++tally.equal;
}

void prove_folder(const std::filesystem::path& folder, Arch arch, Tally& tally) {
  KernelModel model;
  model.arch = arch;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".bpf") continue;
    front_ends::ReadOptions options;
    options.format = front_ends::InputFormat::Raw;
    const auto bytes = front_ends::read_file(entry.path().string());
    ASSERT_TRUE(bytes.has_value());
    const auto program = front_ends::read_program(*bytes, options);
    ASSERT_TRUE(program.has_value()) << entry.path();
    prove(program->program, model, entry.path().string(), tally);
  }
}

TEST(DecisionTables, of_captured_filters_lower_to_what_means_the_same) {
  Tally tally;
  prove_folder(kTop / "filters/systemd-252/x86_64", Arch::X86_64, tally);
  prove_folder(kTop / "filters/systemd-252/aarch64", Arch::AArch64, tally);
  prove_folder(kTop / "filters/containers", Arch::X86_64, tally);
  if (const char* more = std::getenv("CALLGATE_FILTERS")) {
    prove_folder(more, Arch::X86_64, tally);
  }
  tally.print("captured");
  EXPECT_GE(tally.filters, 230U);
  EXPECT_EQ(tally.whole, tally.filters);
  EXPECT_EQ(tally.equal, tally.filters);
}

TEST(DecisionTables, of_vectors_lower_to_what_means_the_same) {
  Tally tally;
  for (const VectorFile& file : vector_files(kTop / "vectors")) {
    const auto vector = read_vector(file);
    ASSERT_TRUE(vector.has_value()) << vector.error();
    for (const auto& program : vector->programs) {
      prove(program.instructions, vector->kernel, file.name(), tally);
    }
  }
  tally.print("vectors");
  EXPECT_GE(tally.filters, 100U);
  EXPECT_GT(tally.equal, tally.filters / 2);
}

}  // namespace
}  // namespace callgate::corpus
