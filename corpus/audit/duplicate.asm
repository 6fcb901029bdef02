; 5 is asked for twice
  ld [4]
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jeq #5, bad
  jeq #0, good
  jeq #5, bad
  jeq #1, good
bad: ret #0x80000000
good: ret #0x7fff0000
