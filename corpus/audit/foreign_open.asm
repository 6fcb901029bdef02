; x86 may do all
  ld [4]
  jeq #0x40000003, good
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jeq #0, good
bad: ret #0x80000000
good: ret #0x7fff0000
