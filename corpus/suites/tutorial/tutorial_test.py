#!/usr/bin/env python3
"""tutorial_test.py CALLGATE: the suites of this folder find what its README says, and see a profile change."""
import os
import shutil
import subprocess
import sys
import tempfile

callgate = os.path.abspath(sys.argv[1])
here = os.path.dirname(os.path.abspath(__file__))
failed = 0


def check(what, holds, said=""):
    global failed
    if not holds:
        failed += 1
        print(f"does not hold: {what}\n{said}")


def run(*arguments):
    ended = subprocess.run([callgate, *arguments], capture_output=True, text=True, timeout=300)
    return ended.returncode, ended.stdout + ended.stderr


with tempfile.TemporaryDirectory() as folder:
    for name in os.listdir(here):
        if name.endswith((".json", ".yaml")):
            shutil.copy(os.path.join(here, name), folder)
    os.chdir(folder)
    code, said = run("test", "profile_test.yaml")
    check("two cases fail", code == 1, said)
    code, said = run("test", "profile_fixed_test.yaml")
    check("the mended profile passes", code == 0, said)
    code, said = run("test", "--live", "profile_fixed_test.yaml")
    if "cannot" not in said:
        check("and on the running kernel", code == 0, said)
    code, said = run("init", "profile.json", "-o", "made.yaml")
    check("a first suite is written", code == 0, said)
    code, said = run("test", "made.yaml")
    check("and passes", code == 0, said)
    os.replace("profile_fixed.json", "profile.json")
    code, said = run("test", "made.yaml")
    check("and sees the profile change", code == 1 and "clone3" in said and "socket" in said, said)
    code, said = run("cases", "profile.json")
    with open("made.yaml", "w") as out:
        out.write("filter: profile.json\narch: x86_64\n" + said)
    check("cases are ready to paste", run("test", "--min-coverage", "100", "made.yaml")[0] == 0, said)
print(f"{failed} things do not hold")
sys.exit(1 if failed else 0)
