; The same without x32
  ld [4]
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jeq #59, bad
  jeq #322, bad
  ret #0x7fff0000
bad: ret #0x80000000
