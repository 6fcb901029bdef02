// The corpus is complete: the tables are walked, and a failure names what has no case.
#include "harness/corpus/corpus.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "harness/corpus/embedded.hpp"
#include "harness/corpus/parts.hpp"
#include "harness/suite/vector.hpp"
#include "verifier/check.hpp"
#include "vm/arches.hpp"
#include "vm/reference.hpp"

namespace callgate::corpus {
namespace {

using testing::IsEmpty;

const Corpus& corpus() {
  static const Corpus kCorpus = make_corpus();
  return kCorpus;
}

template <typename Visit>
void for_each_header(const Visit& visit) {
  for (const auto& each : corpus().checks) visit(each.header);
  for (const auto& each : corpus().codes) visit(each.header);
  for (const auto& each : corpus().values) visit(each.header);
  for (const auto& each : corpus().stacks) visit(each.header);
  for (const auto& each : corpus().outcomes) visit(each.header);
  for (const auto& each : corpus().limits) visit(each.header);
}

// Which operations ran, with what in A and with which operand.
struct Met {
  std::set<std::pair<Opcode, std::uint32_t>> with_a;
  std::set<std::pair<Opcode, std::uint32_t>> with_operand;  // k, or X
};

struct Watcher {
  std::span<const Instruction> program;
  Met& met;
  std::uint32_t a = 0;
  std::uint32_t x = 0;

