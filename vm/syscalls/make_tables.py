#!/usr/bin/env python3
"""Makes the syscall tables vm/syscalls/*.def from the kernel's own headers.

    apt-get download linux-libc-dev            # Debian's; from trixie on one package has every architecture
    dpkg-deb -x linux-libc-dev_7.2*.deb new    # 6.18 or newer
    dpkg-deb -x linux-libc-dev_6.12*.deb old   # the last series with 31-bit s390
    vm/syscalls/make_tables.py --headers new/usr/lib/linux/uapi --old old/usr/lib/linux/uapi

With --check nothing is written: the tables that stand in the project are compared with what would be made,
and each difference is shown. Every number is the one that `nr` of seccomp_data holds: x32's bit 30 and the
bases of MIPS are in it. A call of the old headers that the new ones lack is an error: a table up to
Linux 6.18 must not lose what a later kernel dropped.
"""

import argparse
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent

# Linux 6.18's last call is file_setattr. From 403 on a new call has one number on every architecture, above
# its base; 470 (listns, 6.19) and what follows came later. x32's own calls start at 512.
LAST = 469
FIRST_X32 = 512

# What came later to one architecture, by a number that others had before.
LATER = {
    # Proposed in January 2026, during 6.19-rc ("loongarch: wire up memfd_secret system call").
    ("loongarch64", "memfd_secret"),
}

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

# What the newest headers have and the last series with 31-bit s390 lacks; the numbers are those of every
# architecture (scripts/syscall.tbl).
S390_LATER = {"setxattrat": 463, "getxattrat": 464, "listxattrat": 465, "removexattrat": 466,
              "open_tree_attr": 467, "file_getattr": 468, "file_setattr": 469}

DEFINE = re.compile(r"^#define\s+__NR_(\w+)\s+(.+?)\s*(?:/\*.*)?$")
NOT_CALLS = re.compile(r"^(syscalls|Linux\w*|\w+_Linux\w*|SYSCALL_BASE|arch_specific_syscall|\d\w*)$")

# asm/unistd.h of ARM: calls of its kernel that no table has, and second names.
ARM_PRIVATE = re.compile(r"^#define\s+__ARM_NR_(\w+)\s+\(__ARM_NR_BASE\+(\d+)\)$")
ARM_PRIVATE_BASE = 0x0F0000
ALIAS = re.compile(r"^#define\s+__NR_(\w+)\s+__NR_(\w+)$")


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
        rows.append((value, match[1]))
    return rows


def read_arm_unistd(path, rows):
    """The private calls, and the second names of calls that `rows` has."""
    numbers = {call: nr for nr, call in rows}
    more = []
    for line in path.read_text().splitlines():
        if match := ARM_PRIVATE.match(line):
            more.append((ARM_PRIVATE_BASE + int(match[2]), match[1]))
        elif (match := ALIAS.match(line)) and match[2] in numbers:
            more.append((numbers[match[2]], match[1]))
    if (0xF0005, "set_tls") not in more or (341, "sync_file_range2") not in more:
        sys.exit(f"{path}: private calls or second names not found")
    return more


def is_later(abi, nr, call):
    """Whether a call is newer than Linux 6.18."""
    base = next(iter(TABLES[abi][2].values()), 0)
    return LAST < nr - base < FIRST_X32 or (abi, call) in LATER


def make(abi, headers, old):
    folder, name, macros = TABLES[abi]
    old_rows = read_header(old / folder / "asm" / name, macros)
    if abi == "s390":
        rows = old_rows
        have = {call for _, call in rows}
        rows += [(nr, call) for call, nr in S390_LATER.items() if call not in have]
    else:
        rows = read_header(headers / folder / "asm" / name, macros)
    if abi == "arm":
        rows += read_arm_unistd(headers / folder / "asm" / "unistd.h", rows)
    if lost := set(old_rows) - set(rows):
        sys.exit(f"{abi}: only the old headers have {sorted(lost)}")
    rows = [(nr, call) for nr, call in rows if not is_later(abi, nr, call)]
    if max(nr for nr, call in rows if call == "file_setattr") != LAST + next(iter(macros.values()), 0):
        sys.exit(f"{abi}: file_setattr is not where 6.18 has it")
    # The header's order decides between two names of one number: the table's own comes first.
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
    parser.add_argument("--old", type=pathlib.Path, required=True, metavar="DIR",
                        help="the same of a series that still has s390/asm/unistd_32.h, such as 6.12")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    options = parser.parse_args()
    differ = False
    for abi in TABLES:
        made = text(abi, make(abi, options.headers, options.old))
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
