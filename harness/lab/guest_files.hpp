#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vm/byte_order.hpp"
#include "vm/instruction.hpp"
#include "vm/seccomp_data.hpp"

/// What goes into a guest (the request, the initrd) and what comes out (the console).
namespace callgate::lab {

/// A program to install, and the calls to make under it; none: only whether it is accepted.
struct Question {
  Program program;
  std::vector<SeccompData> calls;
};

/// What is asked of the kernel beside verdicts: a function of agent_probes.h, and its argument.
struct ProbeQuestion {
  std::uint32_t kind = 0;
  std::uint32_t argument = 0;
};

/// A call that is counted. If nothing is said of its arguments, calls do nothing with them but
/// fail.
struct CostCall {
  std::uint32_t nr = 0;
  std::array<std::uint64_t, 6> args = {~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL};
};

/// A stack, the oldest first, and the calls whose instructions are to be counted under it.
struct CostQuestion {
  std::vector<Program> filters;
  std::vector<CostCall> calls;  ///< kMostCosts at most
};
inline constexpr std::size_t kMostCosts = 1024;

/// The request file that agent.c describes.
[[nodiscard]] std::string encode_request(const std::vector<ProbeQuestion>& probes,
                                         const std::vector<Question>& questions,
                                         const std::vector<CostQuestion>& costs, unsigned jit,
                                         ByteOrder order);

/// A file of an initrd.
struct InitrdFile {
  std::string path;
  std::string bytes;
  unsigned mode = 0100644;
};

/// A cpio archive ("newc"), as the kernel unpacks it.
[[nodiscard]] std::string initrd(const std::vector<InitrdFile>& files);

/// What a call's place in Answer::values holds where there was no errno.
inline constexpr std::uint16_t kKilled = 0xfffe;
inline constexpr std::uint16_t kNoValue = 0xffff;

/// What the guest says of a question.
struct Answer {
  std::uint32_t error = 0;  ///< errno of installing, 0 where it was accepted
  std::vector<std::uint16_t> values;
};

/// What the guest says of a CostQuestion.
struct CostAnswer {
  std::uint32_t error = 0;  ///< errno of installing a filter of the stack
  /// executed instructions of a call, all of the guest's code between two of it included; nothing
  /// where it did not come back
  std::vector<std::optional<double>> counts;
};

/// What a console told.
struct Console {
  std::string release;
  std::string jit;  ///< what net.core.bpf_jit_enable was: "0", "1", "-" where there is none
  std::vector<std::int64_t> probes;  ///< one for each that was asked
  std::vector<Answer> answers;
  std::vector<CostAnswer> costs{};
};

/// What a console that does not end well said last, in one line: the kernel's panic if there is
/// one.
[[nodiscard]] std::string last_words(std::string_view text);

/// Nothing where a line is missing or damaged; lines of the kernel between are passed over.
[[nodiscard]] std::optional<Console> parse_console(std::string_view text);

}  // namespace callgate::lab
