; ALLOW with data
  ld [4]
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jeq #0, ok
bad: ret #0x80000000
ok: ret #0x7fff0001
