#!/usr/bin/env python3
"""A thousand abuses of the command line: abuse_test.py CALLGATE [ADDRESS_SPACE_GIB]

All subcommands with files that are missing, empty, huge, binary or not to be read, with standard output
closed, full or a pipe without a reader, with wrong, too many and very long words. Each must end with a
code that is documented, and say why where that is not 0; by no signal, in time and in memory; and leave
no file behind that is not whole. Prints how many there were of each kind, and what time they took.
Without a limit of memory (a build with sanitizers) it is a third of them."""

import collections
import concurrent.futures
import os
import pty
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

CALLGATE = os.path.abspath(sys.argv[1])
MEMORY = int(sys.argv[2]) if len(sys.argv) > 2 else 0
# Without a limit of memory it is a build with sanitizers: slower, and given less.
SECONDS = 20 if MEMORY else 120
HUGE = 5 << 30 if MEMORY else 64 << 20
NOBODY = 65534


def instruction(code, jt, jf, k):
    return struct.pack("=HBBI", code, jt, jf, k)


GOOD = (instruction(0x20, 0, 0, 0) + instruction(0x15, 0, 1, 39) + instruction(6, 0, 0, 0x7FFF0000) +
        instruction(6, 0, 0, 0x00050001))
SUITE = """callgate: 1
filter: good.bpf
arch: [x86_64]
expect:
  - allow: getpid
"""


class Case:
    def __init__(self, kind, words, codes=(0, 1, 2), **how):
        self.kind = kind
        self.words = words
        self.codes = codes
        self.how = how


def subcommands():
    text = subprocess.run([CALLGATE, "--help"], capture_output=True, text=True, check=True).stdout
    below = text.split("Subcommands:")[1].split("\n\n")[0]
    return re.findall(r"^  ([a-z][a-z-]*) ", below, re.M)


def with_file(name, path):
    """A command line that reads `path` as the subcommand's main file; None where it reads none."""
    good = "good.bpf"
    table = {
        "run": ["run", "-f", path, "getpid"],
        "emu": ["emu", path, "getpid"],
        "test": ["test", path],
        "explain": ["explain", "-f", path, "getpid"],
        "audit": ["audit", "-f", path],
        "asm": ["asm", path, "--format", "hex"],
        "report": ["report", "-f", path, "-o", "-"],
        "diff": ["diff", good, path],
        "subset": ["subset", path, good],
        "scmp-sim": ["scmp-sim", "-f", path, "-s", "1"],
        "live": ["live", "-f", path, "getpid"],
        "replay": ["replay", "-f", good, path],
        "workload": ["workload", path],
        "bench": ["bench", "-f", good, "--workload", path, "--rounds", "3", "--seconds", "0"],
        "cost": ["cost", "-f", path],
        "tune": ["tune", "-f", path, "--workload", "calls.txt"],
        "task": ["task", path],
        "lab": ["lab", "--costs", "--kernels", "no-such", "-f", path],
        "fuzz-live": ["fuzz-live", "--programs", "0", "--state", path, "--shard", "0/0"],
        "capture": ["capture", "--json", "-", "--", path],
        "record": ["record", "-o", "-", "--", path],
        "corpus": ["corpus", "list", "--filter", path],
        "completion": ["completion", path],
        "man": ["man", path],
        "kernels": ["kernels", "--kernel", path],
    }
    return table.get(name, [name, path])


def codes_of(name):
    """What is documented of a subcommand (harness/cli/README.md)."""
    if name in ("diff", "subset"):
        return (0, 1, 2, 3)
    if name == "scmp-sim":
        return (0, 2, 8, 14, 22)
    return (0, 1, 2)


