; socketcall(1) is denied, too
  ld [4]
  jne #0x40000003, bad
  ld [0]
  jeq #359, no
  jne #102, bad
  ld [16]
  jeq #1, no
  ja good
bad: ret #0x80000000
no: ret #0x00050001
good: ret #0x7fff0000
