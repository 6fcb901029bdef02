; Only to be nicer: setpriority with 0 and more
  ld [4]
  jne #0xc000003e, kill
  ld [0]
  jge #0x40000000, kill
  jne #141, allow
  ld [32]
  jge #0, allow
  ret #0x00050001
kill: ret #0x80000000
allow: ret #0x7fff0000