# Each documented code, with what it stands for there.
CODES = [
    (0, ["check", "good.bpf"]), (1, ["check", "refused.bpf"]), (2, ["check", "missing"]),
    (0, ["run", "-f", "good.bpf", "getpid"]), (1, ["run", "-f", "refused.bpf", "getpid"]),
    (1, ["run", "--kernel", "4.4", "--arch", "x86_64", "-f", "shift.bpf", "getpid"]), (2, ["run", "-f", "good.bpf"]),
    (0, ["emu", "good.bpf", "getpid"]), (2, ["emu", "refused.bpf", "getpid"]),
    (0, ["init", "good.bpf"]), (2, ["init", "refused.bpf"]), (2, ["init", "good.bpf", "-o", "good.asm"]),
    (0, ["test", "suite.yaml"]), (1, ["test", "failing.yaml"]), (2, ["test", "good.asm"]),
    (0, ["explain", "-f", "good.bpf"]), (1, ["explain", "-f", "refused.bpf"]),
    (0, ["audit", "-f", "good.bpf", "--fail-on", "never"]), (1, ["audit", "-f", "good.bpf", "--fail-on", "note"]),
    (0, ["cases", "good.bpf"]), (1, ["cases", "refused.bpf"]), (0, ["disasm", "refused.bpf"]),
    (0, ["asm", "good.asm", "--format", "hex"]), (1, ["asm", "refused.asm", "--format", "hex"]),
    (2, ["asm", "suite.yaml", "--format", "hex"]), (0, ["reduce", "good.bpf"]), (1, ["reduce", "refused.bpf"]),
    (0, ["diff", "good.bpf", "good.bpf"]), (1, ["diff", "good.bpf", "long.bpf"]),
    (2, ["diff", "good.bpf", "refused.bpf"]), (0, ["subset", "long.bpf", "good.bpf"]),
    (1, ["subset", "good.bpf", "long.bpf"]), (2, ["subset", "good.bpf", "refused.bpf"]),
    (0, ["scmp-sim", "-f", "good.bpf", "-s", "39"]), (22, ["scmp-sim"]), (14, ["scmp-sim", "-f", "missing"]),
    (14, ["scmp-sim", "-f", "refused.bpf"]), (8, ["scmp-sim", "-f", "odd.bpf", "-s", "39"]),
    (0, ["record", "-o", "t", "--", "true"]), (7, ["record", "-o", "t", "--", "sh", "-c", "exit 7"]),
    (-13, ["record", "-o", "t", "--", "sh", "-c", "kill -PIPE $$"]),  # which callgate itself outlives
    (-9, ["record", "-o", "t", "--", "sh", "-c", "kill -9 $$"]), (2, ["record", "-o", "t", "--", "./missing"]),
    (124, ["record", "--timeout", "0.1", "-o", "t", "--", "sleep", "60"]),
    (7, ["capture", "--json", "-", "--", "sh", "-c", "exit 7"]), (2, ["capture", "--json", "-", "--", "./missing"]),
    (124, ["capture", "--timeout", "0.1", "--json", "-", "--", "sleep", "60"]),
    (0, ["replay", "-f", "allow.bpf", "strace.log"]), (1, ["replay", "-f", "good.bpf", "strace.log"]),
    (2, ["replay", "-f", "good.bpf", "missing"]), (0, ["workload", "calls.txt"]), (2, ["workload", "missing"]),
    (0, ["cost", "-f", "good.bpf"]), (1, ["cost", "-f", "refused.bpf"]), (0, ["task", "script"]),
    (2, ["task", "good.asm"]), (0, ["corpus", "list"]), (2, ["corpus", "export", "good.bpf"]), (0, ["kernels"]),
    (0, ["completion", "bash"]), (2, ["completion", "csh"]), (0, ["man"]), (2, ["man", "nothing"]),
]
OUTPUTS = {  # subcommands that write a file, and how; OUT is its name
    "convert": ["convert", "good.bpf", "-o", "OUT"],
    "reduce": ["reduce", "good.bpf", "--to", "raw", "-o", "OUT"],
    "asm": ["asm", "good.asm", "-o", "OUT"],
    "init": ["init", "good.bpf", "-o", "OUT"],
    "init-force": ["init", "good.bpf", "--force", "-o", "OUT"],
    "report": ["report", "-f", "good.bpf", "-o", "OUT"],
    "workload": ["workload", "calls.txt", "-o", "OUT"],
    "cost": ["cost", "-f", "good.bpf", "--html", "OUT"],
    "test": ["test", "suite.yaml", "--report", "junit=OUT"],
    "coverage": ["test", "suite.yaml", "--coverage", "json=OUT"],
    "capture": ["capture", "--json", "OUT", "--", "/bin/true"],
    "capture-folder": ["capture", "-o", "OUT", "--", "/bin/true"],
    "record": ["record", "-o", "OUT", "--", "/bin/true"],
    "man": ["man", "-o", "OUT"],
    "tune": ["tune", "-f", "good.bpf", "--workload", "calls.txt", "--html", "OUT"],
    "corpus": ["corpus", "export", "--filter", "ret", "OUT"],
}
# What prints, at once or much.
PRINTING = [
    ["--help"], ["--version"], ["check", "good.bpf"], ["run", "-f", "good.bpf", "getpid"],
    ["run", "-f", "good.bpf", "--batch", "records", "--format", "raw"],
    ["run", "-f", "good.bpf", "--batch", "records", "--format", "json"],
    ["init", "good.bpf"], ["emu", "good.bpf", "getpid"], ["test", "suite.yaml"],
    ["test", "suite.yaml", "--format", "tap"], ["test", "suite.yaml", "--format", "json"],
    ["explain", "-f", "good.bpf"], ["explain", "-f", "good.bpf", "--format", "json"],
    ["audit", "-f", "good.bpf"], ["audit", "--list"], ["cases", "good.bpf"], ["disasm", "good.bpf"],
    ["disasm", "long.bpf"], ["disasm", "long.bpf", "--format", "json"], ["asm", "good.asm", "--format", "c"],
    ["convert", "good.bpf"], ["reduce", "good.bpf"], ["report", "-f", "good.bpf", "-o", "-"],
    ["diff", "good.bpf", "good.bpf"], ["diff", "good.bpf", "long.bpf"], ["subset", "good.bpf", "good.bpf"],
    ["scmp-sim", "-f", "good.bpf", "-s", "1"], ["workload", "calls.txt"], ["cost", "-f", "good.bpf"],
    ["task", "script"], ["corpus", "list"], ["kernels"], ["kernels", "--format", "json"],
    ["completion", "bash"], ["completion", "zsh"], ["completion", "fish"], ["man"], ["man", "explain"],
    ["replay", "-f", "good.bpf", "strace.log"], ["replay", "--list", "strace.log"],
    ["live", "-f", "good.bpf", "getpid"], ["record", "-o", "-", "--", "/bin/true"],
    ["capture", "--json", "-", "--", "/bin/true"],
]


