// Writes the filter of the classic demonstration, as libseccomp compiles it for this machine:
// ERRNO(EPERM) for everything but read, write, exit, exit_group and getpid.

#include <fcntl.h>
#include <fmt/format.h>
#include <seccomp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "Usage: callgate_demo_filter FILE\n");
    return 2;
  }
  const std::unique_ptr<void, decltype(&seccomp_release)> filter(
      seccomp_init(SCMP_ACT_ERRNO(EPERM)), &seccomp_release);
  constexpr std::array kAllowed = {SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(exit),
                                   SCMP_SYS(exit_group), SCMP_SYS(getpid)};
  bool made = filter != nullptr;
  for (const int nr : kAllowed) {
    made = made && seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, nr, 0) == 0;
  }
  if (!made) {
    fmt::print(stderr, "callgate_demo_filter: libseccomp could not make the filter\n");
    return 2;
  }
  const int file = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0 || seccomp_export_bpf(filter.get(), file) != 0 || close(file) != 0) {
    fmt::print(stderr, "callgate_demo_filter: {}: {}\n", argv[1], std::strerror(errno));
    return 2;
  }
  return 0;
}
