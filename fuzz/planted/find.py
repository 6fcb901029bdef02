#!/usr/bin/env python3
"""Whether the proofs find what plant.py planted: the positive control.

  find.py [--callgate BUILD/harness/cli/callgate] [--targets BUILD/fuzz] [--seconds 60] [NAME...]

With --callgate each property of `callgate fuzz-live` that errors.py names for an error, with --targets each
fuzz target, runs with the error switched on and must end with an answer of no (a target: with a crash)
within the time. Without an error they must find nothing. Prints a table, in Markdown; exit code 1
where an error was not found, or something without one.
"""

import argparse
import json
import os
import pathlib
import re
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


def longest_inputs() -> dict[str, str]:
    """The rows of targets.def: each target's -max_len."""
    rows = (pathlib.Path(__file__).parent.parent / "targets.def").read_text()
    return {f"fuzz_{name}": longest for name, longest in re.findall(r"^FUZZ_TARGET\((\w+), +\w+, +(\d+)", rows, re.M)}


def target(folder: str, name: str, error: str, seconds: float) -> tuple[bool, float]:
    """Whether the fuzz target crashes on the error, from its seeds on, and after how many seconds."""
    seeds = pathlib.Path(__file__).parent.parent / "seeds" / name.removeprefix("fuzz_")
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as corpus, tempfile.TemporaryDirectory() as crashes:
        done = subprocess.run(
            [pathlib.Path(folder) / name, f"-max_total_time={int(seconds)}", f"-max_len={longest_inputs()[name]}",
             "-seed=3", "-timeout=60", *(["-len_control=0"] if name == "fuzz_task_kernel" else []),
             f"-artifact_prefix={crashes}/", corpus, seeds],
            env=os.environ | {"CALLGATE_PLANTED": error}, capture_output=True, text=True, errors="replace", check=False)
        took = time.monotonic() - start
        crashed = any(each.name.startswith("crash-") for each in pathlib.Path(crashes).iterdir())
    # An end for another reason proves nothing: a kernel that gave no answer, a time-out, a target that skips.
    if (done.returncode != 0) != crashed or any(word in done.stderr for word in ("no answer: ", "[  SKIPPED ]")):
        sys.exit(f"{error or 'no error'} {name}: exit code {done.returncode}\n{done.stderr[-4000:]}")
    return crashed, took


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--callgate")
    options.add_argument("--targets")
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("names", nargs="*")
    given = options.parse_args()
    if not given.callgate and not given.targets:
        options.error("--callgate or --targets: what is to find them?")
    errors = [each for each in ERRORS if not given.names or each.name in given.names]
    missed = []

    def proved(proof: str, error: str) -> str:
        is_target = proof not in PROPERTIES
        if not (given.targets if is_target else given.callgate):
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
