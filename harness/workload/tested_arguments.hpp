#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "verifier/known_call.hpp"
#include "vm/arches.hpp"

/// Which arguments filters test: tested_arguments.def.
namespace callgate::workload {

/// What is kept of an argument.
enum class KeptPart : std::uint8_t {
  Nothing,
  Value,  ///< whatever it is
  Named,  ///< where it is one of the constants that the argument takes
  Zero,   ///< where it is 0: a filter tells a null pointer, or oneself, from all else
};

/// Takes the arguments that no filter tests from calls; it remembers what it looked up.
class TestedArguments {
 public:
  TestedArguments();
  TestedArguments(const TestedArguments&) = delete;
  TestedArguments& operator=(const TestedArguments&) = delete;
  ~TestedArguments();

  /// Makes the words unknown that filters do not test, the instruction pointer's among them. Of a
  /// call whose number is not known no argument is kept.
  void condense(verifier::KnownCall& call);

 private:
  struct Call;
  const Call& rules_of(Arch arch, std::uint32_t nr);

  std::map<std::pair<Arch, std::uint32_t>, std::unique_ptr<Call>> calls_;
};

}  // namespace callgate::workload
