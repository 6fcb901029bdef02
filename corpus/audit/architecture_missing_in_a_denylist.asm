; execve and execveat are 59 and 322 here
  ld [0]
  jge #0x40000000, bad
  jeq #59, bad
  jeq #322, bad
  ret #0x7fff0000
bad: ret #0x80000000
