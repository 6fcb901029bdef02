// What a task of a script executes: a program of its own, without a C library, in which the task
// goes on serving. It makes one call for itself, mmap(2), for the memory of the script.

#include <sys/mman.h>
#include <sys/syscall.h>

#include <cstddef>
#include <cstdint>

#include "harness/live/raw.hpp"
#include "harness/task/serving.hpp"

namespace {

using callgate::task::kSharedInImage;
using callgate::task::Place;
using callgate::task::Shared;
using callgate::task::Wiring;

alignas(16) std::byte stacks[callgate::task::kAllTaskStacks];
Wiring wiring;
Place place;

unsigned long number(const char* digits) {
  unsigned long out = 0;
  for (; *digits >= '0' && *digits <= '9'; ++digits) {
    out = out * 10 + static_cast<unsigned long>(*digits - '0');
  }
  return out;
}

}  // namespace

extern "C" {

// `stack`: argc, argv, as the kernel leaves them. argv[1] is a descriptor of the memory.
[[gnu::used]] void callgate_exec_begin(const char* const* stack) {
  const long at =
      callgate::live::raw::call(SYS_mmap, kSharedInImage, sizeof(Shared), PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_FIXED, number(stack[2]));
  if (at != static_cast<long>(kSharedInImage)) callgate::live::raw::callgate_live_end();
  auto* const shared = reinterpret_cast<Shared*>(kSharedInImage);
  wiring = {shared, stacks};
  place = {&wiring, shared->executing};
  shared->executions = shared->executions + 1;
  shared->result = 0;
  callgate::task::tell(shared);
  callgate::task::serve(&place);
}

void _start();
}

__asm__(
    ".text\n"
    ".globl _start\n"
    "_start:\n"
    "  xorl %ebp, %ebp\n"
    "  movq %rsp, %rdi\n"
    "  andq $-16, %rsp\n"
    "  call callgate_exec_begin\n"
    "  ud2\n");