def make_files(folder):
    def put(name, data):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)

    put("good.bpf", GOOD)
    put("long.bpf", instruction(0x20, 0, 0, 0) * 4000 + instruction(6, 0, 0, 0x7FFF0000))
    put("good.asm", b"ld [0]\njeq #39, ok\nret #0x50001\nok: ret #0x7fff0000\n")
    put("suite.yaml", SUITE.encode())
    put("calls.txt", b"getpid 10\nread 5\n")
    put("strace.log", b"getpid() = 1\nread(0, \"\", 1) = 0\n")
    put("script", b"call getpid\n")
    put("records", struct.pack("=iIQ6Q", 39, 0xC000003E, 0, *[0] * 6) * 20000)
    put("refused.bpf", instruction(0, 0, 0, 0))
    put("shift.bpf", instruction(0x64, 0, 0, 40) + instruction(0x16, 0, 0, 0))
    put("odd.bpf", instruction(6, 0, 0, 0x12340000))
    put("allow.bpf", instruction(6, 0, 0, 0x7FFF0000))
    put("refused.asm", b"ld [1]\nret #0\n")
    put("failing.yaml", SUITE.replace("allow", "kill").encode())
    put("empty", b"")
    put("noise", random.Random(1).randbytes(100001))
    put("noise8", random.Random(2).randbytes(8 * 300))
    put("zeros", bytes(65536))
    put("newlines", b"\n" * 100000)
    put("deep.json", b"[" * 100000)
    put("deep.yaml", b"[" * 20000)
    put("open.json", b'{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read')
    put("huge-line", b"a" * (1 << 20))
    put("nul.txt", b"ld [0]\0ret #0\n")
    put("unreadable", GOOD)
    os.chmod(os.path.join(folder, "unreadable"), 0)
    with open(os.path.join(folder, "huge"), "wb") as file:
        file.truncate(HUGE)
    os.mkdir(os.path.join(folder, "folder"))
    os.symlink("loop", os.path.join(folder, "loop"))
    os.symlink("nowhere", os.path.join(folder, "dangling"))
    folder_bytes = os.fsencode(folder)
    with open(os.path.join(folder_bytes, b"\xff\xfe\x80.bpf"), "wb") as file:
        file.write(GOOD)
    with open(os.path.join(folder, "a\nb ;$(x)'\".bpf"), "wb") as file:
        file.write(GOOD)
    with open(os.path.join(folder, "-f"), "wb") as file:
        file.write(GOOD)


