#!/usr/bin/env python3
"""Two commits side by side: builds both, runs their benchmarks in turns, and says what changed.

  bench/compare.py main~5 main --filter 'single/.*/(linear|tree)/traced' --rounds 9
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def run(*command, **options):
    done = subprocess.run(command, check=False, capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def built(commit):
    """The benchmark of a commit, built below build/compare."""
    name = run("git", "rev-parse", "--short", commit + "^{commit}", cwd=ROOT).strip()
    tree = ROOT / "build" / "compare" / name
    if not tree.exists():
        run("git", "worktree", "add", "--detach", tree, name, cwd=ROOT)
    print(f"building {commit} ({name})", file=sys.stderr)
    run("cmake", "--preset", "release", cwd=tree)
    run("cmake", "--build", "--preset", "release", "--target", "callgate_engine_bench", cwd=tree)
    return tree / "build" / "release" / "bench" / "callgate_engine_bench"


def measured(program, pattern, seconds):
    """{benchmark: time of one iteration}"""
    text = run(program, f"--benchmark_filter={pattern}", f"--benchmark_min_time={seconds}",
               "--benchmark_format=json")
    return {row["name"]: row["real_time"] for row in json.loads(text)["benchmarks"]
            if not row.get("error_occurred")}


def quartiles(values):
    return statistics.quantiles(values, n=4) if len(values) > 2 else [min(values), 0, max(values)]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--filter", default="single/.*/traced", help="a regular expression of names")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.05, help="for one benchmark in one round")
    arguments = parser.parse_args()
    programs = [built(arguments.before), built(arguments.after)]
    ratios = {}
    for turn in range(arguments.rounds):
        order = programs if turn % 2 == 0 else programs[::-1]
        times = {program: measured(program, arguments.filter, arguments.seconds) for program in order}
        before, after = (times[program] for program in programs)
        for name in before.keys() & after.keys():
            ratios.setdefault(name, []).append(after[name] / before[name])
        print(f"round {turn + 1} of {arguments.rounds}", file=sys.stderr)
    if not ratios:
        sys.exit("no benchmark of that name is in both")
    print("time after / time before: median (quartiles); 1 lies within the spread: no difference seen")
    for name in sorted(ratios):
        low, _, high = quartiles(ratios[name])
        median = statistics.median(ratios[name])
        note = "" if low <= 1 <= high else "  faster" if median < 1 else "  slower"
        print(f"{median:6.3f} ({low:.3f} to {high:.3f})  {name}{note}")


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    main()
