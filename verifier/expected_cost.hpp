#pragma once

#include <span>
#include <vector>

#include "verifier/known_call.hpp"
#include "vm/filter_stack.hpp"
#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"

/// What programs cost on average, over calls of which not every word is known.
namespace callgate::verifier {

/// What an executed classic instruction costs, in any unit (nanoseconds, machine instructions).
struct Prices {
  double instruction = 1;  ///< each
  double jump_taken = 0;   ///< on top: goes elsewhere than to the next instruction
  double arithmetic = 0;   ///< on top: of kind Alu
};

/// Calls that nothing tells apart, and their share of all.
struct WeighedCall {
  KnownCall call;
  double weight = 0;
};

/// How much of the weight goes each way at each instruction of a program.
struct Profile {
  std::vector<double> taken;      ///< of a branch: by jt
  std::vector<double> not_taken;  ///< of a branch: by jf
};

/// The sum of weight times cost over calls that are put to a program which a kernel accepts. What
/// follows from known words is followed. Where a branch asks for an unknown word, half of the
/// weight goes each way, each time; a division by an unknown X goes on. More than 64 different
/// states of the registers at one instruction are joined: what differs between them is unknown
/// from there on. `profile` is added to, where there is one.
[[nodiscard]] double expected_cost(std::span<const Instruction> program, const KernelModel& model,
                                   std::span<const WeighedCall> calls, const Prices& prices,
                                   Profile* profile = nullptr);

/// Whether no filter is run for a call: it is exempt, or for certain served by the kernel's cache
/// of constant actions. For calls of another ABI than the model's that ABI's range counts. A call
/// whose number or architecture is unknown is not.
[[nodiscard]] bool is_served(std::span<const CheckedProgram> stack, const KernelModel& model,
                             const KnownCall& call);

}  // namespace callgate::verifier
