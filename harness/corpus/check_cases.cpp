// The checker's rules for single instructions and whole programs, from both sides.
#include <fmt/format.h>

#include "harness/corpus/parts.hpp"

namespace callgate::corpus {
namespace {

constexpr Instruction kAllow = {0x06, 0, 0, kAllowValue};

class Maker {
 public:
  explicit Maker(Corpus& corpus) : corpus_(corpus) {}

  // Whether it is accepted is left to the checker.
  void add(const std::string& id, std::string reason, Program program,
           const std::string& neighbour = {}) {
    corpus_.checks.push_back(check_case(id, std::move(reason), std::move(program), neighbour));
  }

 private:
  Corpus& corpus_;
};

// The instruction reached, jumped over, and after a return: the checker looks at all the same.
void everywhere(Maker& make, const std::string& id, const std::string& reason, Instruction each,
                const std::string& neighbour) {
  const auto beside = [&](std::string_view place) {
    return neighbour.empty() ? std::string() : neighbour + "/" + std::string(place);
  };
  make.add(id + "/reached", reason, {each, kAllow}, beside("reached"));
  make.add(id + "/jumped-over", reason + ", though it never runs",
           {op(Opcode::Ja, 1), each, kAllow}, beside("jumped-over"));
  make.add(id + "/after-return", reason + ", though it stands after a return",
           {kAllow, each, kAllow}, beside("after-return"));
}

void codes(Maker& make) {
  // K 4 suits every operation but a load of a slot (stored before) and a jump (room behind).
  const auto program = [](std::uint32_t code) {
    return Program{op(Opcode::St, 4),
                   {static_cast<std::uint16_t>(code), 0, 0, 4},
                   kAllow,
                   kAllow,
                   kAllow,
                   kAllow,
                   kAllow};
  };
  for (std::uint32_t code = 0; code < 256; ++code) {
    const OpcodeInfo* const row = find_opcode(static_cast<std::uint16_t>(code));
    make.add(fmt::format("code/0x{:04x}", code),
             row == nullptr ? "a code that is no instruction of classic BPF"
             : row->acceptance == Acceptance::Seccomp
                 ? "a code that seccomp takes: " + slug(*row)
                 : "a code for socket filters alone: " + slug(*row),
             program(code),
             row == nullptr || row->acceptance != Acceptance::Seccomp ? std::string("code/0x0000")
                                                                      : std::string());
  }
  for (const OpcodeInfo& row : opcodes()) {
    const auto code = static_cast<std::uint32_t>(row.opcode);
    for (std::uint32_t bit = 8; bit < 16; ++bit) {
      make.add(fmt::format("code/0x{:04x}", code | 1U << bit),
               fmt::format("all 16 bits of a code count: {} with bit {} set", slug(row), bit),
               program(code | 1U << bit),
               row.acceptance == Acceptance::Seccomp ? fmt::format("code/0x{:04x}", code)
                                                     : std::string("code/0x0000"));
    }
    make.add("last/" + slug(row),
             row.kind == OpcodeKind::Return ? "a program may end so"
                                            : "only ret #k and ret a end a program",
             {op(Opcode::St, 4), op(row.opcode, 4)},
             row.kind == OpcodeKind::Return ? std::string() : std::string("last/ret-k"));
    make.add(
        "last/" + slug(row) + "/never-reached",
        "what the last instruction is counts even where it is never reached",
        {op(Opcode::St, 4), kAllow, op(row.opcode, 4)},
        row.kind == OpcodeKind::Return ? std::string() : std::string("last/ret-k/never-reached"));
    if (row.acceptance == Acceptance::ClassicOnly) {
      everywhere(make, "classic-only/" + slug(row), "for socket filters alone", op(row.opcode, 4),
                 "classic-only/none");
    }
  }
  everywhere(make, "classic-only/none", "ld #4 in the place of a classic code",
             op(Opcode::LdImm, 4), {});
  for (const std::uint16_t code :
       {std::uint16_t{0x21}, std::uint16_t{0x0e}, std::uint16_t{0x8c}, std::uint16_t{0x0d},
        std::uint16_t{0xff}, std::uint16_t{0x0106}}) {
    everywhere(make, fmt::format("no-instruction/0x{:04x}", code), "no instruction at all",
               {code, 0, 0, 4}, "classic-only/none");
  }
}

void constants(Maker& make) {
  for (const OpcodeInfo& row : opcodes()) {
    const std::string name = slug(row);
    if (row.acceptance == Acceptance::ClassicOnly) continue;
    if (row.k_rule == KRule::NonZero) {
      for (const std::uint32_t k : kEdges) {
        everywhere(make, fmt::format("divisor/{}/{}", name, hex(k)),
                   k == 0 ? "division by the constant 0 is refused" : "any other divisor is taken",
                   op(row.opcode, k),
                   k == 0 ? fmt::format("divisor/{}/{}", name, hex(1)) : std::string());
      }
    }
    if (row.k_rule == KRule::Shift) {
      for (std::uint32_t k = 0; k < 34; ++k) {
        everywhere(make, fmt::format("shift/{}/{}", name, hex(k)),
                   k < 32 ? "a shift by a constant below 32" : "a shift by 32 and more is refused",
                   op(row.opcode, k),
                   k < 32 ? std::string() : fmt::format("shift/{}/{}", name, hex(31)));
      }
      for (const std::uint32_t k :
           {63U, 64U, 255U, 256U, 0x10000U, 0x7fffffffU, 0x80000000U, 0xffffffe0U, 0xffffffffU}) {
        everywhere(make, fmt::format("shift/{}/{}", name, hex(k)),
                   "all 32 bits of a shift's constant count", op(row.opcode, k),
                   fmt::format("shift/{}/{}", name, hex(31)));
      }
    }
    if (row.k_rule == KRule::Slot) {
      const bool store = row.kind == OpcodeKind::Store || row.kind == OpcodeKind::StoreX;
      for (const std::uint32_t k :
           {0U,  1U,  2U,   3U,   4U,       5U,          6U,          7U,          8U,
            9U,  10U, 11U,  12U,  13U,      14U,         15U,         16U,         17U,
            31U, 32U, 255U, 256U, 0x10000U, 0x7fffffffU, 0x80000000U, 0xfffffff0U, 0xffffffffU}) {
        Program program = {op(row.opcode, k), kAllow};
        if (!store) program.insert(program.begin(), op(Opcode::St, k % kMemoryWords));
        make.add(fmt::format("slot/{}/{}", name, hex(k)),
                 k < kMemoryWords ? "slots are numbered from 0 to 15"
                                  : "there is no slot 16, and all 32 bits count",
                 program,
                 k < kMemoryWords ? std::string() : fmt::format("slot/{}/{}", name, hex(15)));
      }
    }
    if (row.k_rule == KRule::DataOffset) {
      std::vector<std::uint32_t> offsets;
      for (std::uint32_t k = 0; k <= 72; ++k) offsets.push_back(k);
      // Among them the places where socket filters find other things: -0x1000, -0x100000,
      // -0x200000.
      for (const std::uint32_t k :
           {255U, 256U, 0x10000U, 0x7ffffffcU, 0x80000000U, 0xffe00000U, 0xfff00000U, 0xffffefffU,
            0xfffff000U, 0xfffff004U, 0xfffff03cU, 0xfffffffcU, 0xffffffffU}) {
        offsets.push_back(k);
      }
      for (const std::uint32_t k : offsets) {
        const bool taken = k < kSeccompDataSize && k % 4 == 0;
        make.add(
            fmt::format("offset/{}/{}", name, hex(k)),
            taken ? "a word of seccomp_data"
                  : (k < kSeccompDataSize ? "loads are aligned to 4 bytes"
                                          : "seccomp_data has 64 bytes"),
            {op(row.opcode, k), kAllow},
            taken ? std::string() : fmt::format("offset/{}/{}", name, hex(k < 64 ? k & ~3U : 60)));
      }
    }
  }
}

void lengths(Maker& make) {
  make.add("length/0", "no instructions at all", {}, "length/1");
  for (const std::size_t length :
       {1U, 2U, 3U, 255U, 256U, 257U, 4095U, 4096U, 4097U, 4098U, 8192U, 65535U}) {
    Program program(length - 1, op(Opcode::LdImm, 1));
    program.push_back(kAllow);
    make.add(fmt::format("length/{}", length),
             length <= kMaxProgramLength ? "from 1 to 4096 instructions"
                                         : "4096 instructions are the most",
             program, length <= kMaxProgramLength ? std::string() : std::string("length/4096"));
  }
}

void unused_fields(Maker& make) {
  for (const OpcodeInfo& row : opcodes()) {
    if (row.acceptance == Acceptance::ClassicOnly || row.kind == OpcodeKind::Branch) continue;
    const std::uint32_t k = row.kind == OpcodeKind::Jump ? 0 : 4;
    make.add("unused/" + slug(row) + "/jt-jf", "jt and jf of what is no branch are not looked at",
             {op(Opcode::St, 4), op(row.opcode, k, 255, 255), kAllow});
    if (row.k_rule != KRule::Any || row.operand == Operand::K) continue;
    make.add("unused/" + slug(row) + "/k", "k is not looked at where it is not used",
             {op(Opcode::St, 4), op(row.opcode, 0xffffffffU), kAllow});
  }
}

}  // namespace

void add_check_cases(Corpus& corpus) {
  Maker make(corpus);
  codes(make);
  constants(make);
  lengths(make);
  unused_fields(make);
  corpus.codes.push_back(
      {.header = {"codes/in-the-middle",
                  "of all 65,536 codes in the middle of a program, these are accepted",
                  {}},
       .program = {op(Opcode::St, 4), {0, 0, 0, 4}, kAllow, kAllow, kAllow, kAllow, kAllow},
       .at = 1,
       .accepted = {}});
  corpus.codes.push_back(
      {.header = {"codes/never-reached", "the same where the instruction is jumped over", {}},
       .program = {op(Opcode::St, 4),
                   op(Opcode::Ja, 1),
                   {0, 0, 0, 4},
                   kAllow,
                   kAllow,
                   kAllow,
                   kAllow,
                   kAllow},
       .at = 2,
       .accepted = {}});
  corpus.codes.push_back({.header = {"codes/in-the-last-place",
                                     "of all 65,536 codes in the last place, these are accepted",
                                     {}},
                          .program = {op(Opcode::St, 4), {0, 0, 0, 4}},
                          .at = 1,
                          .accepted = {}});
}

}  // namespace callgate::corpus
