#include "harness/engines/machine_listing.hpp"

#ifdef CALLGATE_WITH_JIT_LISTING
#include "vm/jit/jit.hpp"
#include "vm/jit/listing.hpp"
#endif

namespace callgate {

#ifdef CALLGATE_WITH_JIT_LISTING

std::expected<std::vector<MachineLine>, std::string> machine_listing(
    const CheckedProgram& program) {
  const Arch arch = program.model().arch;
  if (arch != Arch::X86_64 && arch != Arch::AArch64) {
    return std::unexpected("it makes code for x86_64 and aarch64, not for " +
                           std::string(info(arch).name));
  }
  const jit::Target target = arch == Arch::X86_64 ? jit::Target::X86_64 : jit::Target::AArch64;
  const auto code = jit::assemble(program, target);
  if (!code) return std::unexpected(code.error());
  auto lines = jit::listing(*code, target);
  if (!lines) return std::unexpected(std::move(lines).error());
  std::vector<MachineLine> out;
  auto origin = code->origins.begin();
  for (jit::Line& line : *lines) {
    MachineLine& made = out.emplace_back();
    made.address = line.offset;
    made.bytes = std::move(line.bytes);
    made.text = std::move(line.text);
    made.in_table = line.offset >= code->code_size;
    for (; origin != code->origins.end() && origin->offset <= line.offset; ++origin) {
      if (origin->instruction) made.instructions.push_back(*origin->instruction);
      made.returns_0 = !origin->instruction;
    }
  }
  return out;
}

#else

std::expected<std::vector<MachineLine>, std::string> machine_listing(
    const CheckedProgram& /*program*/) {
  return std::unexpected("this callgate was built without asmjit or without capstone");
}

#endif

}  // namespace callgate
