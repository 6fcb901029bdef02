; AT_FDCWD, all 64 bits of it
  ld [4]
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jne #257, bad
  ld [20]
  jne #0xffffffff, bad
  ld [16]
  jeq #0xffffff9c, good
bad: ret #0x80000000
good: ret #0x7fff0000
