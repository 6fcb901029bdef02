; The same on riscv64 …
  ld [4]
  jne #0xc00000f3, bad
  ld [0]
  jeq #63, test
  ret #0x80000000
test: ld [16]
  tax
  ld #1
  lsh x
  jeq #1, good
bad: ret #0x80000000
good: ret #0x7fff0000
