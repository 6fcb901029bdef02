; Nobody types into the terminal of others: TIOCSTI
  ld [4]
  jne #0xc000003e, kill
  ld [0]
  jge #0x40000000, kill
  jne #16, allow
  ld [24]
  jeq #0x5412, deny
allow: ret #0x7fff0000
deny: ret #0x00050001
kill: ret #0x80000000
