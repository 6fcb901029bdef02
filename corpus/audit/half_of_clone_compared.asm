; … and so may be compared as a whole in the lower half
  ld [4]
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jne #56, bad
  ld [16]
  jeq #0x01200011, good
bad: ret #0x80000000
good: ret #0x7fff0000
