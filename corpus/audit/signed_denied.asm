; Negative ones are denied with the large ones
  ld [4]
  jne #0xc000003e, bad
  ld [0]
  jge #0x40000000, bad
  jne #62, bad
  ld [16]
  jgt #1, bad
  ja good
bad: ret #0x80000000
good: ret #0x7fff0000
