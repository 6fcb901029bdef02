; A calculator
  ld [0]
  jge #0x40000000, kill
  jeq #0, allow
  jeq #1, allow
  jeq #3, allow
  jeq #11, allow
  jeq #60, allow
kill: ret #0x80000000
allow: ret #0x7fff0000
