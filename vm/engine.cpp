#include "vm/engine.hpp"

#include <array>
#include <cstddef>

#include "vm/decoded.hpp"
#include "vm/reference.hpp"
#include "vm/specialised.hpp"

namespace callgate {
namespace {

class ReferenceExecutable final : public Executable {
 public:
  explicit ReferenceExecutable(const CheckedProgram& program)
      : program_(program.instructions().begin(), program.instructions().end()),
        model_(program.model()) {}

  [[nodiscard]] std::uint32_t run(const SeccompData& data) const noexcept override {
    return reference::run(program_, data, model_, reference::NoObserver{}).value;
  }

 private:
  Program program_;
  KernelModel model_;
};

class ReferenceEngine final : public Engine {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "reference"; }

  [[nodiscard]] std::expected<std::unique_ptr<Executable>, std::string> prepare(
      const CheckedProgram& program) const override {
    return std::make_unique<ReferenceExecutable>(program);
  }
};

const ReferenceEngine kReference;

}  // namespace

void Executable::run_many(std::span<const SeccompData> inputs,
                          std::span<std::uint32_t> results) const noexcept {
  for (std::size_t i = 0; i < inputs.size(); ++i) results[i] = run(inputs[i]);
}

std::span<const Engine* const> engines() noexcept {
  static const std::array<const Engine*, 3> kEngines = {&kReference, &decoded_engine(),
                                                        &specialised_engine()};
  return kEngines;
}

const Engine* find_engine(std::string_view name) noexcept {
  for (const Engine* engine : engines()) {
    if (engine->name() == name) return engine;
  }
  return nullptr;
}

const Engine& default_engine() noexcept { return specialised_engine(); }

}  // namespace callgate
