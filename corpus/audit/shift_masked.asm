; The count is 31 at most
  ld [4]
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jeq #0, test
  ret #0x80000000
test: ld [16]
  and #31
  tax
  ld #1
  lsh x
  jeq #1, good
bad: ret #0x80000000
good: ret #0x7fff0000
