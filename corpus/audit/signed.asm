; kill of any process but 0 and 1: of -1 too, which is all
  ld [4]
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jne #62, bad
  ld [16]
  jgt #1, good
bad: ret #0x80000000
good: ret #0x7fff0000
