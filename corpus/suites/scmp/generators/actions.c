/* Every action, a call each; what is left is allowed. */
#include "corpus/suites/scmp/generators/generator.h"

int main(int argc, char** argv) {
  scmp_filter_ctx filter = filter_for_all(SCMP_ACT_ALLOW);
  RULE(filter, SCMP_ACT_KILL, chdir, 0);
  RULE(filter, SCMP_ACT_KILL_PROCESS, chroot, 0);
  RULE(filter, SCMP_ACT_TRAP, fchdir, 0);
  RULE(filter, SCMP_ACT_ERRNO(0), getpid, 0);
  RULE(filter, SCMP_ACT_ERRNO(1), getppid, 0);
  RULE(filter, SCMP_ACT_ERRNO(4094), setsid, 0);
  RULE(filter, SCMP_ACT_TRACE(0), sync, 0);
  RULE(filter, SCMP_ACT_TRACE(1234), umask, 0);
  RULE(filter, SCMP_ACT_TRACE(65535), uname, 0);
  RULE(filter, SCMP_ACT_LOG, getcwd, 0);
  RULE(filter, SCMP_ACT_NOTIFY, dup, 0);
  return write_filter(filter, argc, argv);
}
