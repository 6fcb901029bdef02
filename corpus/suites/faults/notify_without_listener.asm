; mount is asked of the manager
  ld [4]
  jne #0xc000003e, kill
  ld [0]
  jge #0x40000000, kill
  jeq #165, ask
  ret #0x7fff0000
ask: ret #0x7fc00000
kill: ret #0x80000000
