#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "verifier/space.hpp"
#include "vm/arches.hpp"
#include "vm/kernel_model.hpp"
#include "vm/seccomp_data.hpp"

/// Calls that show something, chosen so that people can make something of them.
namespace callgate::coverage {

/// Which calls a condition's example is to be taken from. Throws Diagrams::Full where it is made,
/// and in its functions.
class Choice {
 public:
  using Ref = verifier::Space::Ref;

  /// `abis`: calls of these alone; all if there are none.
  Choice(verifier::Space& space, const KernelModel& model, std::span<const Arch> abis = {});

  /// Calls that filters are asked for, of the ABIs that are meant.
  [[nodiscard]] Ref meant() const noexcept { return meant_; }
  /// Those of them that a kernel of this machine can have.
  [[nodiscard]] Ref own() const noexcept { return own_; }

  /// The part of a condition that is the most welcome and not empty: the machine's own calls first,
  /// named ones, without upper halves of registers where the ABI has none. kFalse where no call
  /// that is meant satisfies it.
  [[nodiscard]] Ref most_welcome(Ref condition) const;

  /// A call of that part, as small as can be; nothing where none is found.
  [[nodiscard]] std::optional<SeccompData> find(Ref condition) const;

 private:
  verifier::Space& space_;
  Ref meant_ = 0;
  Ref own_ = 0;
  std::vector<Ref> classes_;  // the most welcome first
};

/// Whether a 64-bit register's upper half is always 0 in calls of an ABI.
[[nodiscard]] bool has_short_registers(Arch abi) noexcept;

/// The calls of an ABI: its token, and on x86_64's its numbers.
[[nodiscard]] verifier::Space::Ref calls_of(verifier::Space& space, Arch abi);

}  // namespace callgate::coverage
