; clone3 is said not to be there, so that clone is taken
  ld [4]
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jeq #435, no
  jeq #56, good
bad: ret #0x80000000
no: ret #0x00050026
good: ret #0x7fff0000
