; No other ABI of this machine is known
  ld [0]
  jeq #63, good
  jeq #11, good
  ret #0x80000000
good: ret #0x7fff0000
