#!/usr/bin/env python3
"""reference_test.py CALLGATE: reference.md names every subcommand, format, schema and variable that there is."""
import os
import re
import subprocess
import sys

callgate = os.path.abspath(sys.argv[1])
here = os.path.dirname(os.path.abspath(__file__))
repository = os.path.dirname(os.path.dirname(here))
with open(os.path.join(here, "reference.md"), encoding="utf-8") as file:
    words = set(re.findall(r"`([^`]+)`", file.read()))
failed = 0


def named(what, names):
    global failed
    if not names:
        failed += 1
        print(f"no {what} were found: this test does not see them any more")
    for name in sorted(set(names) - words):
        failed += 1
        print(f"reference.md does not name the {what} {name}")


def help_of(*command):
    return subprocess.run([callgate, *command, "--help"], capture_output=True, text=True, timeout=60, check=True).stdout


def choices(text, option):
    """The members of an option: --option NAME:{a,b,…}"""
    found = re.search(rf"{option}\b[^\n{{]*:\{{([^}}]+)\}}", text)
    return found.group(1).split(",") if found else []


named("subcommand", re.findall(r"^  ([a-z][a-z-]*)  ", help_of().split("Subcommands:")[1], re.M))
named("input format", choices(help_of("check"), "--input-format"))
named("form that convert writes", choices(help_of("convert"), "--to"))
named("form that reduce writes", choices(help_of("reduce"), "--to"))
named("trace format", choices(help_of("replay"), "--trace-format"))
named("format of results", choices(help_of("test"), "--format"))
named("format of coverage", re.search(r"cover: (.*?), with =FILE", " ".join(help_of("test").split())).group(1)
      .replace(" or ", ", ").replace(",", " ").split())
schemas, variables = [], []
for folder, folders, files in os.walk(repository):
    folders[:] = [name for name in folders if name != "build" and not name.startswith(".")]
    for name in files:
        path = os.path.join(folder, name)
        if name.endswith("schema.json"):
            schemas.append(os.path.relpath(path, repository))
        elif name.endswith((".cpp", ".hpp")):
            with open(path, encoding="utf-8") as file:
                variables += re.findall(r'getenv\("([A-Z_]+)"\)', file.read())
named("schema", schemas)
# WRONG belongs to an example.
named("environment variable", [name for name in variables if name != "WRONG"])
print(f"{failed} things are not in reference.md")
sys.exit(1 if failed else 0)
