#!/usr/bin/env python3
"""options_test.py CALLGATE: each `callgate …` that a Markdown file names has a subcommand and options that there are.

Looks at code in sentences and tables, and at blocks that are not run."""
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True  # nothing is written into the tree
from snippets import read_blocks

callgate = os.path.abspath(sys.argv[1])
repository = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
known, wrong, seen = {}, [], 0


def help_of(*subcommand):
    ended = subprocess.run([callgate, *subcommand, "--help"], capture_output=True, text=True, timeout=60, check=True)
    return ended.stdout.split("\nExample")[0]


def below_of(text):
    """The subcommands that a --help lists."""
    return re.findall(r"^  ([a-z][a-z-]*)  ", text.partition("Subcommands:")[2], re.M)


def options_of(*subcommand):
    """The options that the --help of a subcommand, and of those below it, has."""
    if subcommand not in known:
        text = help_of(*subcommand)
        known[subcommand] = set(re.findall(r"(?<![\w-])(--?[a-zA-Z][\w-]*)", text))
        for below in below_of(text):
            known[subcommand] |= options_of(*subcommand, below)
    return known[subcommand]


def look_at(command, place):
    global seen
    words = command.split()
    if len(words) < 2 or not re.fullmatch(r"[a-z][a-z-]*", words[1]):
        return  # `callgate` alone, `callgate SUBCOMMAND --help`
    seen += 1
    if words[1] not in subcommands:
        wrong.append(f"{place}: `{command}`: there is no subcommand {words[1]}")
        return
    options = options_of(words[1])
    for word in words[2:]:
        if word in ("--", "|", ";", ">", "&&", "#") or word.endswith(";"):
            break  # what follows is another command's
        option = word.split("=")[0].strip("'\"")
        if re.fullmatch(r"--?[a-zA-Z][\w-]*", option) and option not in options:
            wrong.append(f"{place}: `{command}`: {words[1]} has no option {option}")


subcommands = below_of(help_of())
for folder, folders, files in os.walk(repository):
    folders[:] = sorted(name for name in folders if name not in ("build", "node_modules") and not name.startswith("."))
    for name in sorted(files):
        path = os.path.relpath(os.path.join(folder, name), repository)
        if not name.endswith(".md"):
            continue
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            text = file.read()
        for block in read_blocks(text, path):
            for command in block.commands:
                for part in re.findall(r"(?:^|[|;(&] *)(callgate [^|;&)]*)", command.text.replace("\\\n", " ")):
                    look_at(part, f"{path}:{command.line}")
        prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.S | re.M)
        for span in re.findall(r"`(callgate [^`]*)`", prose):
            look_at(" ".join(span.split()), path)
for text in wrong:
    print(text)
# It can fail.
before = len(wrong)
look_at("callgate run --nonsense", "here")
look_at("callgate nonsense", "here")
found = len(wrong) - before
del wrong[before:]
if found != 2:
    wrong.append("")
    print("wrong options and subcommands are not found any more")
if seen < 100:
    wrong.append("")
    print("hardly any command was found: this test does not see them any more")
print(f"{seen} commands, {len(wrong)} wrong")
sys.exit(1 if wrong else 0)
