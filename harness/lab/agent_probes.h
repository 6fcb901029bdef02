// What the guest's kernel does beside verdicts. Each probe runs in a child of its own and gives a
// number: a result, a negative errno, or kDied less the signal that it died of. probes.def says
// which are asked.

#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

enum { kDied = -1000, kNothing = -5000 };

static volatile int64_t* result;

static int64_t or_errno(long got) { return got == -1 ? -errno : got; }

static int64_t seccomp(unsigned operation, unsigned flags, const void* argument) {
  return or_errno(syscall(SYS_seccomp, operation, flags, argument));
}

static int64_t attach(struct sock_filter* code, unsigned length, unsigned flags) {
  struct sock_fprog program = {(unsigned short)length, code};
  return seccomp(1, flags, &program);
}

static int64_t attach_return(uint32_t value) {
  struct sock_filter code[] = {{6, 0, 0, value}};
  return attach(code, 1, 0);
}

// A child's wait status: its exit code, or kDied less the signal.
static int64_t ending(pid_t pid) {
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid) return kNothing;
  return WIFSIGNALED(status) ? kDied - WTERMSIG(status) : WEXITSTATUS(status);
}

// Bits of the argument: 0 without privileges, 1 no descriptor left, 2 under a filter with a
// listener already; 4 to 7 the program (good, refused, of length 0, of 4097, NULL, unreadable; its
// header NULL, unreadable); 8 on the flags.
static int64_t probe_set_filter(uint32_t argument) {
  static struct sock_filter code[4097];
  struct sock_fprog program = {1, code};
  const unsigned kind = argument >> 4 & 15;
  const unsigned flags = argument >> 8;
  for (unsigned i = 0; i < 4097; ++i) code[i] = (struct sock_filter){6, 0, 0, 0x7fff0000};
  if (argument & 4 && attach(code, 1, 8) < 0) return kNothing;
  if (kind == 1) code[0].code = 0x0e;
  if (kind == 2) program.len = 0;
  if (kind == 3) program.len = 4097;
  if (kind == 4) program.filter = NULL;
  if (kind == 5) program.filter = (struct sock_filter*)8;
  if (argument & 1 && setresuid(65534, 65534, 65534) != 0) return kNothing;
  if (argument & 2) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_NOFILE, &none);
  }
  const int64_t got = seccomp(1, flags, kind == 6 ? NULL : kind == 7 ? (void*)8 : (void*)&program);
  return got > 0 ? 0 : got;  // a descriptor
}

static int64_t probe_action_avail(uint32_t action) { return seccomp(2, 0, &action); }

static int64_t probe_notif_sizes(uint32_t flags) {
  uint16_t sizes[3] = {0, 0, 0};
  const int64_t got = seccomp(3, flags, sizes);
  return got < 0 ? got : sizes[0] * 1000000L + sizes[1] * 1000L + sizes[2];
}

static int64_t probe_operation(uint32_t operation) { return seccomp(operation, 0, NULL); }

// How many of an instruction a program may hold where 7 big filters are attached already: the limit
// of a task counts what the kernel makes of them. The argument: 8 bits code, one each of jt and jf,
// one for k: 5 or 0x80000000.
static int64_t probe_limit(uint32_t argument) {
  const struct sock_filter fill = {argument & 255, argument >> 8 & 1, argument >> 9 & 1,
                                   argument >> 10 & 1 ? 0x80000000 : 5};
  const struct sock_filter load = {0, 0, 0, 5};
  static struct sock_filter code[4096];
  const struct sock_filter allow = {6, 0, 0, 0x7fff0000};
  for (unsigned i = 0; i < 4096; ++i) code[i] = load;
  code[0] = code[4095] = allow;
  for (unsigned i = 0; i < 7; ++i) {
    if (attach(code, 4096, 0) != 0) return kNothing;
  }
  unsigned low = 0;
  unsigned high = 4094;  // `low` is accepted, `high` is not
  while (high - low > 1) {
    const unsigned middle = (low + high) / 2;
    const pid_t pid = fork();
    if (pid == 0) {
      for (unsigned i = 1; i <= middle; ++i) code[i] = fill;
      code[middle + 1] = code[middle + 2] = allow;
      _exit((int)-attach(code, middle + 3, 0));
    }
    const int64_t error = ending(pid);
    if (error != 0 && error != ENOMEM) return -error;
    if (error == 0) low = middle;
    if (error != 0) high = middle;
  }
  return low;
}

