; read is 3 on x86
  ld [4]
  jeq #0x40000003, x86
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jeq #0, good
  ret #0x80000000
x86: ld [0]
  jeq #3, good
bad: ret #0x80000000
good: ret #0x7fff0000
