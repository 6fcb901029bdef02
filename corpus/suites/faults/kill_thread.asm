; A renderer, and what ends it
  ld [4]
  jne #0xc000003e, kill
  ld [0]
  jeq #0, allow
  jeq #1, allow
  jeq #202, allow
  jeq #231, allow
kill: ret #0
allow: ret #0x7fff0000