def all_cases(names):
    cases = []
    files = ["missing", "empty", "folder", "huge", "noise", "noise8", "zeros", "newlines", "deep.json",
             "deep.yaml", "open.json", "huge-line", "nul.txt", "good.bpf/below", "loop", "dangling",
             "unreadable", b"\xff\xfe\x80.bpf", b"missing\xff\xfe", "a\nb ;$(x)'\".bpf", "x" * 5000,
             "/dev/null"]
    labels = {b"\xff\xfe\x80.bpf": "not UTF-8", b"missing\xff\xfe": "missing, not UTF-8",
              "x" * 5000: "very long name", "a\nb ;$(x)'\".bpf": "odd characters"}
    for name in names:
        codes = codes_of(name)
        for file in files:
            label = labels.get(file, file)
            # Commands that are started may end with any code, as env(1)'s do.
            cases.append(Case(f"file: {label}", with_file(name, file), codes,
                              unprivileged=file == "unreadable"))
        for words in (["--no-such-option"], ["--format", "no-such"], ["--arch", "vax"], ["--kernel", "six"],
                      ["-f"], [""], ["x" * 100000], ["--" + "y" * 100000], ["\xff"], [b"\xff\xfe"],
                      ["good.bpf"] * 300, ["--help", "--no-such"], ["--jobs", "-1"], ["-" * 5000]):
            cases.append(Case("wrong words", [name] + words, codes, empty_input=True))
        cases.append(Case("standard input closed", [name] + ["-"], codes, closed=[0]))
        cases.append(Case("help, standard output full", [name, "--help"], codes, out="/dev/full", must=2))
        cases.append(Case("help, standard output closed", [name, "--help"], codes, closed=[1], must=2))
        cases.append(Case("wrong words, standard error full", [name, "--no-such"], codes, err="/dev/full"))
        cases.append(Case("all closed", [name, "--help"], codes, closed=[0, 1, 2]))
    for words in ([], ["no-such"], ["-"], ["--"], [b"\xff"], ["--help=x"], ["--versio"], ["check" * 10000]):
        cases.append(Case("wrong words", words))
    for code, words in CODES:
        cases.append(Case("each exit code", words, (abs(code),), must=code,
                          signals=(-code,) if code < 0 else ()))
    for words in PRINTING:
        codes = codes_of(words[0])
        cases.append(Case("standard output full", words, codes, out="/dev/full", must=2))
        cases.append(Case("standard output closed", words, codes, closed=[1], must=2))
        cases.append(Case("pipe without a reader", words, codes, out="pipe", must=2))
        cases.append(Case("pipe closed after a byte", words, codes, out="short pipe"))
        cases.append(Case("standard error full", words, codes, err="/dev/full"))
        cases.append(Case("standard error closed", words, codes, closed=[2]))
        cases.append(Case("interrupted", words, codes, interrupt=0.002, signals=(signal.SIGINT,)))
    for label, words in OUTPUTS.items():
        for kind, target in (("/dev/full", "/dev/full"), ("folder", "folder"), ("below a file", "good.bpf/x"),
                             ("below nothing", "no-such/x"), ("empty name", ""), ("loop", "loop"),
                             ("very long name", "z" * 300), ("not UTF-8", b"out\xff"),
                             ("longest name", "o" * 255), ("/dev/null", "/dev/null")):
            how = [word.replace("OUT", target) if isinstance(target, str) else
                   os.fsencode(word).replace(b"OUT", target) for word in words]
            if label == "corpus" and kind not in ("folder", "below a file", "loop"):
                continue  # a second each
            full = target == "/dev/full" and label not in ("capture-folder", "man", "corpus", "init")
            cases.append(Case(f"output: {kind}", how, must=2 if full else None))
        how = [word.replace("OUT", "limited") for word in words]
        cases.append(Case("output: disk full", how, file_size=1))
    return cases


