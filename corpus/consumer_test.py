"""Tests of the corpus's export from outside: by its schema, by a consumer that shares no code with Callgate,
and by the errors of other tools, each of which some case must catch.

    consumer_test.py CALLGATE TEST
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import types

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLE = HERE / "consume_example.py"
KINDS = ("corpus", "check", "codes", "value", "stack", "outcome", "limit")

# What tools in use get wrong, as changes of the consumer: (whose and what, what stands there, what they do).
# RAISES: the change makes it give up, as that tool does.
RAISES = "raise RuntimeError('unsupported')"
CODES_END = "0xa4, 0xac}"
PEER_ERRORS = [
    ("shifts by X of 32 and more give 0 (seccomp-tools, gVisor, x/net, libpcap)", "b &= shift_mask", "pass"),
    ("a shift by X changes X (ceccomp)", "name = ALU[code >> 4]",
     "name = ALU[code >> 4]; x = x & 31 if code in (0x6c, 0x7c) else x"),
    ("TAX and TXA are swapped (gVisor)", "(x, x) if code & 0x80 else (a, a)", "(a, a) if code & 0x80 else (x, x)"),
    ("ST stores X (FEX)", "memory[k] = a", "memory[k] = x"),
    ("STX stores A", "memory[k] = x", "memory[k] = a"),
    ("after a division by X = 0 the program goes on with 0 (FEX)", "return 0  # X = 0 ends the program",
     "a, operand = 0, 1"),
    ("a division by X = 0 is an error (sandbox2, kafel)", "return 0  # X = 0 ends the program", RAISES),
    ("NEG is an error (x/net)", "name = ALU[code >> 4]", f"name = ALU[code >> 4]\n            if name == 'neg': {RAISES}"),
    ("XOR is an error (kafel, easyseccomp)", "name = ALU[code >> 4]",
     f"name = ALU[code >> 4]\n            if name == 'xor': {RAISES}"),
    ("A and X start as garbage (kafel)", "a = x = pc = 0", "a, x, pc = 7, 9, 0"),
    ("RET A returns K (gosecco)", "return a if code & 0x10 else k", "return k"),
    ("the halves of the instruction pointer are swapped (gosecco)", "data[k:k + 4]",
     "data[k ^ 4 if k in (8, 12) else k:][:4]"),
    ("loads are big-endian (x/net, libpcap, elastic, runc)", "data[k:k + 4], order", "data[k:k + 4], 'big'"),
    ("loads are little-endian everywhere (gVisor)", "data[k:k + 4], order", "data[k:k + 4], 'little'"),
    ("loaded words are signed (minijail's nr)", "data[k:k + 4], order", "data[k:k + 4], order, signed=True"),
    ("the architecture is the one of the command line (ceccomp)", "if mode == 0x20:",
     "if mode == 0x20 and k == 4:\n                value = 0xc000003e\n            elif mode == 0x20:"),
    ("high halves of arguments are not there (easyseccomp)", "if mode == 0x20:",
     "if mode == 0x20 and k > 16 and k % 8:\n                value = 0\n            elif mode == 0x20:"),
    ("LDX LEN writes A (bpf_dbg)", "(value, x) if kind == 0 else", "(value, x) if kind == 0 or mode == 0x80 else"),
    ("LEN is not 64 (socket filters)", "0x80: 64", "0x80: len(data) - 4"),
    ("no X forms (libseccomp, Chromium, minijail)", "name = ALU[code >> 4]",
     f"name = ALU[code >> 4]\n            if code & 8: {RAISES}"),
    ("no scratch memory (libseccomp, minijail)", "memory[k] = a", RAISES),
    ("comparisons are signed", "a > operand, a >= operand", "signed(a) > signed(operand), signed(a) >= signed(operand)"),
    ("arithmetic has more than 32 bits", "operand, shift_mask) & MASK", "operand, shift_mask)"),
    ("MOD K is accepted (gVisor, Chromium, FEX, x/net)", CODES_END, "0xa4, 0xac, 0x94}"),
    ("MOD X is accepted (gVisor, Chromium, FEX, x/net)", CODES_END, "0xa4, 0xac, 0x9c}"),
    ("LDB and LDH are accepted (gVisor)", CODES_END, "0xa4, 0xac, 0x28, 0x30}"),
    ("LD IND is accepted (gVisor)", CODES_END, "0xa4, 0xac, 0x40, 0x48, 0x50}"),
    ("LDX MSH is accepted (gVisor)", CODES_END, "0xa4, 0xac, 0xb1}"),
    ("RET X is accepted (FEX)", CODES_END, "0xa4, 0xac, 0x0e}"),
    ("LDX ABS is accepted (FEX)", CODES_END, "0xa4, 0xac, 0x21}"),
    ("XOR is refused (kafel, easyseccomp)", CODES_END, "}"),
    ("high bits of codes are not looked at (seccomp-tools, libpcap)", "code not in CODES", "code & 0xff not in CODES"),
    ("jt and jf of loads must be 0 (Chromium)", "if (code not in CODES", "if (code == 0x20 and jt | jf or code not in CODES"),
    ("a shift by K = 32 is accepted (Chromium)", "k > 31\n", "k > 32\n"),
    ("shifts by K are not looked at (gVisor, seccomp-tools)", "code in (0x64, 0x74) and k > 31", "False"),
    ("division by K = 0 is accepted (seccomp-tools)", "code == 0x34 and k == 0", "False"),
    ("a load at 64 is accepted (minijail's arg6)", "k > 60 or", "k > 64 or"),
    ("a load at 61 to 63 is accepted (libseccomp, x/net)", "(k > 60 or k % 4)", "k > 63"),
    ("misaligned loads are accepted (x/net)", "or k % 4)", "or False)"),
    ("slots that were never stored are accepted (kafel, gVisor, seccomp-tools)", "not stored >> k & 1", "False"),
    ("after a branch every slot counts as stored (ceccomp)", "arriving[pc + 1 + distance] &= stored", "pass"),
    ("a return ends the way of stores, as in real control flow", "stored &= arriving[pc]",
     "stored = (0xffff if pc and program[pc - 1][0] & 7 == 6 else stored) & arriving[pc]"),
    ("4096 instructions are refused (libseccomp)", "count <= 4096", "count < 4096"),
    ("there is no limit to the length (seccomp-tools)", "count <= 4096", "count <= 65536"),
    ("an empty program is accepted", "count = len(program)", "count = len(program)\n    if count == 0:\n        return 0"),
    ("a program may end by anything (seccomp-tools)", "program[-1][0] not in (0x06, 0x16)", "False"),
    ("JA wraps at 32 bits (FEX, libpcap)", "(k,) if code == 0x05", "((pc + 1 + k & MASK) - pc - 1,) if code == 0x05"),
    ("jump bounds are not looked at (seccomp-tools)", "if distance >= behind:\n                    return 22",
     "if distance >= behind:\n                    continue"),
    ("the oldest of equals wins", "reversed(range(len(values)))", "range(len(values))"),
    ("actions are compared unsigned, as before 4.14",
     "signed(values[number] & 0xffff0000) < signed(best & 0xffff0000)", "values[number] & 0xffff0000 < best & 0xffff0000"),
    ("data order results", "signed(values[number] & 0xffff0000) < signed(best & 0xffff0000)",
     "signed(values[number]) < signed(best)"),
    ("only the newest filter counts (seccomp-tools, seccomp-diff)", "reversed(range(len(values)))", "(len(values) - 1,)"),
    ("ERRNO's data are not clamped (seccomp-tools, ceccomp, gVisor, minijail)", "-min(data, 4095)", "-data"),
    ("ERRNO 0 is no success", "-min(data, 4095)", "-min(data or 1, 4095)"),
    ("an unknown action kills the thread (gVisor)", "if action == 0 and", "if action not in (0x80000000, 0x00030000) and"),
    ("KILL_PROCESS is KILL_THREAD (gVisor)", "if action == 0 and", "if action in (0, 0x80000000) and"),
    ("KILL_THREAD is KILL_PROCESS (easyseccomp prints one for the other)", "if action == 0 and", "if False and"),
    ("LOG is unknown (Chromium, easyseccomp)", "(ALLOW, 0x7ffc0000)", "(ALLOW,)"),
    ("ALLOW with data is no ALLOW (minijail)", "if action in (ALLOW", "if value in (ALLOW"),
    ("TRACE without a tracer is EPERM", '("tracer", data) if around["tracer"] else ("returns", -enosys)',
     '("tracer", data) if around["tracer"] else ("returns", -1)'),
    ("USER_NOTIF without a listener kills (libseccomp, gVisor)", '("listener", None) if around["listener"] else ("returns", -enosys)',
     '("listener", None) if around["listener"] else ("process-dies", sigsys)'),
    ("TRAP is delivered where SIGSYS is blocked or ignored", 'and around["sigsys"] == "handled"', ""),
    ("a kill can be handled as TRAP can", "if action == 0x00030000 and", "if action in (0, 0x80000000, 0x00030000) and"),
    ("SIGSYS is 31 everywhere", "12 if mips else 31", "31"),
    ("ENOSYS is 38 everywhere", "89 if mips else 251 if parisc else 38", "38"),
]


def consumer(source):
    module = types.ModuleType("consumer")
    exec(compile(source, "consumer", "exec"), module.__dict__)
    return module


def found(module, folder):
    """The first case that is not met, or None."""
    for _, asked, wrong in module.wrong_cases(folder):
        assert asked > 0
        if wrong:
            return wrong[0]
    return None


def test_schema(folder):
    try:
        import jsonschema
    except ImportError:
        print("[  SKIPPED ] python3-jsonschema is not here")
        return
    schema = json.loads((folder / "schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    for kind in KINDS:
        errors = list(validator.iter_errors(json.loads((folder / f"{kind}.json").read_text())))
        assert not errors, f"{kind}.json: {errors[0].json_path}: {errors[0].message[:300]}"
    # And it can fail: fields that are missing, too large, of another kind.
    good = json.loads((folder / "value.json").read_text())
    good["cases"] = good["cases"][:1]
    assert validator.is_valid(good)
    for spoil in (lambda d: d.update(schema="callgate-corpus/2"), lambda d: d.pop("inputs"),
                  lambda d: d["cases"][0].pop("id"), lambda d: d["cases"][0]["program"][0].pop(),
                  lambda d: d["cases"][0]["program"][0].__setitem__(1, 256),
                  lambda d: d["cases"][0]["runs"][0].update(value="7"),
                  lambda d: d["inputs"][0].update(bytes="00")):
        bad = json.loads(json.dumps(good))
        spoil(bad)
        assert not validator.is_valid(bad), "the schema takes what it must not"


def test_consumer(folder):
    done = subprocess.run([sys.executable, folder / "consume_example.py", folder], capture_output=True, text=True)
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    assert subprocess.run([sys.executable, EXAMPLE, folder / "nowhere"], capture_output=True).returncode == 2


def test_planted(folder):
    """One wrong expectation in each file is found, by its id."""
    def plant(kind, where):
        path = folder / f"{kind}.json"
        text = path.read_text()
        document = json.loads(text)
        case = document["cases"][len(document["cases"]) // 2]
        where(case)
        path.write_text(json.dumps(document))
        done = subprocess.run([sys.executable, EXAMPLE, folder], capture_output=True, text=True)
        path.write_text(text)
        assert done.returncode == 1, f"{kind}: a wrong expectation was not found"
        assert case["id"] in done.stdout, done.stdout
    plant("value", lambda case: case["runs"][0].update(value=case["runs"][0]["value"] ^ 1))
    plant("check", lambda case: case.update(errno=22 - case["errno"]))
    plant("codes", lambda case: case["accepted"].remove(6))
    plant("stack", lambda case: case["runs"][0].update(winner=17))
    plant("outcome", lambda case: case["outcome"].update(kind="listener" if case["outcome"]["kind"] != "listener" else "tracer"))


def test_peers(folder):
    source = EXAMPLE.read_text()
    assert found(consumer(source), folder) is None
    missed = []
    for name, old, new in PEER_ERRORS:
        assert old in source, f"{name}: the consumer has no '{old}' any more"
        module = consumer(source.replace(old, new, 1))
        try:
            case = found(module, folder)
        except RuntimeError as error:
            assert RAISES in new, name
            case = f"a case raises: {error}"
        print(f"{name}: {case}")
        if case is None:
            missed.append(name)
    assert not missed, f"no case catches: {missed}"


def main():
    command, test = sys.argv[1:]
    with tempfile.TemporaryDirectory() as top:
        folder = pathlib.Path(top) / "export"
        subprocess.run([command, "corpus", "export", "--format", "json", folder], check=True,
                       stdout=subprocess.DEVNULL)
        globals()[f"test_{test}"](folder)


if __name__ == "__main__":
    main()
