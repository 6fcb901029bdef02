; The same by >=
  ld [4]
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jne #62, bad
  ld [16]
  jge #2, good
bad: ret #0x80000000
good: ret #0x7fff0000
