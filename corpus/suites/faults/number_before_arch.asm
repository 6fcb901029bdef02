; The frequent calls first
  ld [0]
  jeq #0, allow
  jeq #1, allow
  jeq #202, allow
  ld [4]
  jne #0xc000003e, kill
  ld [0]
  jge #0x40000000, kill
  jeq #3, allow
  jeq #60, allow
kill: ret #0x80000000
allow: ret #0x7fff0000
