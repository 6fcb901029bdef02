#!/usr/bin/env python3
"""Whether the proofs find what plant.py planted: the positive control.

  find.py --callgate BUILD/harness/cli/callgate [--targets BUILD/fuzz] [--seconds 60] [NAME...]

Each property of `callgate fuzz-live` that errors.py names for an error, and with --targets each fuzz
target, runs with the error switched on and must end with an answer of no (a target: with a crash)
within the time. Without an error they must find nothing. Prints a table, in Markdown; exit code 1
where an error was not found, or something without one.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from errors import ERRORS

PROPERTIES = ("engines", "values", "mutants", "stacks", "scripts")
# Enough for every error in some seconds; the same for all.
AMOUNTS = {"engines": 20480, "values": 4096, "mutants": 40960, "stacks": 200, "scripts": 1000}
NOTHING = ""


def campaign(callgate: str, prop: str, error: str, seconds: float) -> tuple[bool, float]:
    """Whether the property finds the error, and after how many seconds."""
    amounts = []
    for each in PROPERTIES:
        option = "--programs" if each == "values" else f"--{each}"
        amounts += [option, str(AMOUNTS[each] if each == prop else 0)]
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [callgate, "fuzz-live", *amounts, "--inputs", "8", "--seed", "3", "--progress", "0", "--stop-at", "1",
             "--seconds", str(seconds), "--vectors", folder, "--format", "json"],
            env=os.environ | {"CALLGATE_PLANTED": error}, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1):
            sys.exit(f"{error} {prop}: exit code {done.returncode}\n{done.stderr}")
        written = sum(len(files) for _, _, files in os.walk(folder))
    report = json.loads(done.stdout)
    found = sum(each["disagreements"] for each in report["properties"])
    if (done.returncode == 1) != (found > 0) or (found > 0) != (written > 0):
        sys.exit(f"{error} {prop}: {found} found, {written} written, exit code {done.returncode}")
    return found > 0, time.monotonic() - start


def target(folder: str, name: str, error: str, seconds: float) -> tuple[bool, float]:
    """Whether the fuzz target crashes on the error, from its seeds on."""
    program = pathlib.Path(folder) / f"fuzz_{name}"
    seeds = pathlib.Path(__file__).parent.parent / "seeds" / name
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as made:
        done = subprocess.run(
            [program, f"-max_total_time={int(seconds)}", f"-artifact_prefix={made}/", "-timeout=60",
             made, *([seeds] if seeds.is_dir() else [])],
            env=os.environ | {"CALLGATE_PLANTED": error}, capture_output=True, check=False)
        return done.returncode != 0, time.monotonic() - start


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--callgate", required=True)
    options.add_argument("--targets")
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("names", nargs="*")
    given = options.parse_args()
    errors = [each for each in ERRORS if not given.names or each.name in given.names]
    missed = []

    def proved(proof: str, error: str) -> str:
        is_target = proof not in PROPERTIES
        if is_target and not given.targets:
            return ""
        if is_target:
            found, seconds = target(given.targets, proof, error, given.seconds if error else 5)
        else:
            found, seconds = campaign(given.callgate, proof, error, given.seconds)
        if found != bool(error):
            missed.append(f"{error or 'no error'}: {proof}")
        return f"{proof} ({seconds:.1f} s)" if found else f"{proof}: nothing"

    print("| planted error | seen in | found by |\n| --- | --- | --- |")
    proofs = list(dict.fromkeys(proof for each in errors for proof in each.proofs))
    print(f"| none | | {', '.join(filter(None, (proved(each, NOTHING) for each in proofs)))} |", flush=True)
    for error in errors:
        found = ", ".join(filter(None, (proved(each, error.name) for each in error.proofs)))
        print(f"| `{error.name}` | {error.seen_in} | {found} |", flush=True)
    for each in missed:
        print(f"MISSED: {each}", file=sys.stderr)
    sys.exit(1 if missed else 0)


main()
