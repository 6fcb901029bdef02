#pragma once

#include <algorithm>
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
    std::uint64_t mask = 0;  ///< without the architecture where the plane is for every one
    std::uint64_t base = 0;  ///< the architecture, above 32 bits of number
    NumberTable<Entry>::Small numbers;
  };

  [[nodiscard]] std::uint32_t run_with(const First& first, const SeccompData& data) const noexcept {
    // Another architecture makes it larger than all numbers, so that one test tells both. Numbers
    // beyond those of the table are as frequent as others: no branch is told by them.
    const std::uint64_t whole =
        std::uint64_t{data.arch} << 32U | static_cast<std::uint32_t>(data.nr);
    const std::uint64_t nr = (whole & first.mask) - first.base;
    if (nr < first.numbers.reach) {
      return program_.result(first.numbers.values[std::min<std::uint64_t>(nr, first.numbers.last)],
                             data);
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
