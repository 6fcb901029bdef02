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
  const std::span<const Entry> small = planes_.front().numbers.small();
  first_ = {.arch = planes_.front().arch,
            .arch_mask = planes_.size() > 1 ? ~0U : 0U,
            .size = static_cast<std::uint32_t>(small.size()),
            .entries = small.data()};
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
