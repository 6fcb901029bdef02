; The number before
  ld [4]
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jeq #39, no
  jeq #0, good
bad: ret #0x80000000
no: ret #0x000501ff
good: ret #0x7fff0000
