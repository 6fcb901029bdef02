#include "vm/specialised.hpp"

#include <memory>
#include <string>
#include <utility>

namespace callgate {

SpecialisedExecutable::SpecialisedExecutable(const CheckedProgram& program) : program_(program) {
  using Numbers = NumberTable<Entry>;
  planes_.reserve(program_.planes().size());
  for (const SpecialisedProgram::Plane& plane : program_.planes()) {
    std::vector<Numbers::Range> ranges;
    ranges.reserve(plane.ranges.size());
    for (const auto& [first, entry] : plane.ranges) ranges.push_back({first, entry});
    planes_.push_back({plane.arch, Numbers(std::move(ranges))});
  }
  const bool any_arch = planes_.size() == 1;
  first_ = {.mask = any_arch ? 0xffffffffU : ~std::uint64_t{0},
            .base = any_arch ? 0 : std::uint64_t{planes_.front().arch} << 32U,
            .numbers = planes_.front().numbers.small()};
}

void SpecialisedExecutable::run_many(std::span<const SeccompData> inputs,
                                     std::span<std::uint32_t> results) const noexcept {
  const First first = first_;  // a copy: what results are written to cannot be this
  for (std::size_t i = 0; i < inputs.size(); ++i) results[i] = run_with(first, inputs[i]);
}

namespace {

class SpecialisedEngine final : public Engine {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "specialised"; }

  [[nodiscard]] std::expected<std::unique_ptr<Executable>, std::string> prepare(
      const CheckedProgram& program) const override {
    return std::make_unique<SpecialisedExecutable>(program);
  }
};

const SpecialisedEngine kSpecialised;

}  // namespace

const Engine& specialised_engine() noexcept { return kSpecialised; }

}  // namespace callgate
