#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/lab/kernels.hpp"
#include "harness/lab/machine.hpp"
#include "vm/instruction.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate::lab {

/// Programs and inputs that are always asked, besides random ones.
struct Case {
  Program program;
  std::vector<SeccompData> inputs;
};

/// How much is asked.
struct Amount {
  std::uint32_t programs = 1000;  ///< random ones for values; as many mutants for acceptance
  std::uint32_t inputs = 20;
  std::uint64_t seed = 1;
};

/// How a kernel did.
struct Report {
  std::string name;
  std::string skipped;  ///< why; empty: it ran
  std::string release;
  std::string jit;
  std::uint64_t values = 0;       ///< 32-bit values compared
  std::uint64_t acceptances = 0;  ///< errnos of installing compared
  std::uint64_t differences = 0;
  std::uint64_t not_asked = 0;       ///< undefined, or what could not be rewritten
  std::vector<std::string> first{};  ///< the first differences, in words
  double seconds = 0;
};

/// Boots one kernel and compares it with the model of it.
[[nodiscard]] Report examine(const LabKernel& kernel, const Amount& amount,
                             const std::vector<Case>& cases, const WorkFolder& work);

}  // namespace callgate::lab
