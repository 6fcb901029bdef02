; Flags that are not known are denied, in the lower half alone
  ld [4]
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jne #165, bad
  ld [40]
  jset #0xfffffff0, bad
  ja good
bad: ret #0x80000000
good: ret #0x7fff0000