// What a call comes to under a filter that returns the argument; 1 where it is executed.
static int64_t probe_returned(uint32_t value) {
  if (attach_return(value) != 0) return kNothing;
  const int64_t got = or_errno(syscall(SYS_getppid));
  *result = got > 0 ? 1 : got;
  __builtin_trap();
}

// Linux 6.14 and 6.18 let a number of x86_64 through whatever filters say: -EPERM, of the filter,
// or 1, whatever the call itself comes to.
static int64_t probe_number(uint32_t number) {
  const pid_t pid = fork();
  if (pid == 0) {
    if (attach_return(0x00050001) != 0) _exit(99);
    if (or_errno(syscall((long)number)) == -1) *result = -1;
    __builtin_trap();
  }
  if (ending(pid) == 99) return kNothing;
  return *result == -1 ? -1 : 1;
}

// getpid with a bit set above the 32 that filters see; 1 where it is executed.
static int64_t probe_high_number(uint32_t unused) {
  (void)unused;
  const int64_t got = or_errno(syscall((long)(SYS_getpid | (uint64_t)1 << 32)));
  return got > 0 ? 1 : got;
}

// The mode in /proc of a task that a filter killed.
static int64_t probe_dead_mode(uint32_t unused) {
  (void)unused;
  char path[64];
  char text[4096];
  const pid_t pid = fork();
  if (pid == 0) {
    attach_return(0);
    syscall(SYS_getppid);
  }
  siginfo_t about;
  if (pid < 0 || waitid(P_PID, (id_t)pid, &about, WEXITED | WNOWAIT) != 0) return kNothing;
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  const int fd = open(path, O_RDONLY);
  const ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
  text[got < 0 ? 0 : got] = 0;
  const char* at = strstr(text, "\nSeccomp:");
  return at ? strtol(at + 9, NULL, 10) : kNothing;
}

static void* end_later(void* unused) {
  usleep(300000);
  syscall(SYS_exit, 7);
  return unused;
}

// How a process ends whose leader a filter kills, and whose other thread then ends with 7.
static int64_t probe_leader_status(uint32_t unused) {
  (void)unused;
  const pid_t pid = fork();
  if (pid == 0) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, end_later, NULL) != 0) _exit(99);
    attach_return(0);
    syscall(SYS_getppid);
  }
  return ending(pid);
}

static void* call_under(void* value) {
  attach_return(*(const uint32_t*)value);
  syscall(SYS_getppid);
  return NULL;
}

// How a process ends, a thread of which meets that return value; 7: the others go on.
static int64_t probe_thread(uint32_t value) {
  const pid_t pid = fork();
  if (pid == 0) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, call_under, &value) != 0) _exit(99);
    usleep(300000);
    _exit(7);
  }
  return ending(pid);
}

// Whether a task alone that is killed dumps core.
static int64_t probe_core(uint32_t unused) {
  (void)unused;
  int status = 0;
  const pid_t pid = fork();
  if (pid == 0) {
    struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_CORE, &all);
    attach_return(0);
    syscall(SYS_getppid);
  }
  if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status)) return kNothing;
  return WCOREDUMP(status) ? 1 : 0;
}

static volatile int64_t notified;

static void* call_notified(void* unused) {
  notified = or_errno(syscall(SYS_getppid));
  return unused;
}

static int listener(void) {
  struct sock_filter code[] = {
      {0x20, 0, 0, 0}, {0x15, 0, 1, SYS_getppid}, {6, 0, 0, 0x7fc00000}, {6, 0, 0, 0x7fff0000}};
  return (int)attach(code, 4, 8);
}

// A task whose call waits for its supervisor, and what the supervisor has.
struct notified_task {
  pthread_t thread;
  int listener;
  struct seccomp_notif notification;
};

