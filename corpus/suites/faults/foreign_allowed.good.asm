; Programs of other architectures are none of this filter's business
  ld [4]
  jne #0xc000003e, deny
  ld [0]
  jge #0x40000000, deny
  jeq #101, deny
  jeq #165, deny
  jeq #161, deny
allow: ret #0x7fff0000
deny: ret #0x00050001
