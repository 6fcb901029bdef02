// Runs AArch64 machine code on inputs, for a test: under qemu-aarch64, or on such a machine. It
// needs no libc. Standard input: for each program two words, the bytes of its code and the count of
// its inputs, then the code and the inputs (64 bytes each); standard output: a word for each input.
typedef unsigned int word;
typedef unsigned long number;

enum { kRead = 63, kWrite = 64, kExit = 93, kMunmap = 215, kMmap = 222, kMprotect = 226 };
enum { kMostInputs = 4096 };

static struct {
  word words[16];
} inputs[kMostInputs];
static word results[kMostInputs];

static long call(long number_of_call, number a, number b, number c, number d, number e, number f) {
  register long x8 __asm__("x8") = number_of_call;
  register number x0 __asm__("x0") = a;
  register number x1 __asm__("x1") = b;
  register number x2 __asm__("x2") = c;
  register number x3 __asm__("x3") = d;
  register number x4 __asm__("x4") = e;
  register number x5 __asm__("x5") = f;
  __asm__ volatile("svc 0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory");
  return (long)x0;
}

_Noreturn static void leave(int code) {
  for (;;) call(kExit, (number)code, 0, 0, 0, 0, 0);
}

// All bytes, or 0 where the input ends before the first; an input that ends in between is wrong.
static int fill(void* to, number size) {
  number got = 0;
  while (got < size) {
    const long n = call(kRead, 0, (number)to + got, size - got, 0, 0, 0);
    if (n < 0) leave(3);
    if (n == 0) break;
    got += (number)n;
  }
  if (got == size) return 1;
  if (got != 0) leave(4);
  return 0;
}

static void put(const void* from, number size) {
  number done = 0;
  while (done < size) {
    const long n = call(kWrite, 1, (number)from + done, size - done, 0, 0, 0);
    if (n <= 0) leave(5);
    done += (number)n;
  }
}

// Data and instruction caches are apart.
static void make_seen(number start, number size) {
  for (number at = start; at < start + size; at += 16) __asm__ volatile("dc cvau, %0" ::"r"(at));
  __asm__ volatile("dsb ish" ::: "memory");
  for (number at = start; at < start + size; at += 16) __asm__ volatile("ic ivau, %0" ::"r"(at));
  __asm__ volatile("dsb ish\n\tisb" ::: "memory");
}

void _start(void) {
  struct {
    word code;
    word inputs;
  } sizes;
  while (fill(&sizes, sizeof sizes)) {
    if (sizes.code == 0 || sizes.inputs > kMostInputs) leave(6);
    const long pages = call(kMmap, 0, sizes.code, 3, 0x22, ~0UL, 0);  // readable, writable
    if (pages < 0 && pages > -4096) leave(7);
    if (!fill((void*)pages, sizes.code)) leave(4);
    if (sizes.inputs != 0 && !fill(inputs, sizes.inputs * sizeof inputs[0])) leave(4);
    if (call(kMprotect, (number)pages, sizes.code, 5, 0, 0, 0) != 0) leave(8);  // executable
    make_seen((number)pages, sizes.code);
    word (*const function)(const void*) = (word(*)(const void*))pages;
    for (word i = 0; i < sizes.inputs; ++i) results[i] = function(&inputs[i]);
    put(results, sizes.inputs * sizeof results[0]);
    call(kMunmap, (number)pages, sizes.code, 0, 0, 0, 0);
  }
  leave(0);
}
