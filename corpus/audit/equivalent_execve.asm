; execveat is left
  ld [4]
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jeq #59, no
  jeq #322, good
bad: ret #0x80000000
no: ret #0x00050001
good: ret #0x7fff0000
