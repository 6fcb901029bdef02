; Where a pointer points to
  ld [4]
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jne #257, bad
  ld [28]
  jgt #0x7fff, bad
  ja good
bad: ret #0x80000000
good: ret #0x7fff0000
