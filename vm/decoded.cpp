#include "vm/decoded.hpp"

#include <algorithm>
#include <memory>

#include "vm/arithmetic.hpp"
#include "vm/equality_chains.hpp"
#include "vm/opcodes.hpp"

namespace callgate {
namespace {

// What an operation is: a row of opcodes.def that seccomp takes, or one that stands for several.
enum class Code : std::uint8_t {
#define ACCEPTED_Seccomp(enumerator) enumerator,
#define ACCEPTED_ClassicOnly(enumerator)
#define OPCODE(enumerator, code, mnemonic, kind, operand, k_rule, ebpf, blinded, acceptance) \
  ACCEPTED_##acceptance(enumerator)
#include "vm/opcodes.def"
#undef OPCODE
#undef ACCEPTED_Seccomp
#undef ACCEPTED_ClassicOnly
  LdJeq,  // ld and jeq #k
  LdJgt,
  LdJge,
  LdJset,
  Table,   // A - k below the number in `yes`: the target of that entry, else `no`
  Search,  // A among the `yes` keys: the target beside it, else `no`
};

Code code_of(Opcode opcode) {
  switch (opcode) {
#define ACCEPTED_Seccomp(enumerator) \
  case Opcode::enumerator:           \
    return Code::enumerator;
#define ACCEPTED_ClassicOnly(enumerator) \
  case Opcode::enumerator:               \
    return Code::RetA;  // no checked program holds one
#define OPCODE(enumerator, code, mnemonic, kind, operand, k_rule, ebpf, blinded, acceptance) \
  ACCEPTED_##acceptance(enumerator)
#include "vm/opcodes.def"
#undef OPCODE
#undef ACCEPTED_Seccomp
#undef ACCEPTED_ClassicOnly
  }
  return Code::RetA;
}

// Runs shorter than this are left as compares.
constexpr std::size_t kShortestChain = 3;
// A table has at most so many entries for each of its keys, and there are at most so many tables
// for one run of compares; the keys that are left are searched.
constexpr std::size_t kEntriesPerKey = 8;
constexpr std::size_t kFewestKeys = 3;
constexpr std::size_t kMostTables = 4;

}  // namespace

// Makes the operations of a program.
class DecodedProgram::Decoder {
 public:
  Decoder(DecodedProgram& out, const CheckedProgram& program)
      : out_(out),
        program_(program.instructions()),
        order_(info(program.model().arch).byte_order),
        lands_(past_jumps(program_)) {
    interpret(nullptr, nullptr, 0, 0, 0, nullptr, &codes_);
  }

  void decode() {
    out_.operations_.reserve(program_.size() + 8);
    for (std::size_t i = 0; i < program_.size(); ++i) out_.operations_.push_back(operation(i));
    for (const EqualityChain& chain : equality_chains(program_, lands_, kShortestChain)) {
      replace(chain);
    }
    // After the chains: a load before one is not made one with its first compare.
    for (std::size_t i = 0; i + 1 < program_.size(); ++i) fuse(i);
  }

 private:
  [[nodiscard]] std::int32_t at(Code code) const { return codes_[static_cast<std::size_t>(code)]; }

  [[nodiscard]] Operation operation(std::size_t i) const {
    const Instruction& instruction = program_[i];
    const OpcodeInfo& row = *find_opcode(instruction.code);
    Operation out{.code = at(code_of(row.opcode)), .k = instruction.k};
    switch (row.operand) {
      case Operand::Data:
        out.k = host_offset(instruction.k, order_);
        break;
      case Operand::Length:
        out.k = kSeccompDataSize;
        break;
      case Operand::None:
      case Operand::K:
      case Operand::X:
      case Operand::A:
      case Operand::Memory:
        break;
    }
    if (row.kind == OpcodeKind::Jump) out.yes = lands_[i];
    if (row.kind == OpcodeKind::Branch) {
      out.yes = lands_[i + 1 + instruction.jt];
      out.no = lands_[i + 1 + instruction.jf];
    }
    return out;
  }

  // Makes ld and the compare with a constant after it one operation. The compare stays where it is
  // for whoever jumps there.
  void fuse(std::size_t i) {
    Operation& load = out_.operations_[i];
    const Operation& compare = out_.operations_[i + 1];
    if (load.code != at(Code::LdAbs)) return;
    static constexpr std::pair<Code, Code> kFused[] = {{Code::JeqK, Code::LdJeq},
                                                       {Code::JgtK, Code::LdJgt},
                                                       {Code::JgeK, Code::LdJge},
                                                       {Code::JsetK, Code::LdJset}};
    for (const auto& [alone, fused] : kFused) {
      if (compare.code != at(alone)) continue;
      const std::uint32_t offset = load.k;
      load = compare;
      load.code = at(fused);
      load.more = offset;
      return;
    }
  }

