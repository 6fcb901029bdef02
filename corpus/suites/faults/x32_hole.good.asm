; What the kernel is changed by
  ld [4]
  jne #0xc000003e, kill
  ld [0]
  jge #0x40000000, kill
  jeq #175, deny
  jeq #313, deny
  jeq #176, deny
  jeq #246, deny
  ret #0x7fff0000
deny: ret #0x00050001
kill: ret #0x80000000
