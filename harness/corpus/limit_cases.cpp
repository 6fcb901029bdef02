// How much a task may hold: to the instruction, for every operation.
#include <fmt/format.h>

#include "harness/corpus/parts.hpp"
#include "verifier/check.hpp"

namespace callgate::corpus {
namespace {

constexpr Instruction kAllow = {0x06, 0, 0, kAllowValue};
constexpr std::size_t kLarge = 7;  // filters of 4095 instructions that leave little room

Program loads(std::size_t count) {
  Program program(count, op(Opcode::LdImm, 1));
  program.push_back(kAllow);
  return program;
}

void add(Corpus& corpus, std::string id, std::string reason, std::vector<StackFilter> filters) {
  corpus.limits.push_back(
      {{"limit/" + std::move(id), std::move(reason), {}}, std::move(filters), 0, std::nullopt, {}});
}

std::size_t cost(const Program& program) {
  const auto checked = verifier::check(program, KernelModel{});
  return checked ? checked->limit_cost().as_new : 0;
}

}  // namespace

void add_limit_cases(Corpus& corpus) {
  for (const std::size_t count : {3640U, 3641U, 3642U}) {
    add(corpus, fmt::format("one-return/{}", count),
        "a filter of one return counts 5, and 4 more once it is attached", {{{kAllow}, count}});
  }
  for (const std::size_t count : {4034U, 4035U, 4036U}) {
    add(corpus, fmt::format("loads/{}", count),
        "seven filters of 4095 loads leave room for 4035 loads and a return",
        {{loads(4095), kLarge}, {loads(count)}});
  }
  // Each operation as often as fits behind the seven, and once more.
  std::size_t used = 0;
  for (std::size_t i = 0; i < kLarge; ++i) used += cost(loads(4095)) + 4;
  const std::size_t room = kMaxInstructionsPerTask - used;
  const auto fill = [&](const std::string& id, Instruction each) {
    const auto with = [&](std::size_t copies) {
      Program program = {op(Opcode::St, 4)};
      program.resize(1 + copies, each);
      program.push_back(kAllow);
      program.push_back(kAllow);
      return program;
    };
    std::size_t copies = 1;
    std::size_t too_many = kMaxProgramLength - 3;
    while (copies + 1 < too_many) {
      const std::size_t middle = (copies + too_many) / 2;
      (cost(with(middle)) <= room ? copies : too_many) = middle;
    }
    for (const std::size_t count : {copies, copies + 1}) {
      add(corpus, fmt::format("operation/{}/{}", id, count),
          "the limit counts instructions after conversion: what this one counts",
          {{loads(4095), kLarge}, {with(count)}});
    }
  };
  for (const OpcodeInfo& row : opcodes()) {
    if (row.acceptance != Acceptance::Seccomp) continue;
    const std::string name = slug(row);
    if (row.kind == OpcodeKind::Jump) {
      fill(name, op(row.opcode, 0));
      continue;
    }
    fill(name, op(row.opcode, row.operand == Operand::A ? 0 : 4));
    if (row.kind != OpcodeKind::Branch) continue;
    fill(name + "-jt", op(row.opcode, 4, 1, 0));
    fill(name + "-jf", op(row.opcode, 4, 0, 1));
    fill(name + "-both", op(row.opcode, 4, 1, 1));
    fill(name + "-negative", op(row.opcode, 0x80000000U));
    fill(name + "-negative-jt", op(row.opcode, 0xffffffffU, 1, 0));
    fill(name + "-negative-jf", op(row.opcode, 0x80000000U, 0, 1));
    fill(name + "-negative-both", op(row.opcode, 0xffffffffU, 1, 1));
  }
}

}  // namespace callgate::corpus
