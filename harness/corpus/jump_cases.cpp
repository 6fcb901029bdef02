// Where jumps go: every test with every edge, and every distance at its limits.
#include <fmt/format.h>

#include "harness/corpus/parts.hpp"

namespace callgate::corpus {
namespace {

constexpr std::uint32_t kTrue = 0x00050001U;
constexpr std::uint32_t kFalse = 0x00050002U;
constexpr std::uint32_t kNever = 0x00050003U;

std::vector<ValueRun> edge_runs() {
  std::vector<ValueRun> runs;
  for (const std::uint32_t edge : kEdges) runs.push_back({call_with(edge)});
  return runs;
}

void tests_of(const OpcodeInfo& row, Corpus& corpus) {
  const std::string name = slug(row);
  const bool by_x = row.operand == Operand::X;
  const auto test = [&](std::uint32_t word) { return op(row.opcode, by_x ? 0 : word, 0, 1); };
  for (const std::uint32_t word : kEdges) {
    Program program;
    if (by_x) program.push_back(op(Opcode::LdxImm, word));
    program.insert(program.end(),
                   {op(Opcode::LdAbs, kArgument0), test(word), ret(kTrue), ret(kFalse)});
    corpus.values.push_back({{fmt::format("value/test/{}/{}", name, hex(word)),
                              fmt::format("{} of an argument and {}, unsigned", row.mnemonic, word),
                              {}},
                             std::move(program),
                             edge_runs()});
  }
  for (const std::uint32_t a : kPairEdges) {
    for (const std::uint32_t word : kPairEdges) {
      Program program = {op(Opcode::LdImm, a)};
      if (by_x) program.push_back(op(Opcode::LdxImm, word));
      program.insert(program.end(), {test(word), ret(kTrue), ret(kFalse)});
      corpus.values.push_back({{fmt::format("value/const/{}/{}/{}", name, hex(a), hex(word)),
                                fmt::format("{} of two constants, unsigned", row.mnemonic),
                                {}},
                               std::move(program),
                               {{plain_call()}}});
    }
  }
}

void distances_of(const OpcodeInfo& row, Corpus& corpus) {
  for (const std::uint8_t distance :
       {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{127}, std::uint8_t{128},
        std::uint8_t{254}, std::uint8_t{255}}) {
    for (const bool if_true : {true, false}) {
      const Instruction branch =
          if_true ? op(row.opcode, 1, distance, 0) : op(row.opcode, 1, 0, distance);
      Program program = {op(Opcode::LdxImm, 1), op(Opcode::LdAbs, kArgument0), branch};
      if (distance > 0) program.push_back(ret(kFalse));
      for (int i = 1; i < distance; ++i) program.push_back(ret(kNever));
      program.push_back(ret(kTrue));
      program.push_back(ret(kNever));
      corpus.values.push_back(
          {{fmt::format("value/distance/{}/{}-{}", slug(row), if_true ? "jt" : "jf", distance),
            fmt::format("a branch skips exactly {} instructions; distances are unsigned", distance),
            {}},
           std::move(program),
           {{call_with(0)}, {call_with(1)}, {call_with(2)}, {call_with(0xffffffffU)}}});
    }
  }
}

}  // namespace

void add_jump_cases(Corpus& corpus) {
  for (const OpcodeInfo& row : opcodes()) {
    if (row.kind != OpcodeKind::Branch) continue;
    tests_of(row, corpus);
    distances_of(row, corpus);
  }
  for (const std::uint32_t distance : {0U, 1U, 2U, 127U, 128U, 255U, 256U, 257U, 4093U, 4094U}) {
    Program program = {op(Opcode::Ja, distance)};
    for (std::uint32_t i = 0; i < distance; ++i) program.push_back(ret(kNever));
    program.push_back(ret(kTrue));
    corpus.values.push_back({{fmt::format("value/distance/ja/{}", distance),
                              fmt::format("ja skips exactly {} instructions", distance),
                              {}},
                             std::move(program),
                             {{plain_call()}}});
  }
}

}  // namespace callgate::corpus
