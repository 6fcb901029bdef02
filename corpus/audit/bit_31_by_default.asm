; The same for all
  ld [4]
  jne #0xc000003e, bad
  ret #0xffff0000
bad: ret #0x80000000
