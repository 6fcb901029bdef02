; Of the runtime: processes are not started anew
  ld [4]
  jne #0xc000003e, kill
  ld [0]
  jge #0x40000000, kill
  jeq #435, none
  ret #0x7fff0000
none: ret #0x00050026
kill: ret #0x80000000
