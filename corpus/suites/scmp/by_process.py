#!/usr/bin/env python3
"""Runs .tests files as libseccomp's own runner does: for every case the generator, and then the
simulator, each as a process of its own. It shares no code with Callgate: names are resolved by
libseccomp, columns are read here.

usage: by_process.py SIMULATOR GENERATORS [--sample N] [--disagree WORD] FILE...

Of a line's calls on an architecture the first N are run, and the last. --disagree WORD: that many
failures of a simulator that answers WORD are no failures (a simulator that cannot do more).
"""
import argparse
import ctypes
import ctypes.util
import itertools
import os
import platform
import re
import subprocess
import sys
import tempfile

LITTLE = "x86 x86_64 x32 arm aarch64 loongarch64 mipsel mipsel64 mipsel64n32 ppc64le riscv64 sh".split()
BIG = "m68k mips mips64 mips64n32 parisc parisc64 ppc ppc64 s390 s390x sheb".split()
BITS_32 = "x86 x32 arm m68k mips mipsel mips64n32 mipsel64n32 parisc ppc s390 sheb sh".split()
BITS_64 = "x86_64 aarch64 loongarch64 mips64 parisc64 ppc64 riscv64 s390x".split()
SETS = {"all": LITTLE + BIG, "all_le": LITTLE, "all_be": BIG, "all_32": BITS_32, "all_64": BITS_64}

libseccomp = ctypes.CDLL(ctypes.util.find_library("seccomp") or "libseccomp.so.2")


def token(arch):
    return libseccomp.seccomp_arch_resolve_name(arch.encode()) & 0xFFFFFFFF


def arches_of(column, native):
    wanted, removed = [], []
    for item in column.split(","):
        sign = item[0] if item[0] in "+-" else ""
        name = item[len(sign):]
        if sign == "-":
            removed.append(name)
            continue
        # A group is of the architectures that libseccomp knows.
        group = [arch for arch in SETS[name] if token(arch)] if name in SETS else [name]
        wanted += [arch for arch in group if sign == "+" or arch == native]
    return [arch for arch in dict.fromkeys(wanted) if arch not in removed]


def span(text):
    match = re.fullmatch(r"([0-9a-fA-Fx]+)-([0-9a-fA-Fx]+)", text)
    if not match:
        return [text]
    first, last = (int(each, 0) for each in match.groups())
    return range(first, last + 1)


def numbers(column, arch):
    if re.match(r"-?[0-9]", column):
        return span(column)
    if not token(arch):
        return []  # this libseccomp has no table of it
    return [libseccomp.seccomp_syscall_resolve_name_rewrite(ctypes.c_uint32(token(arch)), column.encode())]


def sampled(cases, count):
    first = list(itertools.islice(cases, count))
    last = None
    for last in itertools.islice(cases, 5000):
        pass
    return first if last is None else first + [last]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("simulator")
    parser.add_argument("generators")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--sample", type=int, default=2)
    parser.add_argument("--disagree")
    given = parser.parse_args()
    native = {"x86_64": "x86_64", "aarch64": "aarch64"}.get(platform.machine(), platform.machine())
    run, failed, unsaid = 0, 0, 0
    folder = tempfile.mkdtemp()
    filter_file = os.path.join(folder, "filter")
    for path in given.files:
        kind, line_number = None, 0
        for line in open(path, encoding="utf-8"):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            if line.startswith("test type: "):
                kind = line.removeprefix("test type: ")
                continue
            line_number += 1
            if kind != "bpf-sim":
                continue
            name, arches, syscall, *arguments, expected = line.split()
            for arch in arches_of(arches, native):
                spans = [[None] if each == "N" else span(each) for each in arguments]
                cases = itertools.product(numbers(syscall, arch), *spans)
                for case, (number, *values) in enumerate(sampled(cases, given.sample), 1):
                    with open(filter_file, "wb") as out:
                        subprocess.run([os.path.join(given.generators, name), "-b"], stdout=out, check=True)
                    words = [given.simulator, "-a", arch, "-f", filter_file, "-s", str(number)]
                    for index, value in enumerate(values):
                        words += [] if value is None else [f"-{index}", str(value)]
                    ended = subprocess.run(words, capture_output=True, text=True, check=False)
                    word = ended.stdout.rstrip("\n")
                    run += 1
                    if ended.returncode == 0 and word == expected:
                        continue
                    if given.disagree and ended.stderr.startswith(given.disagree):
                        unsaid += 1
                        continue
                    failed += 1
                    print(f"{path}: data line {line_number}, case {case} [{arch}]: {' '.join(words[1:])}: "
                          f"expected {expected}, got {word or ended.stderr.strip()} ({ended.returncode})")
    os.remove(filter_file)
    os.rmdir(folder)
    print(f"{run} cases, {failed} failed" + (f", {unsaid} answered {given.disagree}" if given.disagree else ""))
    return 1 if failed or not run else 0


if __name__ == "__main__":
    sys.exit(main())
