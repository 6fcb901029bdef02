; All
  ret #0x7fff0000
