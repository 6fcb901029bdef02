#!/usr/bin/env python3
"""Makes harness/audit/argument_kinds.def from the prototypes of the kernel's syscalls.

    apt-get download linux-headers-6.12.…-common       # Debian's
    dpkg-deb -x linux-headers-*.deb headers
    harness/audit/make_argument_kinds.py headers/usr/src/linux-headers-*/include/linux/syscalls.h

What a prototype does not say, or says otherwise than the kernel's code goes on, stands in OWN below.
"""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent

KINDS = {
    "i": ["int", "pid_t", "clockid_t", "timer_t", "mqd_t", "key_t", "key_serial_t", "__s32", "rwf_t",
          "enum landlock_rule_type"],
    "u": ["unsigned int", "unsigned", "u32", "__u32", "uint32_t", "umode_t", "uid_t", "gid_t", "old_uid_t",
          "old_gid_t", "qid_t"],
    "w": ["unsigned long", "size_t", "aio_context_t", "old_sigset_t", "u64", "__u64", "uint64_t"],
    "l": ["long", "off_t", "loff_t"],
    "p": ["cap_user_header_t", "cap_user_data_t", "const cap_user_data_t", "__sighandler_t"],
}

# Not in the header, later than it, or cut to 32 bits in the kernel's code though the prototype has a word.
OWN = {
    "clone": "uwpww",       # the last two change places between architectures; kernel_clone_args.flags = lower_32_bits(clone_flags)
    "ptrace": "liww",       # find_get_task_by_vpid() takes a pid_t
    "mmap": "wwwwiw",       # fget() takes an unsigned int
    "mmap2": "wwwwiw",
    "mmap_pgoff": "wwwwiw",
    "fork": "", "vfork": "", "rt_sigreturn": "", "sigreturn": "",
    "execve": "ppp", "execveat": "ipppi",
    "clone3": "pw",
    "arch_prctl": "iw", "iopl": "u", "ioperm": "wwi", "modify_ldt": "ipw",
    "set_thread_area": "p", "get_thread_area": "p",
    "uretprobe": "", "uprobe": "",
    "setxattrat": "ipuppw", "getxattrat": "ipuppw", "listxattrat": "ipupw", "removexattrat": "ipup",
    "open_tree_attr": "ipupw", "file_getattr": "ippwu", "file_setattr": "ippwu",
}


def kinds_of(name, arguments):
    out = ""
    for argument in [] if arguments in ("void", "") else arguments.split(","):
        argument = argument.strip()
        if "*" in argument:
            out += "p"
            continue
        known = {each: letter for letter, types in KINDS.items() for each in types}
        words = argument.split()
        letter = known.get(argument) or known.get(" ".join(words[:-1]))
        if letter is None:
            sys.exit(f"{name}: what is '{argument}'?")
        out += letter
    return out


def main():
    text = re.sub(r"/\*.*?\*/", "", pathlib.Path(sys.argv[1]).read_text(), flags=re.S)
    rows = {}
    for match in re.finditer(r"asmlinkage\s+[\w ]+?\s+sys_(\w+)\s*\(([^;]*?)\)\s*;", text, re.S):
        rows.setdefault(match.group(1), kinds_of(match.group(1), re.sub(r"\s+", " ", match.group(2)).strip()))
    # The ABIs' names of what the kernel's functions are called.
    for name, function in {"umount2": "umount", "uname": "newuname", "stat": "newstat", "fstat": "newfstat",
                           "lstat": "newlstat", "newfstatat": "newfstatat", "sendfile": "sendfile64",
                           "_llseek": "llseek", "_sysctl": "sysctl", "fadvise64": "fadvise64"}.items():
        if function in rows:
            rows[name] = rows[function]
    rows.update(OWN)
    known = set()
    for table in (HERE.parent.parent / "vm" / "syscalls").glob("*.def"):
        known |= set(re.findall(r"^SYSCALL\(\w+, (\w+)\)", table.read_text(), re.M))
    out = ["// What the kernel takes each argument of a syscall as, on 64-bit ABIs. Made by make_argument_kinds.py from",
           "// include/linux/syscalls.h of Linux 6.12, with what the kernel's code does besides; not edited by hand.",
           "//",
           "// ARGUMENTS(name, kinds): a letter for each argument that it has",
           "//   i  a signed number of 32 bits: the upper half of the register is not looked at",
           "//   u  an unsigned number of 32 bits or less: likewise",
           "//   w  an unsigned number of 64 bits",
           "//   l  a signed number of 64 bits",
           "//   p  a pointer",
           "// A call that is not here is not known: nothing is said of its arguments.",
           "// clang-format off"]
    out += [f'ARGUMENTS({name}, "{kinds}")' for name, kinds in sorted(rows.items()) if name in known]
    out += ["// clang-format on", ""]
    (HERE / "argument_kinds.def").write_text("\n".join(out))
    missing = sorted(set(re.findall(r"^SYSCALL\(\w+, (\w+)\)",
                                    (HERE.parent.parent / "vm/syscalls/x86_64.def").read_text(), re.M)) - rows.keys())
    print(f"{len(out) - 13} calls; of x86_64's not known: {' '.join(missing)}")


if __name__ == "__main__":
    main()
