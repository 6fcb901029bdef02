; A list of what is allowed has no x32 numbers
  ld [4]
  jne #0xc000003e, bad
  ld [0]
  jeq #0, good
  jeq #1, good
bad: ret #0x80000000
good: ret #0x7fff0000
