/* Without libseccomp: instructions that libseccomp never writes and its simulator does not know,
 * for architectures that its release 2.5 does not know.
 *
 * With an argument of the call: ERRNO(popcount of its low word), by Kernighan's loop unrolled; with
 * bit 31 of the high word set KILL_PROCESS; by the number -2 a listener decides. */
#include <linux/filter.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static struct sock_filter program[4096];
static size_t length = 0;

static void add(uint16_t code, uint8_t jt, uint8_t jf, uint32_t k) {
  const struct sock_filter instruction = {code, jt, jf, k};
  program[length++] = instruction;
}

/* Fields in the byte order of the architecture, as libseccomp exports them. */
static void put(uint64_t value, size_t bytes) {
#ifdef BIG_ENDIAN_ARCHES
  for (size_t i = bytes; i-- > 0;) putchar((int)(value >> (8 * i) & 0xff));
#else
  for (size_t i = 0; i < bytes; ++i) putchar((int)(value >> (8 * i) & 0xff));
#endif
}

int main(int argc, char** argv) {
  if (argc != 2 || strcmp(argv[1], "-b") != 0) {
    fprintf(stderr, "usage: %s -b\n", argv[0]);
    return 2;
  }
#ifdef BIG_ENDIAN_ARCHES
  const uint32_t high = 16, low = 20;
#else
  const uint32_t high = 20, low = 16;
#endif
  add(BPF_LD | BPF_W | BPF_ABS, 0, 0, 0);
  add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0xfffffffeU);
  add(BPF_RET | BPF_K, 0, 0, 0x7fc00000U);
  add(BPF_LD | BPF_W | BPF_ABS, 0, 0, high);
  add(BPF_JMP | BPF_JSET | BPF_K, 0, 1, 0x80000000U);
  add(BPF_RET | BPF_K, 0, 0, 0x80000000U);
  /* M[0]: what is left, M[1]: how many */
  add(BPF_LD | BPF_W | BPF_ABS, 0, 0, low);
  add(BPF_ST, 0, 0, 0);
  add(BPF_LD | BPF_IMM, 0, 0, 0);
  add(BPF_ST, 0, 0, 1);
  for (int i = 0; i < 32; ++i) {
    /* X = left & 1; M[1] += X; left >>= 1 */
    add(BPF_LD | BPF_MEM, 0, 0, 0);
    add(BPF_ALU | BPF_AND | BPF_K, 0, 0, 1);
    add(BPF_MISC | BPF_TAX, 0, 0, 0);
    add(BPF_LD | BPF_MEM, 0, 0, 1);
    add(BPF_ALU | BPF_ADD | BPF_X, 0, 0, 0);
    add(BPF_ST, 0, 0, 1);
    add(BPF_LD | BPF_MEM, 0, 0, 0);
    add(BPF_ALU | BPF_RSH | BPF_K, 0, 0, 1);
    add(BPF_ST, 0, 0, 0);
  }
  add(BPF_LD | BPF_MEM, 0, 0, 1);
  add(BPF_ALU | BPF_OR | BPF_K, 0, 0, 0x00050000U);
  add(BPF_RET | BPF_A, 0, 0, 0);
  /* As long as the kernel takes: the simulator takes 4095. */
  while (length < 4096) add(BPF_RET | BPF_K, 0, 0, 0);
  for (size_t i = 0; i < length; ++i) {
    put(program[i].code, 2);
    put(program[i].jt, 1);
    put(program[i].jf, 1);
    put(program[i].k, 4);
  }
  return fflush(stdout) == 0 ? 0 : 1;
}
