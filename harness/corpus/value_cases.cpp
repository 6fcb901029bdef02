// What programs without jumps return: every operation with every edge, as input, as constant,
// beside every other operation, and on every architecture.
#include <fmt/format.h>

#include <algorithm>

#include "harness/corpus/parts.hpp"
#include "vm/arches.hpp"

namespace callgate::corpus {
namespace {

// A constant that every operation takes: a shift, a slot, an offset and a divisor.
constexpr std::uint32_t kPlainK = 4;
constexpr std::uint32_t kNoise = 0xdeadbeefU;

class Maker {
 public:
  explicit Maker(Corpus& corpus) : corpus_(corpus) {}

  void add(std::string id, std::string reason, Program program, std::vector<SeccompData> inputs,
           Arch arch = Arch::X86_64) {
    ValueCase made{
        {"value/" + std::move(id), std::move(reason), {.arch = arch}}, std::move(program), {}};
    for (SeccompData& input : inputs) {
      if (arch != Arch::X86_64) input.arch = info(arch).token;
      made.runs.push_back({input});
    }
    corpus_.values.push_back(std::move(made));
  }

 private:
  Corpus& corpus_;
};

std::vector<SeccompData> edge_inputs() {
  std::vector<SeccompData> inputs;
  for (const std::uint32_t edge : kEdges) inputs.push_back(call_with(edge));
  return inputs;
}

bool takes(const OpcodeInfo& row, std::uint32_t k) {
  switch (row.k_rule) {
    case KRule::Any:
      return true;
    case KRule::NonZero:
      return k != 0;
    case KRule::Shift:
      return k < 32;
    case KRule::Slot:
      return k < kMemoryWords;
    case KRule::DataOffset:
      return k < kSeccompDataSize && k % 4 == 0;
    case KRule::Target:
      return false;
  }
  return false;
}

bool accepted(const OpcodeInfo& row) { return row.acceptance == Acceptance::Seccomp; }

bool is_alu(const OpcodeInfo& row, Operand operand) {
  return accepted(row) && row.kind == OpcodeKind::Alu && row.operand == operand;
}

void arithmetic(Maker& make) {
  const Instruction argument = op(Opcode::LdAbs, kArgument0);
  for (const OpcodeInfo& row : opcodes()) {
    const std::string name = slug(row);
    if (is_alu(row, Operand::K)) {
      std::vector<std::uint32_t> constants(kEdges.begin(), kEdges.end());
      if (row.k_rule == KRule::Shift) {
        constants.clear();
        for (std::uint32_t k = 0; k < 32; ++k) constants.push_back(k);
      }
      for (const std::uint32_t k : constants) {
        if (!takes(row, k)) continue;
        make.add(fmt::format("alu/{}/{}", name, hex(k)),
                 fmt::format("A {} the constant {}, all 32 bits of the result", row.mnemonic, k),
                 {argument, op(row.opcode, k), ret_a()}, edge_inputs());
      }
      for (const std::uint32_t a : kPairEdges) {
        for (const std::uint32_t k : kPairEdges) {
          if (!takes(row, k)) continue;
          make.add(fmt::format("const/{}/{}/{}", name, hex(a), hex(k)),
                   fmt::format("{} of two constants: what a constant folder must get right",
                               row.mnemonic),
                   {op(Opcode::LdImm, a), op(row.opcode, k), ret_a()}, {plain_call()});
        }
      }
    }
    if (is_alu(row, Operand::X)) {
      for (const std::uint32_t x : kEdges) {
        make.add(fmt::format("alu/{}/{}", name, hex(x)),
                 x == 0 && row.opcode == Opcode::DivX
                     ? std::string("division by X = 0 ends the program with 0, and is no fault")
                     : fmt::format("A {} X, X = {}", row.mnemonic, x),
                 {op(Opcode::LdxImm, x), argument, op(row.opcode), ret_a()}, edge_inputs());
      }
      for (const std::uint32_t a : kPairEdges) {
        for (const std::uint32_t x : kPairEdges) {
          make.add(fmt::format("const/{}/{}/{}", name, hex(a), hex(x)),
                   fmt::format("{} of two constants in registers", row.mnemonic),
                   {op(Opcode::LdImm, a), op(Opcode::LdxImm, x), op(row.opcode), ret_a()},
                   {plain_call()});
        }
      }
    }
  }
  make.add("alu/neg/argument", "negation modulo 2^32", {argument, op(Opcode::Neg), ret_a()},
           edge_inputs());
  for (const std::uint32_t a : kEdges) {
    make.add("const/neg/" + hex(a), "negation of a constant",
             {op(Opcode::LdImm, a), op(Opcode::Neg), ret_a()}, {plain_call()});
  }
  make.add("alu/div-x/zero-ends-the-program",
           "division by X = 0 returns 0 at once: what would allow is never reached",
           {op(Opcode::LdxImm, 0), argument, op(Opcode::DivX), ret(kAllowValue)}, edge_inputs());
  make.add("alu/div-x/x-from-the-input",
           "X = 0 ends the program, any other X does not: the divisor is known at run time alone",
           {argument, op(Opcode::Tax), op(Opcode::LdImm, 0x80000001U), op(Opcode::DivX), ret_a()},
           edge_inputs());
}

void constants_and_copies(Maker& make) {
  for (const std::uint32_t k : kEdges) {
    make.add("imm/ld/" + hex(k), "a constant in A", {op(Opcode::LdImm, k), ret_a()},
             {plain_call()});
    make.add("imm/ldx/" + hex(k), "a constant in X",
             {op(Opcode::LdxImm, k), op(Opcode::Txa), ret_a()}, {plain_call()});
    make.add("len/ld/" + hex(k), "len is 64, whatever k holds", {op(Opcode::LdLen, k), ret_a()},
             {plain_call()});
    make.add("len/ldx/" + hex(k), "len in X is 64, and A stays",
             {op(Opcode::LdImm, k), op(Opcode::LdxLen, k), op(Opcode::AddX), ret_a()},
             {plain_call()});
    make.add("ret/k/" + hex(k), "all 32 bits of a returned constant", {ret(k)}, {plain_call()});
    make.add("ret/a-not-k/" + hex(k), "ret a returns A, and its k is not looked at",
             {op(Opcode::LdImm, 0x00050007U), op(Opcode::RetA, k)}, {plain_call()});
    make.add("copy/tax/" + hex(k), "tax copies A to X, not the other way",
             {op(Opcode::LdxImm, kNoise), op(Opcode::LdImm, k), op(Opcode::Tax),
              op(Opcode::LdImm, 3), op(Opcode::AddX), ret_a()},
             {plain_call()});
    make.add("copy/txa/" + hex(k), "txa copies X to A, not the other way",
             {op(Opcode::LdImm, kNoise), op(Opcode::LdxImm, k), op(Opcode::Txa), op(Opcode::AddX),
              ret_a()},
             {plain_call()});
  }
  std::vector<std::uint32_t> results = known_actions();
  std::ranges::copy(unknown_actions(), std::back_inserter(results));
  for (const std::uint32_t action : results) {
    for (const std::uint32_t data : {0U, 1U, 4095U, 4096U, 0xffffU}) {
      make.add("ret/action/" + hex(action | data), "a result is returned as it is, known or not",
               {ret(action | data)}, {plain_call()});
    }
  }
  make.add("ret/a/argument", "ret a returns all 32 bits of A",
           {op(Opcode::LdAbs, kArgument0), ret_a()}, edge_inputs());
}

void loads(Maker& make) {
  std::vector<SeccompData> inputs = {plain_call()};
  SeccompData ones{.nr = -1, .arch = info(Arch::X86_64).token, .instruction_pointer = 0x10002};
  ones.args.fill(~std::uint64_t{0});
  inputs.push_back(ones);
  SeccompData i386{.nr = 20, .arch = info(Arch::X86).token, .instruction_pointer = 0x123456001U};
  i386.args = {1, 0xdead0001deadbeefU, 0xffffffffU, 0x80000000U, 0x7fffffffffffffffU, 6};
  inputs.push_back(i386);
  SeccompData x32 = plain_call();
  x32.nr = 0x4000006e;
  inputs.push_back(x32);
  for (std::uint32_t offset = 0; offset < kSeccompDataSize; offset += 4) {
    make.add(fmt::format("load/{:02}", offset),
             fmt::format("the word at offset {}, in the machine's byte order", offset),
             {op(Opcode::LdAbs, offset), ret_a()}, inputs);
    make.add(fmt::format("load/{:02}/to-x", offset), "a loaded word in X",
             {op(Opcode::LdAbs, offset), op(Opcode::Tax), op(Opcode::LdImm, 0), op(Opcode::AddX),
              ret_a()},
             inputs);
    for (const ArchInfo& arch : arches()) {
      make.add(fmt::format("load/{:02}/{}", offset, arch.name),
               arch.byte_order == ByteOrder::Big
                   ? "big-endian: the high half of a 64-bit field comes first"
                   : "little-endian: the low half of a 64-bit field comes first",
               {op(Opcode::LdAbs, offset), ret_a()}, {plain_call()}, arch.arch);
    }
  }
}

void memory(Maker& make) {
  for (std::uint32_t slot = 0; slot < kMemoryWords; ++slot) {
    for (const Opcode store : {Opcode::St, Opcode::Stx}) {
      for (const Opcode load : {Opcode::LdMem, Opcode::LdxMem}) {
        Program program = {
            op(Opcode::LdAbs, kArgument0), op(Opcode::LdxImm, 0x00c0ffeeU), op(store, slot),
            op(Opcode::LdImm, 5),          op(Opcode::LdxImm, 7),           op(load, slot)};
        if (load == Opcode::LdxMem) program.push_back(op(Opcode::Txa));
        program.push_back(ret_a());
        make.add(fmt::format("memory/{}-{}/{:02}", slug(row_of(store)), slug(row_of(load)), slot),
                 fmt::format("{} keeps {}, {} brings it back to {}", slug(row_of(store)),
                             store == Opcode::St ? 'A' : 'X', slug(row_of(load)),
                             load == Opcode::LdMem ? 'A' : 'X'),
                 program, {call_with(0x80000001U), call_with(0)});
      }
    }
    Program all;
    for (std::uint32_t each = 0; each < kMemoryWords; ++each) {
      all.push_back(op(Opcode::LdImm, 0x01010101U * (each + 1)));
      all.push_back(op(Opcode::St, each));
    }
    all.push_back(op(Opcode::LdMem, slot));
    all.push_back(ret_a());
    make.add(fmt::format("memory/apart/{:02}", slot), "the 16 slots are 16 different words", all,
             {plain_call()});
  }
}

// After each operation: A, X and a slot that it has no business with.
void effects(Maker& make) {
  for (const OpcodeInfo& row : opcodes()) {
    if (!accepted(row) || row.kind == OpcodeKind::Return) continue;
    const std::string name = slug(row);
    const bool jumps = row.kind == OpcodeKind::Jump;
    const std::uint32_t k = jumps ? 0 : kPlainK;
    const Program before = {
        op(Opcode::LdImm, 0x89abcdefU), op(Opcode::St, kPlainK),       op(Opcode::St, 3),
        op(Opcode::LdxImm, 5),          op(Opcode::LdAbs, kArgument0), op(row.opcode, k)};
    const auto with = [&](std::initializer_list<Instruction> tail) {
      Program program = before;
      program.insert(program.end(), tail);
      return program;
    };
    const std::vector<SeccompData> inputs = {call_with(0), call_with(0x80000007U)};
    make.add("effect/" + name + "/on-a", name + ": what A holds after it", with({ret_a()}), inputs);
    make.add("effect/" + name + "/on-x", name + ": what X holds after it",
             with({op(Opcode::Txa), ret_a()}), inputs);
    make.add("effect/" + name + "/on-its-slot", name + ": what the slot of its k holds after it",
             with({op(Opcode::LdMem, kPlainK), ret_a()}), inputs);
    make.add("effect/" + name + "/on-another-slot", name + ": other slots stay",
             with({op(Opcode::LdMem, 3), ret_a()}), inputs);
    if (row.operand != Operand::Memory || row.kind == OpcodeKind::Store ||
        row.kind == OpcodeKind::StoreX) {
      make.add("initial/" + name + "/a", name + " first of all: A and X start at 0",
               {op(row.opcode, k), ret_a()}, {plain_call()});
      make.add("initial/" + name + "/x", name + " first of all: what is in X then",
               {op(row.opcode, k), op(Opcode::Txa), ret_a()}, {plain_call()});
    }
    if (row.kind == OpcodeKind::Branch) continue;  // uses jt and jf
    Program garbage = before;
    garbage.back().jt = 255;
    garbage.back().jf = 254;
    const bool uses_k = row.operand == Operand::K || row.operand == Operand::Memory ||
                        row.operand == Operand::Data || jumps;
    if (!uses_k) garbage.back().k = kNoise;
    garbage.push_back(op(Opcode::AddX));
    garbage.push_back(ret_a());
    make.add("unused/" + name, name + ": fields that it does not use may hold anything", garbage,
             inputs);
  }
}

// Each operation after each other, so that whoever fuses, folds or reorders is seen.
void pairs(Maker& make) {
  const auto placed = [](const OpcodeInfo& row) {
    if (row.kind == OpcodeKind::Jump) return op(row.opcode, 1);
    if (row.kind == OpcodeKind::Branch) return op(row.opcode, kPlainK, 1, 0);
    return op(row.opcode, kPlainK);
  };
  for (const OpcodeInfo& first : opcodes()) {
    if (!accepted(first) || first.kind == OpcodeKind::Return) continue;
    for (const OpcodeInfo& second : opcodes()) {
      if (!accepted(second) || second.kind == OpcodeKind::Return) continue;
      make.add(
          fmt::format("pair/{}/{}", slug(first), slug(second)),
          fmt::format("{}, then {}: A and X together", slug(first), slug(second)),
          {op(Opcode::LdImm, 0x89abcdefU), op(Opcode::St, kPlainK), op(Opcode::LdAbs, kArgument1),
           op(Opcode::Tax), op(Opcode::LdAbs, kArgument0), placed(first), placed(second),
           op(Opcode::MulK, 0x9e3779b1U), op(Opcode::XorX), ret_a()},
          {plain_call(), call_with(0), call_with(kPlainK)});
    }
  }
}

void shifts_of_architectures(Maker& make) {
  for (const ArchInfo& arch : arches()) {
    for (const Opcode shift : {Opcode::LshX, Opcode::RshX}) {
      for (const std::uint32_t x :
           {0U, 1U, 31U, 32U, 33U, 63U, 64U, 65U, 255U, 256U, 0xffffffffU}) {
        make.add(fmt::format("shift/{}/{}/{}", arch.name, slug(row_of(shift)), hex(x)),
                 "a shift by a register of 32 and more is the architecture's own: masked, or 0",
                 {op(Opcode::LdxImm, x), op(Opcode::LdImm, 0xc0000003U), op(shift), ret_a()},
                 {plain_call()}, arch.arch);
      }
    }
  }
}

void longest(Maker& make) {
  for (const std::size_t length : {std::size_t{2}, std::size_t{257}, kMaxProgramLength}) {
    Program program(length - 1, op(Opcode::AddK, 3));
    program.push_back(ret_a());
    make.add(fmt::format("length/{}", length),
             fmt::format("a program of {} instructions runs to its end", length), program,
             {plain_call()});
  }
}

}  // namespace

void add_value_cases(Corpus& corpus) {
  Maker make(corpus);
  arithmetic(make);
  constants_and_copies(make);
  loads(make);
  memory(make);
  effects(make);
  pairs(make);
  shifts_of_architectures(make);
  longest(make);
}

}  // namespace callgate::corpus
