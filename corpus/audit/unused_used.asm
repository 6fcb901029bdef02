; close has one
  ld [4]
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jne #3, bad
  ld [16]
  jeq #5, good
bad: ret #0x80000000
good: ret #0x7fff0000
