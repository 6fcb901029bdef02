; All but aarch64 is allowed
  ld [4]
  jne #0xc00000b7, good
  ld [0]
  jeq #63, good
  ret #0x80000000
good: ret #0x7fff0000
