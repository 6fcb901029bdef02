// What calls cost in executed instructions: the guest's clock counts them (QEMU's -icount shift=0:
// a nanosecond of it is an instruction). Included by agent.c.

#include <sched.h>

enum { kMostCosts = 1024, kTogether = 16, kBlocks = 8 };

// Of each call, the instructions of kTogether of them; kNoCount where it did not come back.
static const uint32_t kNoCount = 0xffffffffU;
struct costs {
  uint32_t error;
  uint32_t done;
  uint32_t counts[kMostCosts];
};
static volatile struct costs* counted;

// Nanoseconds of the guest's clock, read without a call; 0 where that is not known how.
static uint64_t now(void) {
#if defined(__aarch64__)
  uint64_t ticks, frequency;
  __asm__ volatile("isb; mrs %0, cntvct_el0; mrs %1, cntfrq_el0" : "=r"(ticks), "=r"(frequency));
  return ticks * (1000000000U / frequency);
#elif defined(__x86_64__)
  uint32_t low, high;
  __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
  return (uint64_t)high << 32 | low;
#else
  return 0;
#endif
}

// A call as the request has it.
struct asked {
  uint32_t nr, unused;
  int64_t a[6];
};
static void make(const struct asked* it) {
  syscall((long)it->nr, (long)it->a[0], (long)it->a[1], (long)it->a[2], (long)it->a[3],
          (long)it->a[4], (long)it->a[5]);
}

// A child under the filters at `at`, which makes the calls from `first` on. Like others of the
// agent it may be unable to exit: it traps.
static void count_from(const uint8_t* at, uint32_t filters, const uint8_t* calls, uint32_t count,
                       uint32_t first) {
  const struct sched_param most = {50};
  sched_setscheduler(0, SCHED_FIFO, &most);
  for (uint32_t i = 0; i < filters && counted->error == 0; ++i) {
    const uint32_t length = word(at);
    counted->error = (uint32_t)install(at + 4, length);
    at += 4 + 8 * (size_t)length;
  }
  for (uint32_t i = first; counted->error == 0 && i < count; ++i) {
    struct asked it;
    memcpy(&it, calls + sizeof it * (size_t)i, sizeof it);
    uint64_t least = ~(uint64_t)0;
    for (int block = 0; block < kBlocks; ++block) {
      const uint64_t start = now();
      for (int j = 0; j < kTogether; ++j) make(&it);
      const uint64_t took = now() - start;
      if (took < least) least = took;
    }
    counted->counts[i] = (uint32_t)least;
    counted->done = i + 1;
  }
  __builtin_trap();
}

// Says what a stack's calls cost; returns where the next stack stands.
static const uint8_t* ask_costs(uint32_t index, const uint8_t* at) {
  const uint32_t filters = word(at);
  const uint32_t count = word(at + 4);
  const uint8_t* const stack = at + 8;
  at = stack;
  for (uint32_t i = 0; i < filters; ++i) at += 4 + 8 * (size_t)word(at);
  const uint8_t* const calls = at;
  at += sizeof(struct asked) * (size_t)count;
  if (count > kMostCosts) return at;
  for (uint32_t i = 0; i < count; ++i) counted->counts[i] = kNoCount;
  counted->error = 0;
  for (uint32_t first = 0; first < count && counted->error == 0; first = counted->done + 1) {
    counted->done = first;
    const pid_t pid = fork();
    if (pid == 0) count_from(stack, filters, calls, count, first);
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || counted->done >= count) break;
  }
  char* end = line + sprintf(line, "c %u %u ", index, counted->error);
  for (uint32_t i = 0; i < count && counted->error == 0; ++i) {
    end += sprintf(end, "%08x", counted->counts[i]);
  }
  say();
  return at;
}