  void step(const reference::Step& step) {
    const Instruction& i = program[step.at];
    const OpcodeInfo& row = *find_opcode(i.code);
    met.with_a.emplace(row.opcode, a);
    met.with_operand.emplace(row.opcode, row.operand == Operand::X ? x : i.k);
    a = step.a;
    x = step.x;
  }
};

const Met& met() {
  static const Met kMet = [] {
    Met met;
    for (const ValueCase& each : corpus().values) {
      for (const ValueRun& run : each.runs) {
        static_cast<void>(
            reference::run(each.program, run.data, each.header.kernel, Watcher{each.program, met}));
      }
    }
    return met;
  }();
  return kMet;
}

TEST(TheCorpus, has_at_least_2000_different_programs) {
  EXPECT_GE(distinct_programs(corpus()), 2'000U);
  // Equal programs count once.
  Corpus twice;
  twice.checks.push_back(corpus().checks.front());
  twice.checks.push_back(corpus().checks.front());
  EXPECT_EQ(distinct_programs(twice), 1U);
}

TEST(TheCorpus, has_a_reason_for_each_case_and_an_id_that_no_other_has) {
  std::set<std::string> ids;
  std::vector<std::string> wrong;
  for_each_header([&](const Header& header) {
    if (!ids.insert(header.id).second) wrong.push_back(header.id + " stands there twice");
    if (header.reason.empty()) wrong.push_back(header.id + " has no reason");
  });
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(TheCorpus, runs_every_operation_with_every_edge_in_a_and_as_operand) {
  std::vector<std::string> missing;
  for (const OpcodeInfo& row : opcodes()) {
    if (row.acceptance != Acceptance::Seccomp) continue;
    const bool computes = row.kind == OpcodeKind::Alu || row.kind == OpcodeKind::Branch;
    const bool takes_a = computes || row.operand == Operand::A || row.kind == OpcodeKind::Tax;
    const bool takes_any_k = row.operand == Operand::K || row.operand == Operand::Length;
    for (const std::uint32_t edge : kEdges) {
      if (takes_a && !met().with_a.contains({row.opcode, edge})) {
        missing.push_back(slug(row) + " with A = " + hex(edge));
      }
      const bool allowed = row.k_rule == KRule::Any || (row.k_rule == KRule::NonZero && edge != 0);
      const bool by_operand = allowed && (takes_any_k || row.operand == Operand::X);
      if (by_operand && !met().with_operand.contains({row.opcode, edge})) {
        missing.push_back(slug(row) + " with the operand " + hex(edge));
      }
    }
    const auto all_k = [&](std::uint32_t end, std::uint32_t step) {
      for (std::uint32_t k = 0; k < end; k += step) {
        if (!met().with_operand.contains({row.opcode, k})) {
          missing.push_back(slug(row) + " with k = " + hex(k));
        }
      }
    };
    if (row.k_rule == KRule::Shift) all_k(32, 1);
    if (row.k_rule == KRule::Slot) all_k(kMemoryWords, 1);
    if (row.k_rule == KRule::DataOffset) all_k(kSeccompDataSize, 4);
    if (row.kind == OpcodeKind::Jump && !met().with_operand.contains({row.opcode, 4094})) {
      missing.push_back("the longest ja");
    }
  }
  EXPECT_THAT(missing, IsEmpty());
}

TEST(TheCorpus, takes_every_branch_to_both_sides_at_distance_0_and_255) {
  std::map<std::string, int> seen;
  for (const ValueCase& each : corpus().values) {
    for (const Instruction& i : each.program) {
      const OpcodeInfo* const row = find_opcode(i.code);
      if (row == nullptr || row->kind != OpcodeKind::Branch) continue;
      if (i.jt == 255) ++seen[slug(*row) + " jt 255"];
      if (i.jf == 255) ++seen[slug(*row) + " jf 255"];
      if (i.jt == 0 && i.jf == 0) ++seen[slug(*row) + " 0 0"];
    }
  }
  EXPECT_EQ(seen.size(), 8U * 3U);
}

// Of a diagnostic: refused for it alone, and what is accepted beside it.
TEST(TheCorpus, shows_every_diagnostic_from_both_sides) {
  std::map<std::string, const CheckCase*> by_id;
  for (const CheckCase& each : corpus().checks) by_id[each.header.id] = &each;
  std::set<DiagnosticId> shown;
  std::vector<std::string> wrong;
  for (const CheckCase& each : corpus().checks) {
    const bool vector = each.header.id.starts_with("vector/");
    if (each.refused && !vector && each.neighbour.empty()) {
      wrong.push_back(each.header.id + " is refused, and names no neighbour");
    }
    if (each.neighbour.empty()) continue;
    const auto neighbour = by_id.find(each.neighbour);
    if (neighbour == by_id.end() || neighbour->second->refused) {
      wrong.push_back(each.neighbour + " is not there, or refused");
    } else if (!each.refused) {
      wrong.push_back(each.header.id + " is accepted, and names a neighbour");
    } else if (each.diagnostics.size() == 1) {
      shown.insert(each.diagnostics.front().id);
    }
  }
  for (const LimitCase& each : corpus().limits) {
    if (each.refused == InstallError::NoMemory) shown.insert(DiagnosticId::InstructionLimit);
  }
  // Those that only older kernels give: the vector's program is accepted by the newest one.
  for (const CheckCase& each : corpus().checks) {
    if (!each.refused || !verifier::check(each.program, KernelModel{})) continue;
    for (const Diagnostic& diagnostic : each.diagnostics) shown.insert(diagnostic.id);
  }
  for (const DiagnosticInfo& row : diagnostics()) {
    if (row.severity == Severity::Error && !shown.contains(row.id)) {
      wrong.push_back(std::string(row.name) + " is not shown from both sides");
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(TheCorpus, has_what_just_fits_and_what_just_does_not_for_every_operation) {
  std::set<std::string> fits;
  std::set<std::string> refused;
  std::size_t unlike_classic = 0;
  for (const LimitCase& each : corpus().limits) {
    const std::string& id = each.header.id;
    if (!id.starts_with("limit/operation/")) continue;
    const std::string name = id.substr(0, id.rfind('/'));
    (each.refused ? refused : fits).insert(name);
    std::size_t classic = 0;
    for (const StackFilter& filter : each.filters) classic += filter.program.size() * filter.times;
    if (each.refused && classic <= kMaxInstructionsPerTask) ++unlike_classic;
  }
  EXPECT_EQ(fits, refused);
  EXPECT_GE(fits.size(), 41U);
  // Whoever counts classic instructions (gVisor) gets these wrong.
  EXPECT_GT(unlike_classic, 40U);
}

TEST(TheCorpus, has_every_action_in_all_surroundings) {
  using Around = std::tuple<std::uint32_t, bool, bool, bool, Sigsys>;
  std::set<Around> seen;
  for (const OutcomeCase& each : corpus().outcomes) {
    const Surroundings& around = each.around;
    seen.emplace(each.value & kActionMask, around.tracer, around.listener, around.only_thread,
                 each.sigsys);
  }
  std::vector<std::uint32_t> all = known_actions();
  std::ranges::copy(unknown_actions(), std::back_inserter(all));
  std::vector<std::string> missing;
  for (const std::uint32_t action : all) {
    for (unsigned bits = 0; bits < 8; ++bits) {
      for (const Sigsys sigsys : {Sigsys::Handled, Sigsys::Blocked, Sigsys::Ignored}) {
        if (!seen.contains(
                {action, (bits & 1U) != 0, (bits & 2U) != 0, (bits & 4U) != 0, sigsys})) {
          missing.push_back(action_slug(action));
        }
      }
    }
  }
  EXPECT_THAT(missing, IsEmpty());
  EXPECT_GE(unknown_actions().size(), 8U);
}

TEST(TheCorpus, has_every_action_beside_every_other_in_both_orders) {
  std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
  for (const StackCase& each : corpus().stacks) {
    if (each.filters.size() != 2 || each.filters[0].program.size() != 1 ||
        each.filters[1].program.size() != 1) {
      continue;
    }
    seen.emplace(each.filters[0].program[0].k & kActionMask,
                 each.filters[1].program[0].k & kActionMask);
  }
  std::vector<std::uint32_t> all = known_actions();
  std::ranges::copy(unknown_actions(), std::back_inserter(all));
  for (const std::uint32_t older : all) {
    for (const std::uint32_t newer : all) {
      EXPECT_TRUE(seen.contains({older, newer})) << hex(older) << " " << hex(newer);
    }
  }
}

TEST(TheCorpus, has_every_architecture) {
  std::set<Arch> seen;
  for_each_header([&](const Header& header) { seen.insert(header.kernel.arch); });
  EXPECT_EQ(seen.size(), arches().size());
}

TEST(TheCorpus, says_which_codes_are_accepted_as_the_tables_do) {
  std::vector<std::uint16_t> accepted;
  for (const OpcodeInfo& row : opcodes()) {
    if (row.acceptance == Acceptance::Seccomp) {
      accepted.push_back(static_cast<std::uint16_t>(row.opcode));
    }
  }
  for (const CodesCase& each : corpus().codes) {
    const bool last = each.at + 1 == each.program.size();
    EXPECT_EQ(each.accepted, last ? (std::vector<std::uint16_t>{0x06, 0x16}) : accepted)
        << each.header.id;
  }
}

TEST(TheCorpus, holds_every_vector_with_what_it_expects_itself) {
  std::set<std::string> files;
  for_each_header([&](const Header& header) {
    if (!header.id.starts_with("vector/")) return;
    const std::string rest = header.id.substr(7);
    files.insert(rest.substr(0, rest.find('/', rest.find('/') + 1)));
  });
  EXPECT_EQ(files.size(), embedded_vectors().size());
  EXPECT_GE(files.size(), 400U);
  for (const ValueCase& each : corpus().values) {
    if (each.header.id != "vector/run/division_by_x_zero_returns_0") continue;
    EXPECT_EQ(each.runs.front().value, 0U);
    return;
  }
  ADD_FAILURE() << "a vector that is known is not there";
}

TEST(Versions, are_those_at_which_the_answer_changes) {
  std::map<std::string, Versions> by_id;
  for_each_header([&](const Header& header) { by_id[header.id] = header.versions; });
  const auto expect = [&](const std::string& id, Version from, std::optional<Version> before) {
    ASSERT_TRUE(by_id.contains(id)) << id;
    EXPECT_EQ(by_id[id].from, from) << id;
    EXPECT_EQ(by_id[id].before, before) << id;
  };
  expect("check/shift/lsh-k/0x0000001f/reached", {3, 5, 0}, {});
  expect("check/shift/lsh-k/0x00000020/reached", {4, 5, 0}, {});
  expect("value/alu/xor-k/0x00000001", {3, 10, 0}, {});
  expect("value/alu/add-k/0x00000001", {3, 5, 0}, {});
  expect("outcome/data/errno/0x00001000", {4, 0, 0}, {});
  expect("outcome/data/errno/0x00000fff", {3, 5, 0}, {});
  expect("stack/pair/kill_process/kill_thread", {4, 14, 0}, {});
  expect("vector/check/shift_k_32_was_accepted_before_4_5", {3, 5, 0}, Version{4, 5, 0});
}

TEST(Filter, takes_parts_of_ids_and_patterns) {
  const auto ids = [](std::string_view pattern) {
    std::size_t cases = 0;
    for (const KindCount& each : counts(filtered(corpus(), pattern))) cases += each.cases;
    return cases;
  };
  EXPECT_EQ(ids("check/length/4097"), 1U);
  EXPECT_GT(ids("check/length/"), 10U);
  EXPECT_EQ(ids("check/length/409?"), 4U);
  EXPECT_EQ(ids("*/length/4096"), 2U);
  EXPECT_EQ(ids("length/4097*"), 0U);
  EXPECT_EQ(ids("*"), ids("/"));
  EXPECT_EQ(ids("no such thing"), 0U);
}

}  // namespace
}  // namespace callgate::corpus
