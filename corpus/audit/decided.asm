; What is 100 and more is more than 50
  ld [4]
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jge #100, over
  jeq #0, good
  ja bad
over: jgt #50, more
  ret #0x00050001
more: jeq #102, good
bad: ret #0x80000000
good: ret #0x7fff0000
