; Both halves
  ld [4]
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jne #0, bad
  ld [36]
  jne #0, bad
  ld [32]
  jeq #4, good
bad: ret #0x80000000
good: ret #0x7fff0000
