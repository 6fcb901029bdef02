; Memory by the megabyte and no more
  ld [4]
  jne #0xc000003e, kill
  ld [0]
  jge #0x40000000, kill
  jeq #0, allow
  jeq #1, allow
  jeq #60, allow
  jne #9, kill
  ld [24]
  jgt #0x100000, kill
allow: ret #0x7fff0000
kill: ret #0x80000000
