#pragma once

#include <array>
#include <cstdint>

/// What children that have filters may use: calls made by hand, nothing of libc, nothing that a
/// sanitizer has its own version of. x86_64 only, as the whole of harness/live.
namespace callgate::live::raw {

#define CALLGATE_IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined")))

/// The registers that a call instruction meets, and where that instruction is.
struct Registers {
  std::uint64_t rax = 0;
  std::uint64_t rbx = 0;
  std::uint64_t rcx = 0;
  std::uint64_t rdx = 0;
  std::uint64_t rsi = 0;
  std::uint64_t rdi = 0;
  std::uint64_t rbp = 0;
  std::uint64_t r8 = 0;
  std::uint64_t r9 = 0;
  std::uint64_t r10 = 0;
  std::uint64_t target = 0;  ///< address of `syscall; ret` or `int $0x80; ret`
};
static_assert(sizeof(Registers) == 88);

extern "C" {
/// Loads the registers, calls the target, and returns rax as the call left it.
std::uint64_t callgate_live_call(const Registers* registers);

/// clone(2) without libc: the child runs `run(argument)` on its stack and never returns; the parent
/// gets the child's id or a negative errno.
long callgate_live_clone(unsigned long flags, void* stack_top, void (*run)(void*), void* argument);

/// Stops a traced process by SIGTRAP, and goes on.
void callgate_live_stop();

/// Ends the process by SIGTRAP without a call that a filter could see: a single-step trap. Never
/// returns, and is not declared so: before such a call AddressSanitizer makes system calls of its
/// own, which a filter may forbid.
void callgate_live_end();
}

/// A system call, its result as the kernel gives it (a negative errno).
CALLGATE_IN_CHILD inline long call(long nr, unsigned long a0 = 0, unsigned long a1 = 0,
                                   unsigned long a2 = 0, unsigned long a3 = 0, unsigned long a4 = 0,
                                   unsigned long a5 = 0) {
  long result = 0;
  register unsigned long r10 __asm__("r10") = a3;
  register unsigned long r8 __asm__("r8") = a4;
  register unsigned long r9 __asm__("r9") = a5;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(nr), "D"(a0), "S"(a1), "d"(a2), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

}  // namespace callgate::live::raw