static int start_notified(struct notified_task* task) {
  memset(&task->notification, 0, sizeof task->notification);
  task->listener = listener();
  return task->listener >= 0 && pthread_create(&task->thread, NULL, call_notified, NULL) == 0;
}

static long receive(struct notified_task* task) {
  return ioctl(task->listener, SECCOMP_IOCTL_NOTIF_RECV, &task->notification);
}

// Gives the task a descriptor; with flag 2 that is the reply too. 0: done.
static int64_t probe_addfd(uint32_t flags) {
  struct notified_task task;
  if (!start_notified(&task) || receive(&task) != 0) return kNothing;
  struct {
    uint64_t id;
    uint32_t flags, source, target, target_flags;
  } adds = {task.notification.id, flags, 0, 0, 0};
  const int64_t got = or_errno(ioctl(task.listener, SECCOMP_IOW(3, adds), &adds));
  if (got >= 0 && flags != 0) pthread_join(task.thread, NULL);
  return got > 0 ? 0 : got;
}

static int64_t probe_listener_flags(uint32_t flags) {
  const int fd = listener();
  return fd < 0 ? kNothing : or_errno(ioctl(fd, SECCOMP_IOW(4, uint64_t), (unsigned long)flags));
}

static void ring(int signal) { (void)signal; }

// What a supervisor that waits gets once nobody is left under the filter.
static int64_t probe_receive_from_nobody(uint32_t unused) {
  (void)unused;
  const long flags = 0x400 | SIGCHLD;  // CLONE_FILES: the descriptor is in this table too
  *result = kNothing;
#ifdef __s390__
  const pid_t pid = (pid_t)syscall(SYS_clone, 0, flags, 0, 0, 0);
#else
  const pid_t pid = (pid_t)syscall(SYS_clone, flags, 0, 0, 0, 0);
#endif
  if (pid == 0) {
    *result = listener();
    _exit(0);
  }
  if (ending(pid) != 0) return kNothing;
  struct seccomp_notif notification;
  memset(&notification, 0, sizeof notification);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = ring;
  sigaction(SIGALRM, &action, NULL);
  alarm(3);
  return or_errno(ioctl((int)*result, SECCOMP_IOCTL_NOTIF_RECV, &notification));
}

// The buffer of a RECV: the argument is what its first word holds.
static int64_t probe_receive_into(uint32_t word_of_buffer) {
  struct notified_task task;
  if (!start_notified(&task)) return kNothing;
  task.notification.pid = word_of_buffer;
  return or_errno(receive(&task));
}

// What a call returns that a supervisor answers: the low 16 bits are its value, or with bit 16 its
// error.
static int64_t probe_reply(uint32_t argument) {
  struct notified_task task;
  if (!start_notified(&task) || receive(&task) != 0) return kNothing;
  struct seccomp_notif_resp reply = {task.notification.id, 0, 0, 0};
  if (argument >> 16) {
    reply.error = (int16_t)argument;
  } else {
    reply.val = (int16_t)argument;
  }
  if (ioctl(task.listener, SECCOMP_IOCTL_NOTIF_SEND, &reply) != 0) return kNothing;
  pthread_join(task.thread, NULL);
  return notified;
}

// In the order of probes.def's kinds.
static int64_t (*const kProbes[])(uint32_t) = {
    probe_set_filter,    probe_action_avail,   probe_notif_sizes,
    probe_operation,     probe_limit,          probe_returned,
    probe_number,        probe_high_number,    probe_dead_mode,
    probe_leader_status, probe_thread,         probe_core,
    probe_addfd,         probe_listener_flags, probe_receive_from_nobody,
    probe_receive_into,  probe_reply,
};

static int64_t probe(uint32_t kind, uint32_t argument) {
  if (kind >= sizeof kProbes / sizeof *kProbes) return kNothing;
  *result = kNothing;
  const pid_t pid = fork();
  if (pid == 0) {
    alarm(100);
    *result = kProbes[kind](argument);
    _exit(0);
  }
  const int64_t end = ending(pid);
  return end < 0 && *result == kNothing ? end : *result;
}
