; What is denied whatever it is needs no architecture
  ret #0x80000000
