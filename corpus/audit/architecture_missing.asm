; munmap is 11 here, and execve is 11 on x86
  ld [0]
  jge #0x40000000, bad
  jeq #0, good
  jeq #11, good
bad: ret #0x80000000
good: ret #0x7fff0000