spent = collections.Counter()  # seconds, by kind


def run_one(index, case, template):
    """What is wrong, as a text; or None."""
    folder = tempfile.mkdtemp(prefix="case-", dir=os.path.dirname(template))
    opened = []
    try:
        for entry in os.listdir(os.fsencode(template)):
            source = os.path.join(os.fsencode(template), entry)
            target = os.path.join(os.fsencode(folder), entry)
            if os.path.islink(source):
                os.symlink(os.readlink(source), target)
            elif os.path.isdir(source):
                os.mkdir(target)
            else:
                os.link(source, target)
        os.chmod(folder, 0o755)
        how = case.how
        unprivileged = how.get("unprivileged") and os.geteuid() == 0
        # Where the command was built nobody else may be let in.
        program = os.path.join(os.path.dirname(template), "callgate") if unprivileged else CALLGATE

        def prepare():
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            if MEMORY:
                resource.setrlimit(resource.RLIMIT_AS, (MEMORY << 30, MEMORY << 30))
            if "file_size" in how:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (how["file_size"], how["file_size"]))
            if unprivileged:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            for fd in how.get("closed", []):
                os.close(fd)

        err_path = os.path.join(folder, "stderr")
        out_path = os.path.join(folder, "stdout")
        small = "file_size" in how
        err = how.get("err") or (os.devnull if 2 in how.get("closed", []) else err_path)
        error_file = subprocess.PIPE if small else os.open(err, os.O_WRONLY | os.O_CREAT, 0o666)
        out_end = None
        out = how.get("out", out_path)
        if small:
            out_file = subprocess.DEVNULL
        elif out in ("pipe", "short pipe"):
            out_end, out_file = os.pipe()
            if out == "pipe":
                os.close(out_end)
        else:
            out_file = os.open(out, os.O_WRONLY | os.O_CREAT, 0o666)
        opened += [each for each in (error_file, out_file) if each >= 0]
        before = set(os.listdir(os.fsencode(folder)))
        begin = time.monotonic()
        process = subprocess.Popen([program] + case.words, cwd=folder, stdin=subprocess.DEVNULL,
                                   stdout=out_file, stderr=error_file, preexec_fn=prepare)
        if out == "short pipe":
            os.close(out_file)
            opened.remove(out_file)
            os.read(out_end, 1)
            os.close(out_end)
        if "interrupt" in how:
            time.sleep(how["interrupt"] * (1 + index % 4))
            process.send_signal(signal.SIGINT)
        try:
            said = process.communicate(timeout=SECONDS)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return f"still runs after {SECONDS} s"
        spent[case.kind] += time.monotonic() - begin
        code = process.returncode
        text = said if small else b"" if err != err_path else open(err_path, "rb").read()
        if code < 0 and -code not in how.get("signals", ()):
            return f"ended by signal {-code}: {text[-300:]!r}"
        allowed = case.codes
        if case.words and case.words[0] in ("record", "capture"):
            allowed = (*allowed, 0, 1, 2, 124)
        if code >= 0 and code not in allowed:
            return f"ended with {code}, which is not documented: {text[-300:]!r}"
        if how.get("must") is not None and code != how["must"]:
            return f"ended with {code} instead of {how['must']}: {text[-300:]!r}"
        # An answer of no may be all on standard output.
        is_no = code == 1 and (out != out_path or os.path.getsize(out_path) > 0)
        if code > 0 and not text.strip() and not is_no and err == err_path and 2 not in how.get("closed", []):
            return f"ended with {code} and says nothing"
        after = set(os.listdir(os.fsencode(folder)))
        left = [each for each in after - before if code != 0 and each not in (b"limited",)]
        # `record` ends as the command does, with its trace written.
        if code not in (0, 1) and left and case.kind != "each exit code":
            return f"leaves {left} (code {code})"
        if any(b".part" in each or each.startswith(b".callgate") for each in after):
            return f"leaves a part of a file: {sorted(after - before)}"
        # A trace is written while the command runs; `replay` reads what there is of it.
        if small and code != 0 and b"limited" in after and case.words[0] != "record":
            return f"leaves a file that is not whole: {text[-300:]!r}"
        return None
    finally:
        for each in opened:
            try:
                os.close(each)
            except OSError:
                pass
        shutil.rmtree(folder, ignore_errors=True)


