#!/usr/bin/env python3
"""What `callgate cost` predicts beside what `callgate bench` measures, as a table.

  bench/predicted.py BUILD          # BUILD/bench/callgate_write_filters, BUILD/harness/cli/callgate

The coefficients are measured first (`callgate bench --model`), on one filter that is in no row. Then each stack is
measured and predicted under each workload, in turns; medians of --times. Measured are: getppid under the stack as it is,
and the workload's calls one by one (returns become refusals). A prediction holds if it is within 15 % of what was
measured or within its spread, whichever is more. Needs root or a user who may install filters, and an idle machine.
"""

import argparse
import json
import pathlib
import statistics
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
ALLOW = 0x7FFF0000
ASKS = struct.pack("<HBBI", 0x20, 0, 0, 16)  # ld [16]: no number is served by the cache then


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def stacks(build, folder):
    """{name: the files of its filters}"""
    lines = subprocess.run([build / "bench/callgate_write_filters", folder], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    files = {line.split()[0]: pathlib.Path(line.split()[1]) for line in lines}

    def made(name, data):
        path = folder / f"{name}.bpf"
        path.write_bytes(data)
        return path

    allow = struct.pack("<HBBI", 6, 0, 0, ALLOW)
    cached, asking = made("cached", allow), made("asking", ASKS + allow)
    slow = {name: made(f"{name}_asking", ASKS + files[name].read_bytes()) for name in ("linear", "tree", "jeq300")}
    out = {"ret ALLOW": [cached], "ld [16]; ret ALLOW": [asking]}
    out |= {name: [path] for name, path in files.items()}
    out |= {f"ld [16]; {name}": [path] for name, path in slow.items()}
    out |= {"3 x linear": [files["linear"]] * 3, "demo5, linear, args": [files[n] for n in ("demo5", "linear", "args")],
            "8 x ld [16]; ret ALLOW": [asking] * 8, "ld [16]; linear, then tree": [slow["linear"], files["tree"]]}
    return out


def row(name, workload, pairs):
    """A line of the table, and whether the prediction holds; `pairs`: (predicted, measured, spread)"""
    predicted, measured, spread = (statistics.median(column) for column in zip(*pairs))
    allowed = max(0.15 * measured, spread)
    holds = abs(predicted - measured) <= allowed
    off = f"{100 * (predicted - measured) / measured:+.0f} %" if measured > 0.5 else "-"
    return f"| {name} | {workload} | {predicted:.1f} | {measured:.1f} \u00b1 {spread:.1f} | {off} | " \
           f"{'yes' if holds else '**no**'} |", holds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path, help="a build folder, such as build/release")
    parser.add_argument("--times", type=int, default=5, help="how often each is measured (5)")
    arguments = parser.parse_args()
    callgate = arguments.build / "harness/cli/callgate"
    workloads = {path.stem: path for path in sorted((HERE / "workloads").glob("*.txt"))}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        everything = stacks(arguments.build, folder)
        model = folder / "model.json"
        calibration = folder / "calibration.bpf"
        calibration.write_bytes(ASKS + struct.pack("<HBBI", 0x15, 0, 0, 1) + struct.pack("<HBBI", 6, 0, 0, ALLOW))
        calibrated = run([callgate, "bench", "-f", calibration, "--workload", workloads["tools"], "--model", model,
                          "--format", "json"])
        conditions = calibrated["conditions"]
        print(f"Linux {conditions['kernel']}, {conditions['cpu']}, load {conditions['load']}; ns per call.\n")
        print("| stack | calls | predicted | measured | off | holds |\n| --- | --- | --- | --- | --- | --- |")
        seen = {}
        for _ in range(arguments.times):
            for stack, files in everything.items():
                filters = [word for path in files for word in ("-f", path)]
                for workload, path in workloads.items():
                    common = [*filters, "--workload", path, "--format", "json"]
                    measured = run([callgate, "bench", *common])
                    predicted = run([callgate, "cost", *common, "--arch", "x86_64", "--kernel", "host", "--model", model])
                    adds, ns = measured["weighted"]["adds_ns"], predicted["totals"]["ns"]["adds"]
                    seen.setdefault((stack, workload), []).append(
                        ((ns["min"] + ns["max"]) / 2, adds["median"], adds["spread"]))
                whole = measured["stack_adds_ns"]
                getppid = folder / "getppid"
                getppid.write_text("getppid 1\n", encoding="utf-8")
                predicted = run([callgate, "cost", *filters, "--workload", getppid, "--format", "json", "--arch", "x86_64",
                                 "--kernel", "host", "--model", model])
                if whole is not None:
                    ns = predicted["totals"]["ns"]["adds"]
                    seen.setdefault((stack, "getppid"), []).append(
                        ((ns["min"] + ns["max"]) / 2, whole["median"], whole["spread"]))
        held = 0
        for stack in everything:
            for workload in ("getppid", *workloads):
                if (stack, workload) not in seen:
                    continue
                line, holds = row(stack, workload, seen[stack, workload])
                held += holds
                print(line)
        print(f"\n{held} of {len(seen)} predictions hold.")
        return 0 if held == len(seen) else 1


if __name__ == "__main__":
    sys.exit(main())
