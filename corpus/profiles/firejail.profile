# A player that needs no network but sockets of Unix.
caps.drop all
protocol unix,inet
seccomp !chroot,@mount,ptrace:ENOSYS
seccomp-error-action EACCES
memory-deny-write-execute
restrict-namespaces user,net