def on_a_terminal(words, folder, **settings):
    """What the command prints where standard output is a terminal."""
    terminal, other = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    process = subprocess.Popen([CALLGATE] + words, cwd=folder, stdin=subprocess.DEVNULL, stdout=other,
                               env={**environment, **settings})
    os.close(other)
    out = b""
    try:
        while data := os.read(terminal, 65536):
            out += data
    except OSError:  # so a terminal ends
        pass
    os.close(terminal)
    process.wait()
    return out


def colour_failures(folder):
    """Colours are for terminals, and not where NO_COLOR is set and not empty."""
    failures = 0
    for words in (["check", "good.bpf"], ["emu", "good.bpf", "getpid"]):
        for settings, wanted in (({}, True), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False)):
            if (b"\033[" in on_a_terminal(words, folder, **settings)) != wanted:
                failures += 1
                print(f"FAILED colours: {words} on a terminal with {settings}: wanted: {wanted}")
        out = subprocess.run([CALLGATE] + words, cwd=folder, capture_output=True, check=False).stdout
        if b"\033[" in out:
            failures += 1
            print(f"FAILED colours: {words} in a pipe")
    return failures


def main():
    top = tempfile.mkdtemp(prefix="callgate-abuse-")
    os.chmod(top, 0o755)
    failures = 0
    try:
        template = os.path.join(top, "files")
        os.mkdir(template)
        os.chmod(template, 0o755)
        make_files(template)
        shutil.copy(CALLGATE, os.path.join(top, "callgate"))
        failures += colour_failures(template)
        cases = all_cases(subcommands())[::1 if MEMORY else 3]
        counts = collections.Counter()
        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            jobs = [(case, pool.submit(run_one, index, case, template)) for index, case in enumerate(cases)]
            for case, job in jobs:
                counts[case.kind] += 1
                wrong = job.result()
                if wrong:
                    failures += 1
                    print(f"FAILED {case.kind}: {str(case.words)[:200]}: {wrong}", flush=True)
        for kind, count in counts.items():
            print(f"{count:5} {spent[kind]:7.1f} s  {kind}")
        print(f"{len(cases)} invocations in {time.monotonic() - begin:.0f} s, {failures} failed")
        for device in ("/dev/full", "/dev/null"):
            if os.path.exists(device) and not os.path.isfile(device):
                continue
            failures += 1
            print(f"FAILED {device} is no device any more")
    finally:
        shutil.rmtree(top, ignore_errors=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
