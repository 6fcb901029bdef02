#pragma once

#include <string>
#include <vector>

#include "harness/compare/comparison.hpp"
#include "verifier/equivalence.hpp"

/// What a comparison found, in words.
namespace callgate::compare {

class Words {
 public:
  Words(verifier::Space& space, const KernelModel& a, const KernelModel& b, const Request& request)
      : space_(space), a_(a), b_(b), request_(request) {}

  /// From what to what; without calls.
  [[nodiscard]] Change change(const verifier::Difference& difference) const;
  [[nodiscard]] Calls calls(const verifier::Difference& difference) const;
  [[nodiscard]] Open open(const verifier::OpenCalls& open) const;

 private:
  [[nodiscard]] std::string result(std::uint32_t value, const SeccompData& data,
                                   const KernelModel& model) const;
  void add_names(verifier::Space::Ref arches, verifier::Space::Ref numbers, Calls& to) const;
  [[nodiscard]] std::string condition(verifier::Space::Ref rest, const SeccompData& call) const;

  verifier::Space& space_;
  const KernelModel& a_;
  const KernelModel& b_;
  const Request& request_;
};

/// The words of `callgate run` for a call: "openat 0xffffff9c 0x0 0x2"; with "--arch i386" before
/// them where it is not of the kernel's own ABI. Empty where `run` cannot be asked for it.
[[nodiscard]] std::string run_words(const SeccompData& data, Arch own);

}  // namespace callgate::compare
