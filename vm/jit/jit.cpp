#include "vm/jit/jit.hpp"

#include <asmjit/core.h>

#include <memory>
#include <utility>

#include "vm/jit/code.hpp"
#include "vm/jit/pages.hpp"

namespace callgate::jit {
namespace {

using Function = std::uint32_t (*)(const SeccompData*);

// clang's UBSan looks before a function for what its type is; before the code there is nothing.
#ifdef __clang__
#define CALLGATE_CALLS_CODE [[clang::no_sanitize("function")]]
#else
#define CALLGATE_CALLS_CODE
#endif

class MachineExecutable final : public Executable {
 public:
  explicit MachineExecutable(Pages pages)
      : pages_(std::move(pages)),
        function_(reinterpret_cast<Function>(const_cast<void*>(pages_.start()))) {}

  CALLGATE_CALLS_CODE [[nodiscard]] std::uint32_t run(
      const SeccompData& data) const noexcept override {
    return function_(&data);
  }

  CALLGATE_CALLS_CODE void run_many(std::span<const SeccompData> inputs,
                                    std::span<std::uint32_t> results) const noexcept override {
    const Function function = function_;
    for (std::size_t i = 0; i < inputs.size(); ++i) results[i] = function(&inputs[i]);
  }

 private:
  Pages pages_;
  Function function_;
};

class JitEngine final : public Engine {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "jit"; }

  [[nodiscard]] std::expected<std::unique_ptr<Executable>, std::string> prepare(
      const CheckedProgram& program) const override {
    const std::optional<Target> target = host_target();
    if (!target) return std::unexpected("makes code for x86_64 and aarch64 alone");
    asmjit::CodeHolder code;
    if (auto size = translate(program, *target, code, nullptr); !size) {
      return std::unexpected(std::move(size).error());
    }
    const asmjit::CodeBuffer& buffer = code.textSection()->buffer();
    auto pages = Pages::holding({buffer.data(), buffer.size()});
    if (!pages) return std::unexpected(std::move(pages).error());
    return std::make_unique<MachineExecutable>(std::move(*pages));
  }
};

const JitEngine kJit;

}  // namespace

const Engine& jit_engine() noexcept { return kJit; }

}  // namespace callgate::jit
