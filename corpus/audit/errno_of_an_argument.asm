; 39 + 473 is 512: the verdict is computed
  ld [4]
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jeq #0, good
  jne #39, bad
  ld [0]
  add #473
  or #0x00050000
  ret a
bad: ret #0x80000000
good: ret #0x7fff0000
