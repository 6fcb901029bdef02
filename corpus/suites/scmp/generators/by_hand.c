/* Without libseccomp: instructions that libseccomp never writes and its simulator does not know,
 * for architectures that its release 2.5 does not know.
 *
 * With an argument of the call: ERRNO(how many bits of its low word are set), a bit at a time; with
 * bit 31 of the high word set KILL_PROCESS; by the number -2 a listener decides. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* As the kernel's header has them. */
enum { LD = 0x00, ST = 0x02, ALU = 0x04, JMP = 0x05, RET = 0x06, MISC = 0x07 };
enum { W_ABS = 0x20, IMM = 0x00, MEM = 0x60 };
enum { ADD = 0x00, OR = 0x40, AND = 0x50, RSH = 0x70, JEQ = 0x10, JSET = 0x40, TAX = 0x00 };
enum { K = 0x00, X = 0x08, A = 0x10 };

struct instruction {
  uint16_t code;
  uint8_t jt;
  uint8_t jf;
  uint32_t k;
};

static struct instruction program[4096];
static size_t length = 0;

static void add(int code, uint8_t jt, uint8_t jf, uint32_t k) {
  const struct instruction instruction = {(uint16_t)code, jt, jf, k};
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
  add(LD | W_ABS, 0, 0, 0);
  add(JMP | JEQ | K, 0, 1, 0xfffffffeU);
  add(RET | K, 0, 0, 0x7fc00000U);
  add(LD | W_ABS, 0, 0, high);
  add(JMP | JSET | K, 0, 1, 0x80000000U);
  add(RET | K, 0, 0, 0x80000000U);
  /* M[0]: what is left, M[1]: how many */
  add(LD | W_ABS, 0, 0, low);
  add(ST, 0, 0, 0);
  add(LD | IMM, 0, 0, 0);
  add(ST, 0, 0, 1);
  for (int i = 0; i < 32; ++i) {
    /* X = left & 1; M[1] += X; left >>= 1 */
    add(LD | MEM, 0, 0, 0);
    add(ALU | AND | K, 0, 0, 1);
    add(MISC | TAX, 0, 0, 0);
    add(LD | MEM, 0, 0, 1);
    add(ALU | ADD | X, 0, 0, 0);
    add(ST, 0, 0, 1);
    add(LD | MEM, 0, 0, 0);
    add(ALU | RSH | K, 0, 0, 1);
    add(ST, 0, 0, 0);
  }
  add(LD | MEM, 0, 0, 1);
  add(ALU | OR | K, 0, 0, 0x00050000U);
  add(RET | A, 0, 0, 0);
  /* As long as the kernel takes: the simulator takes 4095. */
  while (length < 4096) add(RET | K, 0, 0, 0);
  for (size_t i = 0; i < length; ++i) {
    put(program[i].code, 2);
    put(program[i].jt, 1);
    put(program[i].jf, 1);
    put(program[i].k, 4);
  }
  return fflush(stdout) == 0 ? 0 : 1;
}
