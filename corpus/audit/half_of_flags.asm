; mmap without PROT_EXEC: one bit, which is in the lower half
  ld [4]
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jne #9, bad
  ld [32]
  jset #4, bad
  ja good
bad: ret #0x80000000
good: ret #0x7fff0000
