#include <asmjit/core.h>

#include "vm/jit/aarch64.hpp"
#include "vm/jit/code.hpp"
#include "vm/jit/jit.hpp"
#include "vm/jit/plan.hpp"
#include "vm/jit/translate.hpp"
#include "vm/jit/x86_64.hpp"

namespace callgate::jit {
namespace {

// Keeps the first of asmjit's errors: emitters go on after one, and what they wrote is dropped.
class FirstError final : public asmjit::ErrorHandler {
 public:
  void handleError(asmjit::Error /*error*/, const char* message,
                   asmjit::BaseEmitter* /*origin*/) override {
    if (text.empty()) text = message;
  }
  std::string text;
};

}  // namespace

std::string_view to_string(Target target) noexcept {
  return target == Target::X86_64 ? "x86_64" : "aarch64";
}

std::optional<Target> host_target() noexcept {
#if defined(__x86_64__) && defined(__LP64__)
  return Target::X86_64;
#elif defined(__aarch64__) && defined(__AARCH64EL__) && defined(__LP64__)
  return Target::AArch64;
#else
  return std::nullopt;
#endif
}

std::expected<std::size_t, std::string> translate(const CheckedProgram& program, Target target,
                                                  asmjit::CodeHolder& code,
                                                  std::vector<Origin>* origins) {
  FirstError error;
  const asmjit::Environment environment(target == Target::X86_64 ? asmjit::Arch::kX64
                                                                 : asmjit::Arch::kAArch64);
  if (code.init(environment) != asmjit::kErrorOk) return std::unexpected("asmjit does not start");
  code.setErrorHandler(&error);
  const Plan plan(program);
  const std::optional<std::size_t> size =
      target == Target::X86_64
          ? Translator<X86Emitter>(plan, program.model(), code, origins).translate()
          : Translator<Arm64Emitter>(plan, program.model(), code, origins).translate();
  code.setErrorHandler(nullptr);
  if (!error.text.empty()) return std::unexpected("asmjit: " + error.text);
  if (!size || code.hasUnresolvedLinks()) return std::unexpected("a jump without its target");
  return *size;
}

std::expected<MachineCode, std::string> assemble(const CheckedProgram& program, Target target) {
  asmjit::CodeHolder code;
  MachineCode out;
  const auto size = translate(program, target, code, &out.origins);
  if (!size) return std::unexpected(size.error());
  const asmjit::CodeBuffer& buffer = code.textSection()->buffer();
  out.bytes.assign(buffer.begin(), buffer.end());
  out.code_size = *size;
  return out;
}

}  // namespace callgate::jit
