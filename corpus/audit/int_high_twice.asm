; Level and name of setsockopt, all 64 bits of them
  ld [4]
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jne #54, bad
  ld [28]
  jne #0, bad
  ld [24]
  jne #1, bad
  ld [36]
  jne #0, bad
  ld [32]
  jeq #9, good
bad: ret #0x80000000
good: ret #0x7fff0000
