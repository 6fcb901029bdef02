; Of the runtime: processes are not started anew
  ld [4]
  jne #0xc000003e, kill
  ld [0]
  jge #0x40000000, kill
  jeq #435, kill
  ret #0x7fff0000
kill: ret #0x80000000
