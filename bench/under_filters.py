#!/usr/bin/env python3
"""Runs a command under filters, as they are, and nothing else.

  bench/under_filters.py [FILTER.bpf...] -- COMMAND [ARGUMENT...]

The files, if any, hold struct sock_filter of this machine; the first is installed first. x86_64 and aarch64; sets no_new_privs.
"""

import ctypes
import os
import platform
import sys

PR_SET_NO_NEW_PRIVS = 38
SECCOMP_SET_MODE_FILTER = 1
SECCOMP = {"x86_64": 317, "aarch64": 277}


class Program(ctypes.Structure):
    """struct sock_fprog"""

    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def main():
    if "--" not in sys.argv or sys.argv[-1] == "--":
        sys.exit(__doc__)
    cut = sys.argv.index("--")
    filters, command = sys.argv[1:cut], sys.argv[cut + 1:]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        sys.exit("under_filters: no_new_privs cannot be set")
    programs = [open(path, "rb").read() for path in filters]
    for path, code in zip(filters, programs):
        program = Program(len(code) // 8, code)
        if libc.syscall(SECCOMP[platform.machine()], SECCOMP_SET_MODE_FILTER, 0, ctypes.byref(program)) != 0:
            sys.exit(f"under_filters: {path}: {os.strerror(ctypes.get_errno())}")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
