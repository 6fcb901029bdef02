#!/usr/bin/env python3
"""Makes the syscall tables vm/syscalls/*.def from the kernel's own headers.

    apt-get download linux-libc-dev            # Debian's; from trixie on one package has every architecture
    dpkg-deb -x linux-libc-dev_7.2*.deb new
    dpkg-deb -x linux-libc-dev_6.12*.deb old   # the last series with 31-bit s390
    vm/syscalls/make_tables.py --headers new/usr/lib/linux/uapi --s390 old/usr/lib/linux/uapi

With --check nothing is written: the tables that stand in the project are compared with what would be made,
and each difference is shown. Every number is the one that `nr` of seccomp_data holds: x32's bit 30 and the
bases of MIPS are in it.
"""

import argparse
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent

# What came after Linux 6.18, by the number that all architectures share above their base.
LATER = {"listns": "6.19", "rseq_slice_yield": "7.0"}

# ABI: (folder, header, what the macros in its numbers stand for)
TABLES = {
    "x86_64": ("x86", "unistd_64.h", {}),
    "x86": ("x86", "unistd_32.h", {}),
    "x32": ("x86", "unistd_x32.h", {"__X32_SYSCALL_BIT": 0x40000000}),
    "arm": ("arm", "unistd-eabi.h", {"__NR_SYSCALL_BASE": 0}),
    "aarch64": ("arm64", "unistd_64.h", {}),
    "loongarch64": ("loongarch", "unistd_64.h", {}),
    "m68k": ("m68k", "unistd_32.h", {}),
    "mips": ("mips", "unistd_o32.h", {"__NR_Linux": 4000}),
    "mipsel": ("mips", "unistd_o32.h", {"__NR_Linux": 4000}),
    "mips64": ("mips", "unistd_n64.h", {"__NR_Linux": 5000}),
    "mipsel64": ("mips", "unistd_n64.h", {"__NR_Linux": 5000}),
    "mips64n32": ("mips", "unistd_n32.h", {"__NR_Linux": 6000}),
    "mipsel64n32": ("mips", "unistd_n32.h", {"__NR_Linux": 6000}),
    "parisc": ("parisc", "unistd_32.h", {"__NR_Linux": 0}),
    "parisc64": ("parisc", "unistd_64.h", {"__NR_Linux": 0}),
    "ppc": ("powerpc", "unistd_32.h", {}),
    "ppc64": ("powerpc", "unistd_64.h", {}),
    "ppc64le": ("powerpc", "unistd_64.h", {}),
    "riscv64": ("riscv", "unistd_64.h", {}),
    "s390": ("s390", "unistd_32.h", {}),
    "s390x": ("s390", "unistd_64.h", {}),
    "sheb": ("sh", "unistd_32.h", {}),
    "sh": ("sh", "unistd_32.h", {}),
}

# Calls of ARM's kernel that are no part of the numbered table (asm/unistd.h: __ARM_NR_*).
ARM_PRIVATE = {"breakpoint": 1, "cacheflush": 2, "usr26": 3, "usr32": 4, "set_tls": 5, "get_tls": 6}

# What the newest headers have and the last series with 31-bit s390 lacks; the numbers are those of every
# architecture (scripts/syscall.tbl).
S390_LATER = {"setxattrat": 463, "getxattrat": 464, "listxattrat": 465, "removexattrat": 466,
              "open_tree_attr": 467, "file_getattr": 468, "file_setattr": 469}

DEFINE = re.compile(r"^#define\s+__NR_(\w+)\s+(.+?)\s*(?:/\*.*)?$")
NOT_CALLS = re.compile(r"^(syscalls|Linux\w*|\w+_Linux\w*|SYSCALL_BASE|arch_specific_syscall|\d\w*)$")


def number(text, macros):
    """The value of `12`, `(__NR_Linux + 12)`; None for anything else."""
    total = 0
    for part in text.strip("()").split("+"):
        part = part.strip()
        if part in macros:
            total += macros[part]
        elif re.fullmatch(r"\d+", part):
            total += int(part)
        else:
            return None
    return total


def read_header(path, macros):
    rows = []
    for line in path.read_text().splitlines():
        match = DEFINE.match(line)
        if not match or NOT_CALLS.match(match[1]):
            continue
        value = number(match[2], macros)
        if value is None:
            sys.exit(f"{path}: not understood: {line}")
        if match[1] not in LATER:
            rows.append((value, match[1]))
    return rows


def make(abi, headers, s390):
    folder, name, macros = TABLES[abi]
    root = s390 if abi == "s390" else headers
    rows = read_header(root / folder / "asm" / name, macros)
    if abi == "arm":
        rows += [(0x0F0000 + offset, call) for call, offset in ARM_PRIVATE.items()]
    if abi == "s390":
        have = {call for _, call in rows}
        rows += [(nr, call) for call, nr in S390_LATER.items() if call not in have]
    # The header's order decides between two names of one number.
    return sorted(rows, key=lambda row: row[0])


def text(abi, rows):
    lines = [f"// Syscalls of {abi}, up to Linux 6.18. Made by vm/syscalls/make_tables.py; not edited by hand.",
             "// clang-format off"]
    lines += [f"SYSCALL({nr:#x}U, {name})" if nr >= 0x10000 else f"SYSCALL({nr}, {name})"
              for nr, name in rows]
    return "\n".join(lines + ["// clang-format on"]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--headers", type=pathlib.Path, required=True, metavar="DIR",
                        help="with a folder for each architecture: x86/asm/unistd_64.h and so on")
    parser.add_argument("--s390", type=pathlib.Path, required=True, metavar="DIR",
                        help="the same of a series that still has s390/asm/unistd_32.h")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    options = parser.parse_args()
    differ = False
    for abi in TABLES:
        made = text(abi, make(abi, options.headers, options.s390))
        path = HERE / f"{abi}.def"
        if not options.check:
            path.write_text(made)
            continue
        old = set(path.read_text().splitlines()) if path.exists() else set()
        for line in sorted(old ^ set(made.splitlines())):
            differ = True
            print(f"{path.name}: {'no longer made' if line in old else 'missing'}: {line}")
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
