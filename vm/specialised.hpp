#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vm/checked_program.hpp"
#include "vm/engine.hpp"
#include "vm/number_table.hpp"
#include "vm/seccomp_data.hpp"
#include "vm/specialised_program.hpp"

namespace callgate {

/// The engine `specialised`.
class SpecialisedExecutable final : public Executable {
 public:
  explicit SpecialisedExecutable(const CheckedProgram& program);

  [[nodiscard]] std::uint32_t run(const SeccompData& data) const noexcept override {
    return run_with(first_, data);
  }
  void run_many(std::span<const SeccompData> inputs,
                std::span<std::uint32_t> results) const noexcept override;

  [[nodiscard]] const SpecialisedProgram& program() const noexcept { return program_; }

 private:
  using Entry = SpecialisedProgram::Entry;
  struct Plane {
    std::uint32_t arch = 0;
    NumberTable<Entry> numbers;
  };

  /// The small numbers of the first plane: where most calls are found at once.
  struct First {
    std::uint32_t arch = 0;
    std::uint32_t arch_mask = 0;  ///< 0 where the first plane is for every architecture
    std::uint32_t size = 0;
    const Entry* entries = nullptr;
  };

  [[nodiscard]] std::uint32_t run_with(const First& first, const SeccompData& data) const noexcept {
    const auto nr = static_cast<std::uint32_t>(data.nr);
    if (((data.arch ^ first.arch) & first.arch_mask) == 0 && nr < first.size) {
      return program_.result(first.entries[nr], data);
    }
    return program_.result(entry(data), data);
  }

  [[nodiscard]] const Entry& entry(const SeccompData& data) const noexcept {
    const Plane* plane = planes_.data();
    for (const Plane* const last = plane + planes_.size() - 1; plane != last; ++plane) {
      if (plane->arch == data.arch) break;
    }
    return plane->numbers.at(static_cast<std::uint32_t>(data.nr));
  }

  SpecialisedProgram program_;
  std::vector<Plane> planes_;  ///< as those of program_
  First first_;
};

/// The one engine of that name.
[[nodiscard]] const Engine& specialised_engine() noexcept;

}  // namespace callgate
