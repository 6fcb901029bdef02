#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fuzz/case.hpp"
#include "harness/live/call_sites.hpp"
#include "harness/live/child.hpp"

/// What targets that ask the running kernel share.
namespace callgate::fuzz {

/// Says why the running kernel cannot be asked, if `why` is not empty: once, on standard error, and
/// ends the process with 0, so that a test is skipped and a campaign ends. Built for a fuzzing
/// engine of somebody else (CALLGATE_FUZZ_ENGINE: OSS-Fuzz and its like, which take an early end
/// for a broken build) it goes on, with nothing to ask. Returns whether the kernel can be asked.
bool can_be_asked(const std::string& why);

/// The kernel gave no answer though it could be asked before: said, and fatal.
[[noreturn]] void no_answer(const live::LiveError& error);

/// The calls that this machine can make for a case: the two architectures of x86, an instruction
/// pointer of user space where one is given.
[[nodiscard]] std::vector<live::Call> calls_of(const std::vector<SeccompData>& inputs,
                                               bool any_instruction_pointer = false);

/// "nr 39 arch 0xc000003e ip 0x0 args 0x0 …"
[[nodiscard]] std::string words_of(const SeccompData& data);

}  // namespace callgate::fuzz
