#include "harness/task/exec_file.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

// The program stands in this file as the build has made it.
__asm__(
    ".section .rodata\n"
    ".balign 16\n"
    "callgate_exec_image:\n"
    ".incbin \"" CALLGATE_EXEC_IMAGE
    "\"\n"
    "callgate_exec_image_end:\n"
    ".byte 0\n"
    ".text\n");

extern "C" {
[[gnu::visibility("hidden")]] extern const std::byte callgate_exec_image[];
[[gnu::visibility("hidden")]] extern const std::byte callgate_exec_image_end[];
}

namespace callgate::task {
namespace {

int make_file() {
  constexpr unsigned kExecutable = 0x10;  // MFD_EXEC, since 6.3
  int file = memfd_create("callgate-task", MFD_CLOEXEC | kExecutable);
  if (file < 0 && errno == EINVAL) file = memfd_create("callgate-task", MFD_CLOEXEC);
  if (file < 0) return -1;
  const std::byte* at = callgate_exec_image;
  while (at != callgate_exec_image_end) {
    const ssize_t written = write(file, at, static_cast<std::size_t>(callgate_exec_image_end - at));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      close(file);
      return -1;
    }
    at += written;
  }
  return file;
}

}  // namespace

int exec_file() {
  static const int file = make_file();
  return file;
}

}  // namespace callgate::task
