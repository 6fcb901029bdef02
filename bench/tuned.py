#!/usr/bin/env python3
"""What `callgate tune` gains over real profiles and workloads, predicted, measured and counted, as tables.

  bench/tuned.py BUILD [--rounds N] [--lab] [--only NAME,...] [--json FILE]       # BUILD/harness/cli/callgate

Profiles: containers-common's of Debian (golang-github-containers-common), those of corpus/profiles and bench/profiles,
and what firejail and man install (captured here). Workloads: corpus/workloads. Each proposal and yardstick is measured on
the running kernel in turns (`tune --measure --yardsticks`). With --lab each is counted on arm64 under QEMU as well
(`callgate lab --costs`); filters that are captured here are x86_64's and are not. Needs a quiet machine.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
CORPUS = HERE.parent / "corpus"
CONTAINERS = pathlib.Path("/usr/share/containers/seccomp.json")
VARIANTS = ("original", "linear", "tree", "frequency-tree", "rewritten")
WORKLOADS = ("web", "compile", "database", "service")


def run(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def captured(callgate, folder, name, command):
    """The filters that a command installs: the folder of a capture, or nothing."""
    if shutil.which(command[0]) is None:
        return {}
    out = folder / name
    done = subprocess.run([callgate, "capture", "-o", out, "--", *command], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL)
    if done.returncode != 0 or not out.exists():
        print(f"{name}: not captured: {done.stderr.strip()}", file=sys.stderr)
        return {}
    return {f"{name} (captured)": out}


def profiles(callgate, folder):
    out = {"containers-common": CONTAINERS} if CONTAINERS.exists() else {}
    out |= {"docker, every feature": CORPUS / "profiles/docker_every_feature.json",
            "hardened unit": HERE / "profiles/hardened.service",
            "hot calls test arguments": HERE / "profiles/arguments.json",
            "unit, every option": CORPUS / "profiles/systemd/everything.service",
            "lxc": CORPUS / "profiles/lxc.seccomp"}
    out |= captured(callgate, folder, "firejail", ["firejail", "--noprofile", "--seccomp", "--quiet", "true"])
    return out


def written(proposal, path):
    """The files of a proposal's programs, as one argument of the lab."""
    names = []
    for place, program in enumerate(proposal["programs"]):
        name = f"{path}-{place}.bpf"
        with open(name, "wb") as file:
            for i in program:
                file.write(i["code"].to_bytes(2, "little") + bytes([i["jt"], i["jf"]]) + i["k"].to_bytes(4, "little"))
        names.append(name)
    return ",".join(names)


def counted(callgate, profile, workload, folder):
    """{variant: machine instructions that a call gets added on arm64, counted}"""
    report = json.loads(run([callgate, "tune", "-f", profile, "--workload", workload, "--yardsticks", "--arch",
                             "aarch64", "--kernel", "6.1", "--format", "json"]))["reports"][0]
    stacks = {each["id"]: written(each, folder / each["id"]) for each in report["proposals"]
              if each["id"] in VARIANTS and not each["refused"] and each["programs"]}
    words = [word for argument in stacks.values() for word in ("-f", argument)]
    kernel = json.loads(run([callgate, "lab", "--kernels", "arm64-6.1", "--costs", *words, "--workload", workload,
                             "--format", "json"]))["kernels"][0]
    rows = kernel["workload"]["stacks"]
    return {each: row.get("counted") for each, row in zip(stacks, rows)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--lab", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    callgate = options.build / "harness/cli/callgate"
    only = [each for each in options.only.split(",") if each]
    everything = []
    print("| filters | workload | served | variant | programs | instructions | predicted ns | measured ns | install µs |"
          + (" arm64, counted |" if options.lab else ""))
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |" + (" --- |" if options.lab else ""))
    worse = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for profile_name, profile in profiles(callgate, folder).items():
            if only and not any(each in profile_name for each in only):
                continue
            for workload_name in WORKLOADS:
                workload = CORPUS / "workloads" / f"{workload_name}.workload"
                report = json.loads(run([callgate, "tune", "-f", profile, "--workload", workload, "--arch", "x86_64",
                                         "--kernel", "host", "--yardsticks", "--measure", "--rounds", options.rounds,
                                         "--format", "json"]))["reports"][0]
                arm = {}
                if options.lab and "captured" not in profile_name:
                    arm = counted(callgate, profile, workload, folder)
                report["profile"], report["workload"], report["arm64"] = profile_name, workload_name, arm
                everything.append(report)
                medians = {}
                for each in report["proposals"]:
                    if each["id"] not in VARIANTS:
                        continue
                    line = f"| {profile_name} | {workload_name} | "
                    if each["refused"]:
                        row = f"- | {each['id']} | - | - | - | {each['refused']} | - |"
                    else:
                        measured = each["measured"]
                        if measured:
                            medians[each["id"]] = (measured["adds_ns"]["median"], measured["adds_ns"]["spread"])
                            shown = f"{measured['adds_ns']['median']:.1f} ± {measured['adds_ns']['spread']:.1f}"
                            install = f"{measured['install_ns']['median'] / 1000:.0f}"
                        else:
                            shown, install = "-", "-"
                        row = (f"{100 * each['served'] / max(1, report['calls']):.0f} % | {each['id']} | "
                               f"{len(each['programs'])} | {each['instructions']} | {each['cost']:.1f} | {shown} | {install} |")
                    count = arm.get(each["id"])
                    print(line + row + (f" {'-' if count is None else f'{count:.1f}'} |" if options.lab else ""),
                          flush=True)
                if "rewritten" in medians:
                    best = min(medians, key=lambda each: medians[each][0])
                    ours, spread = medians["rewritten"]
                    noise = max(3 * (spread + medians[best][1]), 1)
                    if ours > medians[best][0] + noise:
                        worse.append(f"{profile_name}, {workload_name}: rewritten {ours:.1f}, {best} {medians[best][0]:.1f}")
    print()
    print("Never worse than the best of the others beyond noise." if not worse else "Worse: " + "; ".join(worse))
    if options.json:
        options.json.write_text(json.dumps(everything))


if __name__ == "__main__":
    main()
