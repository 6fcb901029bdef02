#include "fuzz/live.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "fuzz/require.hpp"
#include "vm/arches.hpp"

namespace callgate::fuzz {
namespace {

// Numbers that mean something to a filter lie close together; most of 2^32 do not.
std::uint64_t in_user_space(std::uint64_t pointer) { return 0x10002 + pointer % 0x7ffffff00000U; }

}  // namespace

bool can_be_asked(const std::string& why) {
  if (why.empty()) return true;
  std::fprintf(stderr, "[  SKIPPED ] the running kernel cannot be asked: %s\n", why.c_str());
#ifdef CALLGATE_FUZZ_GOES_ON
  return false;
#else
  std::fflush(nullptr);
  std::_Exit(0);
#endif
}

void no_answer(const live::LiveError& error) { fail("no answer: " + error.message); }

std::vector<live::Call> calls_of(const std::vector<SeccompData>& inputs,
                                 bool any_instruction_pointer) {
  std::vector<live::Call> calls;
  const std::uint32_t i386 = info(Arch::X86).token;
  for (SeccompData data : inputs) {
    if (data.arch != i386) data.arch = info(Arch::X86_64).token;
    const bool any = any_instruction_pointer || data.instruction_pointer == 0;
    data.instruction_pointer = any ? 0 : in_user_space(data.instruction_pointer);
    calls.push_back({data, any});
  }
  return calls;
}

std::string words_of(const SeccompData& data) {
  std::string out =
      fmt::format("nr {} arch 0x{:x} ip 0x{:x} args", data.nr, data.arch, data.instruction_pointer);
  for (const std::uint64_t each : data.args) out += fmt::format(" 0x{:x}", each);
  return out;
}

}  // namespace callgate::fuzz
