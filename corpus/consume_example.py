#!/usr/bin/env python3
"""Runs an export of Callgate's conformance corpus on an implementation of its own: the one below.

    python3 consume_example.py DIR

Put your implementation in the place of run(), check(), verdict() and outcome(). It shares no code with
Callgate. Exit code 0: all agree; 1: some do not; 2: the export cannot be read.
"""
import json
import pathlib
import sys

MASK = 0xffffffff
ALLOW = 0x7fff0000
ALU = "add sub mul div or and lsh rsh neg mod xor".split()
# How architectures shift by a register: the bits of the count that matter; 32 and above give 0.
SHIFT_MASK = {"ppc": 63, "ppc64": 63, "ppc64le": 63, "s390": 63, "s390x": 63, "arm": 255}
# The codes that seccomp accepts.
CODES = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0c, 0x14, 0x15, 0x16, 0x1c, 0x1d, 0x20, 0x24, 0x25,
         0x2c, 0x2d, 0x34, 0x35, 0x3c, 0x3d, 0x44, 0x45, 0x4c, 0x4d, 0x54, 0x5c, 0x60, 0x61, 0x64, 0x6c, 0x74,
         0x7c, 0x80, 0x81, 0x84, 0x87, 0xa4, 0xac}


def expand(program):
    """The instructions; a fifth number says how often one stands there."""
    return [tuple(i[:4]) for i in program for _ in range(i[4] if len(i) > 4 else 1)]


def alu(name, a, b, shift_mask):
    if name in ("lsh", "rsh"):
        b &= shift_mask
        if b > 31:
            return 0
        return a << b if name == "lsh" else a >> b
    return {"add": a + b, "sub": a - b, "mul": a * b, "div": a // b if name == "div" else 0, "or": a | b,
            "and": a & b, "neg": -a, "xor": a ^ b}[name]


def run(program, data, order, shift_mask):
    """The 32 bits that a program returns for the 64 bytes of seccomp_data."""
    a = x = pc = 0
    memory = [0] * 16
    while True:
        code, jt, jf, k = program[pc]
        pc += 1
        kind, operand = code & 7, x if code & 8 else k
        if kind == 6:  # return
            return a if code & 0x10 else k
        if kind in (0, 1):  # load A or X
            mode = code & 0xe0
            value = {0x00: k, 0x60: memory[k & 15], 0x80: 64}.get(mode)
            if mode == 0x20:
                value = int.from_bytes(data[k:k + 4], order)
            a, x = (value, x) if kind == 0 else (a, value)
        elif kind == 2:
            memory[k] = a
        elif kind == 3:
            memory[k] = x
        elif kind == 4:
            name = ALU[code >> 4]
            if name == "div" and operand == 0:
                return 0  # X = 0 ends the program
            a = alu(name, a, operand, shift_mask) & MASK
        elif kind == 5:
            test = code >> 4
            if test == 0:
                pc += k
            else:
                taken = (None, a == operand, a > operand, a >= operand, a & operand != 0)[test]
                pc += jt if taken else jf
        elif kind == 7:
            a, x = (x, x) if code & 0x80 else (a, a)


def check(program):
    """The errno of installing a program: 0, or 22 (EINVAL)."""
    count = len(program)
    if not 1 <= count <= 4096 or program[-1][0] not in (0x06, 0x16):
        return 22
    stored, arriving = 0, [0xffff] * count
    for pc, (code, jt, jf, k) in enumerate(program):
        behind = count - pc - 1
        stored &= arriving[pc]
        if (code not in CODES or code == 0x34 and k == 0 or code in (0x64, 0x74) and k > 31
                or code == 0x20 and (k > 60 or k % 4) or code in (0x02, 0x03, 0x60, 0x61) and k > 15):
            return 22
        if code in (0x02, 0x03):
            stored |= 1 << k
        elif code in (0x60, 0x61) and not stored >> k & 1:
            return 22
        elif code & 7 == 5:
            for distance in (k,) if code == 0x05 else (jt, jf):
                if distance >= behind:
                    return 22
                arriving[pc + 1 + distance] &= stored
            stored = 0xffff
    return 0


def signed(value):
    return value - (1 << 32) if value & 0x80000000 else value


def verdict(values):
    """The value that decides, and its filter; `values` are the filters' results, the oldest first."""
    best, winner = ALLOW, None
    for number in reversed(range(len(values))):
        if signed(values[number] & 0xffff0000) < signed(best & 0xffff0000):
            best, winner = values[number], number
    return best, winner


