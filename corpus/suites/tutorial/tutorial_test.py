#!/usr/bin/env python3
"""tutorial_test.py CALLGATE README: what the README shows of `callgate test` is what is printed."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

callgate, readme = os.path.abspath(sys.argv[1]), open(sys.argv[2], encoding="utf-8").read()
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


section = readme[readme.index("## Testing a filter"):]
suite = re.search(r"^```yaml\n(.*?)^```", section, re.S | re.M).group(1)
shown = re.search(r"^```\n\$ callgate test profile_test.yaml\n(.*?)^```", section, re.S | re.M).group(1)
with tempfile.TemporaryDirectory() as folder:
    for name in os.listdir(here):
        if name.endswith((".json", ".yaml")):
            shutil.copy(os.path.join(here, name), folder)
    os.chdir(folder)
    check("the README's suite is the one in the tree", suite == open("profile_test.yaml").read())
    code, said = run("test", "profile_test.yaml")
    check("two cases fail", code == 1, said)
    for line in shown.splitlines():
        if line.strip() in ("…", ""):
            continue
        part = re.sub(r" in [0-9.]+ s$", "", line)
        check(f"`{part}` is printed", part in said, said)
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
