; clone's flags are cut to 32 bits by the kernel
  ld [4]
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jne #56, bad
  ld [16]
  jset #0x7e020000, bad
  ja good
bad: ret #0x80000000
good: ret #0x7fff0000
