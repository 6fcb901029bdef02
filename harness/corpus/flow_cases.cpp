// The checker's rules for jumps and for slots, from both sides.
#include <fmt/format.h>

#include "harness/corpus/parts.hpp"

namespace callgate::corpus {
namespace {

constexpr Instruction kAllow = {0x06, 0, 0, kAllowValue};

void add(Corpus& corpus, const std::string& id, std::string reason, Program program,
         const std::string& neighbour = {}) {
  corpus.checks.push_back(check_case(id, std::move(reason), std::move(program), neighbour));
}

// `first`, and so many returns behind it.
Program before_returns(Instruction first, std::size_t returns) {
  Program program = {first};
  program.resize(1 + returns, kAllow);
  return program;
}

void jumps(Corpus& corpus) {
  for (const std::uint32_t behind : {1U, 2U, 3U, 254U, 255U, 256U, 257U, 4095U}) {
    const auto jump = [&](std::uint32_t k) { return before_returns(op(Opcode::Ja, k), behind); };
    const std::string id = fmt::format("ja/{}-behind/", behind);
    const std::string neighbour = fmt::format("{}{}", id, hex(behind - 1));
    add(corpus, neighbour, "ja to the last instruction", jump(behind - 1));
    add(corpus, id + hex(behind), "ja to the end is beyond it", jump(behind), neighbour);
    add(corpus, id + hex(behind + 1), "ja beyond the end", jump(behind + 1), neighbour);
    for (const std::uint32_t k : {0x7fffffffU, 0x80000000U, 0xfffffffeU, 0xffffffffU}) {
      add(corpus, id + hex(k), "ja goes forward only: its 32 bits do not wrap", jump(k), neighbour);
    }
    if (behind > 1) add(corpus, id + hex(0), "ja over nothing", jump(0));
  }
  add(corpus, "ja/last", "ja 0 in the last place has nowhere to go", {kAllow, op(Opcode::Ja, 0)},
      "ja/1-behind/" + hex(0));
}

void branches(Corpus& corpus) {
  for (const OpcodeInfo& row : opcodes()) {
    if (row.kind != OpcodeKind::Branch) continue;
    for (const std::uint32_t behind : {1U, 2U, 127U, 128U, 129U, 254U, 255U, 256U, 257U}) {
      for (const std::uint32_t distance : {behind - 1, behind, behind + 1}) {
        if (distance > 255) continue;
        const auto far = static_cast<std::uint8_t>(distance);
        const std::string id = fmt::format("branch/{}/{}-behind/", slug(row), behind);
        const bool fits = distance < behind;
        const auto named = [&](std::string_view side) {
          return fmt::format("{}{}-{}", id, side, distance);
        };
        const auto near = [&](std::string_view side) {
          return fits ? std::string() : fmt::format("{}{}-{}", id, side, behind - 1);
        };
        const char* const reason = fits ? "a side that leads to the last instruction at most"
                                        : "a side beyond the end, taken or not";
        add(corpus, named("jt"), reason, before_returns(op(row.opcode, 7, far, 0), behind),
            near("jt"));
        add(corpus, named("jf"), reason, before_returns(op(row.opcode, 7, 0, far), behind),
            near("jf"));
        add(corpus, named("both"), reason, before_returns(op(row.opcode, 7, far, far), behind),
            near("both"));
      }
    }
    add(corpus, "branch/" + slug(row) + "/last", "a branch in the last place",
        {kAllow, op(row.opcode, 7)}, "branch/" + slug(row) + "/1-behind/jt-0");
  }
}

// A way to a load of a slot; `stored` says whether the kernel's one pass sees a store on it.
struct Way {
  std::string_view name;
  std::string_view reason;
  std::string_view neighbour;
  Program (*program)(Instruction store, Instruction load);
};

constexpr Way kWays[] = {
    {"store-before", "stored before it is loaded", "",
     [](Instruction store, Instruction load) { return Program{store, load, kAllow}; }},
    {"no-store", "never stored", "store-before",
     [](Instruction, Instruction load) { return Program{op(Opcode::LdImm), load, kAllow}; }},
    {"store-after", "stored too late", "store-before",
     [](Instruction store, Instruction load) { return Program{load, store, kAllow}; }},
    {"other-slot", "another slot is stored", "store-before",
     [](Instruction store, Instruction load) {
       store.k = (store.k + 1) % kMemoryWords;
       return Program{store, load, kAllow};
     }},
    {"both-sides", "stored on both sides of a branch", "",
     [](Instruction store, Instruction load) {
       return Program{op(Opcode::JeqK, 7, 0, 2), store, op(Opcode::Ja, 1), store, load, kAllow};
     }},
    {"true-side-alone", "stored on the true side alone", "both-sides",
     [](Instruction store, Instruction load) {
       return Program{op(Opcode::JeqK, 7, 0, 2), store, op(Opcode::Ja, 1),
                      op(Opcode::LdImm),         load,  kAllow};
     }},
    {"false-side-alone", "stored on the false side alone", "both-sides",
     [](Instruction store, Instruction load) {
       return Program{
           op(Opcode::JeqK, 7, 0, 2), op(Opcode::LdImm), op(Opcode::Ja, 1), store, load, kAllow};
     }},
    {"before-branch", "stored before a branch: it holds on both sides", "",
     [](Instruction store, Instruction load) {
       return Program{store, op(Opcode::JeqK, 7, 0, 1), load, load, kAllow};
     }},
    {"jumped-over", "the store is jumped over", "before-jump",
     [](Instruction store, Instruction load) {
       return Program{op(Opcode::Ja, 1), store, load, kAllow};
     }},
    {"before-jump", "stored before a jump: it holds at its target", "",
     [](Instruction store, Instruction load) {
       return Program{store, op(Opcode::Ja, 1), kAllow, load, kAllow};
     }},
    {"dead-after-jump", "dead code after a jump may load anything", "",
     [](Instruction, Instruction load) { return Program{op(Opcode::Ja, 1), load, kAllow}; }},
    {"dead-after-return", "code after a return is looked at as if the return fell through",
     "stored-then-return",
     [](Instruction, Instruction load) { return Program{kAllow, load, kAllow}; }},
    {"stored-then-return", "stores flow on past a return", "",
     [](Instruction store, Instruction load) { return Program{store, kAllow, load, kAllow}; }},
    {"return-on-the-way", "a sound program is refused where a return stands before the load",
     "return-elsewhere",
     [](Instruction store, Instruction load) {
       return Program{op(Opcode::JeqK, 7, 0, 2), store, op(Opcode::Ja, 1), kAllow, load, kAllow};
     }},
    {"return-elsewhere", "the same program with its return at the end is accepted", "",
     [](Instruction store, Instruction load) {
       return Program{op(Opcode::JeqK, 7, 0, 3), store, load, kAllow, kAllow};
     }},
    {"three-ways", "three ways meet, and one lacks the store", "three-ways-stored",
     [](Instruction store, Instruction load) {
       return Program{op(Opcode::JeqK, 1, 0, 2), store, op(Opcode::Ja, 4),
                      op(Opcode::JeqK, 2, 0, 2), store, op(Opcode::Ja, 1),
                      op(Opcode::LdImm),         load,  kAllow};
     }},
    {"three-ways-stored", "three ways meet, and all have the store", "",
     [](Instruction store, Instruction load) {
       return Program{op(Opcode::JeqK, 1, 0, 2),
                      store,
                      op(Opcode::Ja, 4),
                      op(Opcode::JeqK, 2, 0, 2),
                      store,
                      op(Opcode::Ja, 1),
                      store,
                      load,
                      kAllow};
     }},
    {"dead-store-at-a-join", "a store in dead code does not help where a jump arrives",
     "before-jump",
     [](Instruction store, Instruction load) {
       return Program{op(Opcode::Ja, 2), op(Opcode::LdImm), store, load, kAllow};
     }},
};

void slots(Corpus& corpus) {
  for (const Opcode store : {Opcode::St, Opcode::Stx}) {
    for (const Opcode load : {Opcode::LdMem, Opcode::LdxMem}) {
      for (std::uint32_t slot = 0; slot < kMemoryWords; ++slot) {
        const std::string id =
            fmt::format("flow/{}-{}/{:02}/", slug(row_of(store)), slug(row_of(load)), slot);
        for (const Way& way : kWays) {
          add(corpus, id + std::string(way.name), std::string(way.reason),
              way.program(op(store, slot), op(load, slot)),
              way.neighbour.empty() ? std::string() : id + std::string(way.neighbour));
        }
      }
    }
  }
}

}  // namespace

void add_flow_cases(Corpus& corpus) {
  jumps(corpus);
  branches(corpus);
  slots(corpus);
}

}  // namespace callgate::corpus
