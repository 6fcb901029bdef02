; rt_sigaction that only asks
  ld [4]
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jne #13, bad
  ld [28]
  jne #0, bad
  ld [24]
  jeq #0, good
bad: ret #0x80000000
good: ret #0x7fff0000
