#include "harness/report/known.hpp"

#include "vm/opcodes.hpp"
#include "vm/syscalls.hpp"

namespace callgate::report {
namespace {

class Flow {
 public:
  explicit Flow(std::span<const Instruction> program) : program_(program), known_(program.size()) {}

  std::vector<Known> run() {
    if (!known_.empty()) known_[0].a = Holds::Other;
    for (std::size_t at = 0; at < program_.size(); ++at) flow(at);
    return std::move(known_);
  }

 private:
  void reach(std::uint64_t target, const Known& state) {
    if (target < known_.size()) known_[static_cast<std::size_t>(target)].join(state);
  }

  // Hands what is known on to where control goes.
  void flow(std::size_t at) {
    const Instruction& i = program_[at];
    Known state = known_[at];
    if (state.a == Holds::Unvisited) return;  // nothing leads here
    const OpcodeInfo* row = find_opcode(i.code);
    if (row == nullptr || row->kind == OpcodeKind::Return) return;
    if (row->kind == OpcodeKind::Jump) return reach(at + 1 + std::uint64_t{i.k}, state);
    if (row->kind == OpcodeKind::Branch) {
      Known taken = state;
      Known other = state;
      if (row->opcode == Opcode::JeqK && state.a == Holds::ArchToken) taken.token = i.k;
      reach(at + 1 + std::uint64_t{i.jt}, taken);
      reach(at + 1 + std::uint64_t{i.jf}, other);
      return;
    }
    if (row->opcode == Opcode::LdAbs) {
      state.a = i.k == 0 ? Holds::Nr : i.k == 4 ? Holds::ArchToken : Holds::Other;
    } else if (row->kind == OpcodeKind::Load || row->kind == OpcodeKind::Alu ||
               row->kind == OpcodeKind::Txa) {
      state.a = Holds::Other;
    }
    reach(at + 1, state);
  }

  std::span<const Instruction> program_;
  std::vector<Known> known_;
};

}  // namespace

void Known::join(const Known& other) {
  if (other.a == Holds::Unvisited) return;
  if (a == Holds::Unvisited) {
    *this = other;
    return;
  }
  if (a != other.a) a = Holds::Other;
  if (token != other.token) {
    token.reset();
    token_varies = true;
  }
}

std::vector<Known> known_before(std::span<const Instruction> program) {
  return Flow(program).run();
}

std::optional<NamedConstant> named_constant(const Known& known, std::uint32_t k, Arch arch) {
  if (known.a == Holds::ArchToken) {
    if (const auto named = arch_from_token(k)) return NamedConstant{*named, {}};
  }
  if (known.a == Holds::Nr && !known.token_varies) {
    const std::optional<Arch> abi =
        known.token ? arch_of_call(*known.token, k) : std::optional(arch);
    const auto name = abi ? syscall_name(*abi, k) : std::nullopt;
    if (name) return NamedConstant{*abi, *name};
  }
  return std::nullopt;
}

}  // namespace callgate::report
