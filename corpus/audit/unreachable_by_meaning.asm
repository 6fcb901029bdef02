; Numbers below 100 are not 200
  ld [4]
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jge #100, over
  jeq #200, never
  jeq #0, good
  ja bad
never: ret #0x00030000
over: jeq #101, bad
  jeq #102, good
bad: ret #0x80000000
good: ret #0x7fff0000