  // A chain's first compare becomes a table, or several and a search, one after the other.
  void replace(const EqualityChain& chain) {
    std::vector<Operation> steps;
    std::vector<EqualityChain::Key> rest;
    const std::span<const EqualityChain::Key> keys = chain.keys;
    for (std::size_t first = 0; first < keys.size();) {
      std::size_t last = first;  // of a cluster that is dense enough
      for (std::size_t i = first; i < keys.size() && keys[i].k - keys[first].k < 0xffff; ++i) {
        if (keys[i].k - keys[first].k < kEntriesPerKey * (i - first + 1)) last = i;
      }
      const std::span<const EqualityChain::Key> cluster = keys.subspan(first, last - first + 1);
      if (cluster.size() >= kFewestKeys && steps.size() < kMostTables) {
        steps.push_back(table(cluster, chain.otherwise));
      } else {
        rest.insert(rest.end(), cluster.begin(), cluster.end());
      }
      first = last + 1;
    }
    if (!rest.empty()) steps.push_back(search(rest));
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const bool is_last = i + 1 == steps.size();
      const std::size_t next = out_.operations_.size() + (i == 0 ? 0 : 1);
      steps[i].no = static_cast<std::uint16_t>(is_last ? chain.otherwise : next);
      if (i == 0) {
        out_.operations_[chain.head] = steps[i];
      } else {
        out_.operations_.push_back(steps[i]);
      }
    }
  }

  Operation table(std::span<const EqualityChain::Key> keys, std::size_t otherwise) {
    const std::uint32_t base = keys.front().k;
    const std::size_t size = keys.back().k - base + 1;
    const std::size_t start = out_.targets_.size();
    // Who is none of the keys between goes where the last of the chain's steps would send it: no
    // key of the other steps lies between.
    out_.targets_.resize(start + size, static_cast<std::uint16_t>(otherwise));
    out_.keys_.resize(start + size);
    for (const EqualityChain::Key& key : keys) out_.targets_[start + (key.k - base)] = key.target;
    return {.code = at(Code::Table),
            .k = base,
            .yes = static_cast<std::uint16_t>(size),
            .no = 0,
            .more = static_cast<std::uint32_t>(start)};
  }

  Operation search(std::span<const EqualityChain::Key> keys) {
    const std::size_t start = out_.targets_.size();
    for (const EqualityChain::Key& key : keys) {
      out_.targets_.push_back(key.target);
      out_.keys_.push_back(key.k);
    }
    return {.code = at(Code::Search),
            .k = 0,
            .yes = static_cast<std::uint16_t>(keys.size()),
            .no = 0,
            .more = static_cast<std::uint32_t>(start)};
  }

  DecodedProgram& out_;
  std::span<const Instruction> program_;
  ByteOrder order_;
  std::vector<std::uint16_t> lands_;
  const std::int32_t* codes_ = nullptr;
};

DecodedProgram::DecodedProgram(const CheckedProgram& program)
    : shifts_(shift_rule(program.model())) {
  Decoder(*this, program).decode();
}

// Labels as values are what makes the dispatch direct: GCC and clang have them, the standard not.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"