def outcome(value, around, enosys, sigsys):
    """What becomes of a call, and the number that belongs to it (Linux since 5.10)."""
    action, data = value & 0xffff0000, value & 0xffff
    if action in (ALLOW, 0x7ffc0000):
        return "executes", None
    if action == 0x00050000:
        return "returns", -min(data, 4095)
    if action == 0x7ff00000:
        return ("tracer", data) if around["tracer"] else ("returns", -enosys)
    if action == 0x7fc00000:
        return ("listener", None) if around["listener"] else ("returns", -enosys)
    if action == 0x00030000 and around["sigsys"] == "handled":
        return "sigsys", sigsys
    if action == 0 and around["threads"] > 1:
        return "thread-dies", sigsys
    return "process-dies", sigsys


def newest(case):
    """Whether a case is about the newest kernels, and runs as programs do there."""
    kernel = case["kernel"]
    return kernel["before"] is None and "engine" not in kernel


def wrong_cases(folder):
    """(how many expectations were looked at, the ids of those that are not met), kind by kind."""
    def load(kind):
        document = json.loads((folder / f"{kind}.json").read_text())
        assert document["schema"] == "callgate-corpus/1", "a schema that this script does not know"
        return document
    values = load("value")
    asked, wrong = 0, []
    for case in values["cases"]:
        program = expand(case["program"])
        mask = 31 if "engine" in case["kernel"] else SHIFT_MASK.get(case["kernel"]["arch"], 31)
        for number, each in enumerate(case["runs"]):
            if each["value"] is None:
                continue  # undefined
            data = values["inputs"][each["input"]]
            asked += 1
            if run(program, bytes.fromhex(data["bytes"]), data["order"], mask) != each["value"]:
                wrong.append(f"{case['id']}, run {number}")
    yield "value", asked, wrong
    cases = [each for each in load("check")["cases"] if newest(each)]
    yield "check", len(cases), [each["id"] for each in cases if check(expand(each["program"])) != each["errno"]]
    asked, wrong = 0, []
    for case in load("codes")["cases"]:
        for code in range(0x10000):
            program = [tuple(i) for i in case["program"]]
            program[case["at"]] = (code, *program[case["at"]][1:])
            asked += 1
            if check(program) != (0 if code in case["accepted"] else case["errno_of_others"]):
                wrong.append(f"{case['id']}, code {code}")
    yield "codes", asked, wrong
    stacks = load("stack")
    asked, wrong = 0, []
    for case in filter(newest, stacks["cases"]):
        filters = [expand(f["program"]) for f in case["filters"] for _ in range(f["times"])]
        for each in case["runs"]:
            data = stacks["inputs"][each["input"]]
            results = [run(f, bytes.fromhex(data["bytes"]), data["order"], 31) for f in filters]
            asked += 1
            if verdict(results) != (each["value"], each["winner"]):
                wrong.append(case["id"])
    yield "stack", asked, wrong
    outcomes = load("outcome")
    asked, wrong = 0, []
    for case in filter(newest, outcomes["cases"]):
        data = outcomes["inputs"][case["input"]]
        if case["mode"] == "strict" or case["outcome"]["kind"] == "unknown" or (
                data["arch"] == 0xc000003e and data["nr"] in (335, 336)):
            continue  # strict mode, and the two numbers that no filter sees
        mips, parisc = data["arch"] & 0xffff == 8, data["arch"] & 0xffff == 15
        kind, number = outcome(case["value"], case["surroundings"], 89 if mips else 251 if parisc else 38,
                               12 if mips else 31)
        said = case["outcome"]
        asked += 1
        numbers = [said[name] for name in ("value", "signal", "message") if said[name] is not None]
        if kind != said["kind"] or numbers != ([] if number is None else [number]):
            wrong.append(case["id"])
    yield "outcome", asked, wrong


def main():
    try:
        results = list(wrong_cases(pathlib.Path(sys.argv[1])))
    except (IndexError, OSError, ValueError, KeyError) as error:
        print(f"usage: consume_example.py DIR, an export of `callgate corpus export` ({error!r})", file=sys.stderr)
        return 2
    for kind, asked, wrong in results:
        print(f"{kind}: {asked - len(wrong)} of {asked} agree")
        for each in wrong[:10]:
            print(f"  {each}")
    return 1 if any(wrong for _, _, wrong in results) else 0


if __name__ == "__main__":
    sys.exit(main())
