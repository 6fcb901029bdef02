#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <string_view>

#include "harness/live/raw.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate::live {

/// A call to make: what the filters shall see. With `any_instruction_pointer` its
/// instruction_pointer is filled in by whoever makes it.
struct Call {
  SeccompData data;
  bool any_instruction_pointer = true;
};

/// A call that this machine can make.
struct ReachableCall {
  raw::Registers registers;
  SeccompData data;  ///< as the filters see it, the instruction pointer included
};

/// Places to make calls from, mapped into this process and inherited by its children: one page for
/// calls whose instruction pointer does not matter, and one for each chosen one. Gone with the
/// object.
class CallSites {
 public:
  CallSites();
  ~CallSites();
  CallSites(const CallSites&) = delete;
  CallSites& operator=(const CallSites&) = delete;

  /// How to make that call, or why this machine cannot: a foreign architecture, a number that no
  /// filter ever sees, an instruction pointer where nothing can be mapped.
  [[nodiscard]] std::expected<ReachableCall, std::string_view> reach(const Call& call);

 private:
  [[nodiscard]] std::expected<std::uint64_t, std::string_view> place(std::uint64_t address,
                                                                     std::uint8_t first,
                                                                     std::uint8_t second);

  std::uint8_t* common_ = nullptr;
  std::map<std::uint64_t, std::uint8_t*> pages_;  // by address
  std::map<std::uint64_t, std::uint8_t> code_;    // every byte that a chosen site needs
};

/// Registers for a call by `syscall` or `int $0x80`, both of two bytes, from before its instruction
/// pointer.
[[nodiscard]] CALLGATE_IN_CHILD raw::Registers registers_for(const SeccompData& data);

}  // namespace callgate::live