[[gnu::noinline]] std::uint32_t DecodedProgram::interpret(
    const DecodedProgram* self, const SeccompData* data, std::size_t at, std::uint32_t a,
    std::uint32_t x, const std::array<std::uint32_t, kMemoryWords>* memory,
    const std::int32_t** codes) noexcept {
#define CODE(enumerator) \
  static_cast<std::int32_t>(static_cast<char*>(&&enumerator) - static_cast<char*>(&&LdImm)),
  static const std::int32_t kCodes[] = {
#define ACCEPTED_Seccomp(enumerator) CODE(enumerator)
#define ACCEPTED_ClassicOnly(enumerator)
#define OPCODE(enumerator, code, mnemonic, kind, operand, k_rule, ebpf, blinded, acceptance) \
  ACCEPTED_##acceptance(enumerator)
#include "vm/opcodes.def"
#undef OPCODE
#undef ACCEPTED_Seccomp
#undef ACCEPTED_ClassicOnly
      CODE(LdJeq) CODE(LdJgt) CODE(LdJge) CODE(LdJset) CODE(Table) CODE(Search)};
#undef CODE
  if (codes != nullptr) {
    *codes = kCodes;
    return 0;
  }

  const Operation* const first = self->operations_.data();
  const Operation* op = first + at;
  std::array<std::uint32_t, kMemoryWords> m;
  if (memory != nullptr) m = *memory;

#define GO goto*(static_cast<char*>(&&LdImm) + op->code)
#define NEXT \
  ++op;      \
  GO
#define BRANCH(condition)                        \
  op = first + ((condition) ? op->yes : op->no); \
  GO

  GO;
LdImm:
  a = op->k;
  NEXT;
LdxImm:
  x = op->k;
  NEXT;
St:
  m[op->k] = a;
  NEXT;
Stx:
  m[op->k] = x;
  NEXT;
AddK:
  a += op->k;
  NEXT;
Ja:
  op = first + op->yes;
  GO;
RetK:
  return op->k;
Tax:
  x = a;
  NEXT;
AddX:
  a += x;
  NEXT;
SubK:
  a -= op->k;
  NEXT;
JeqK:
  BRANCH(a == op->k);
RetA:
  return a;
SubX:
  a -= x;
  NEXT;
JeqX:
  BRANCH(a == x);
LdAbs:
  a = host_word(*data, op->k);
  NEXT;
MulK:
  a *= op->k;
  NEXT;
JgtK:
  BRANCH(a > op->k);
MulX:
  a *= x;
  NEXT;
JgtX:
  BRANCH(a > x);
DivK:
  a /= op->k;
  NEXT;
JgeK:
  BRANCH(a >= op->k);
DivX:
  if (x == 0) return 0;
  a /= x;
  NEXT;
JgeX:
  BRANCH(a >= x);
OrK:
  a |= op->k;
  NEXT;
JsetK:
  BRANCH((a & op->k) != 0);
OrX:
  a |= x;
  NEXT;
JsetX:
  BRANCH((a & x) != 0);
AndK:
  a &= op->k;
  NEXT;
AndX:
  a &= x;
  NEXT;
LdMem:
  a = m[op->k];
  NEXT;
LdxMem:
  x = m[op->k];
  NEXT;
LshK:
  a <<= op->k;
  NEXT;
LshX: {
  const auto shift = shifted(a, x, true, self->shifts_);
  if (!shift) return 0;
  a = *shift;
  NEXT;
}
RshK:
  a >>= op->k;
  NEXT;
RshX: {
  const auto shift = shifted(a, x, false, self->shifts_);
  if (!shift) return 0;
  a = *shift;
  NEXT;
}
LdLen:
  a = op->k;
  NEXT;
LdxLen:
  x = op->k;
  NEXT;
Neg:
  a = 0U - a;
  NEXT;
Txa:
  a = x;
  NEXT;
XorK:
  a ^= op->k;
  NEXT;
XorX:
  a ^= x;
  NEXT;
LdJeq:
  a = host_word(*data, op->more);
  BRANCH(a == op->k);
LdJgt:
  a = host_word(*data, op->more);
  BRANCH(a > op->k);
LdJge:
  a = host_word(*data, op->more);
  BRANCH(a >= op->k);
LdJset:
  a = host_word(*data, op->more);
  BRANCH((a & op->k) != 0);
Table: {
  const std::uint32_t entry = a - op->k;
  op = first + (entry < op->yes ? self->targets_[op->more + entry] : op->no);
  GO;
}
Search: {
  const std::uint32_t* const keys = self->keys_.data() + op->more;
  std::size_t below = 0;
  for (std::size_t length = op->yes; length > 1;) {
    const std::size_t half = length / 2;
    below += keys[below + half] <= a ? half : 0;
    length -= half;
  }
  op = first + (keys[below] == a ? self->targets_[op->more + below] : op->no);
  GO;
}
#undef GO
#undef NEXT
#undef BRANCH
}

#pragma GCC diagnostic pop

void DecodedExecutable::run_many(std::span<const SeccompData> inputs,
                                 std::span<std::uint32_t> results) const noexcept {
  for (std::size_t i = 0; i < inputs.size(); ++i) results[i] = program_.run(inputs[i]);
}

namespace {

class DecodedEngine final : public Engine {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "decoded"; }

  [[nodiscard]] std::expected<std::unique_ptr<Executable>, std::string> prepare(
      const CheckedProgram& program) const override {
    return std::make_unique<DecodedExecutable>(program);
  }
};

const DecodedEngine kDecoded;

}  // namespace

const Engine& decoded_engine() noexcept { return kDecoded; }

}  // namespace callgate
