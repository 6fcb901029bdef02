; Of the builder: it may mount, but not move the root
  ld [4]
  jne #0xc000003e, kill
  ld [0]
  jeq #155, deny
  ret #0x7fff0000
deny: ret #0x00050001
kill: ret #0x80000000
