; socket is 359, and socketcall(1)
  ld [4]
  jne #0x40000003, bad
  ld [0]
  jeq #359, no
  jeq #102, good
bad: ret #0x80000000
no: ret #0x00050001
good: ret #0x7fff0000
