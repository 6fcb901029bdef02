; What is logged is executed
  ld [4]
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jeq #39, bad
  ret #0x7ffc0000
bad: ret #0x80000000
