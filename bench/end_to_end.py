#!/usr/bin/env python3
"""What tuning is worth to a whole program: requests a second of nginx, and the time that a build takes.

  bench/end_to_end.py BUILD [--rounds N] [--seconds S]        # BUILD/harness/cli/callgate

Each round has every variant once, in an order that turns: without a filter, under the filters as they are, under what
`callgate tune` makes of them. Needs nginx-light (or nginx), wrk and g++, and a quiet machine. Prints a table.
"""

import argparse
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
CORPUS = HERE.parent / "corpus" / "workloads"


def run(command, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def programs(report, which, folder, name):
    """The files of a proposal's programs."""
    proposal = next(each for each in report["proposals"] if each["id"] == which)
    if proposal["refused"]:
        sys.exit(f"{name}: {which} is refused: {proposal['refused']}")
    out = []
    for place, program in enumerate(proposal["programs"]):
        path = folder / f"{name}-{which}-{place}.bpf"
        with open(path, "wb") as file:
            for i in program:
                file.write(i["code"].to_bytes(2, sys.byteorder) + bytes([i["jt"], i["jf"]]) +
                           i["k"].to_bytes(4, sys.byteorder))
        out.append(path)
    return out


def under(filters, command):
    return [sys.executable, str(HERE / "under_filters.py"), *map(str, filters), "--", *map(str, command)]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def requests(filters, folder, seconds):
    """Requests a second of nginx with one worker."""
    port = free_port()
    www = folder / "www"
    www.mkdir(exist_ok=True)
    (www / "index.html").write_text("<p>" + "x" * 600 + "</p>\n")
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\n"
        "events { worker_connections 256; }\n"
        f"http {{ access_log {folder}/access.log; sendfile on; keepalive_requests 1000000;\n"
        f"  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;\n"
        f"  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;\n"
        f"  server {{ listen 127.0.0.1:{port}; root {www}; }} }}\n")
    server = subprocess.Popen(under(filters, ["taskset", "-c", "0", shutil.which("nginx"), "-c", configuration]),
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if server.poll() is not None:
                    sys.exit(f"nginx ended: {server.stderr.read().decode()}")
                time.sleep(0.05)
        text = run(["taskset", "-c", "1", "wrk", "-t1", "-c8", f"-d{seconds}s", f"http://127.0.0.1:{port}/"])
        line = next(each for each in text.splitlines() if each.startswith("Requests/sec"))
        return float(line.split()[1])
    finally:
        server.terminate()
        server.wait()


def build_time(filters, folder):
    """Seconds of a build: a shell loop that compiles 24 small files, one after the other."""
    source = folder / "build"
    source.mkdir(exist_ok=True)
    for place in range(24):
        (source / f"{place}.c").write_text(
            f"#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\nint f{place}(int x) {{ return x * {place}; }}\n")
    script = "for i in $(seq 0 23); do gcc -O1 -c $i.c -o $i.o || exit 1; done"
    begin = time.perf_counter()
    run(under(filters, ["taskset", "-c", "0", "sh", "-c", script]), cwd=source)
    return time.perf_counter() - begin


def search_time(filters):
    """Seconds of grep through /usr/include, which opens a file for every few calls."""
    begin = time.perf_counter()
    subprocess.run(under(filters, ["taskset", "-c", "0", "grep", "-rqs", "zzqqzz", "/usr/include"]), check=False)
    return time.perf_counter() - begin


def tuned(callgate, profile, workload):
    return json.loads(run([callgate, "tune", "-f", profile, "--workload", workload, "--arch", "x86_64", "--kernel",
                           "host", "--format", "json"]))["reports"][0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=2)
    options = parser.parse_args()
    callgate = options.build / "harness/cli/callgate"
    profiles = {"a hardened unit's": HERE / "profiles/hardened.service",
                "hot calls test arguments": HERE / "profiles/arguments.json"}
    print("| filters | program | variant | filters | instructions | median | spread | of no filter |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.chmod(folder, 0o755)
        for profile_name, profile in profiles.items():
            for program, workload, measure, more in (
                    ("nginx, requests/s", CORPUS / "web.workload",
                     lambda f: requests(f, folder, options.seconds), True),
                    ("build, s", CORPUS / "compile.workload", lambda f: build_time(f, folder), False),
                    ("grep -r, s", CORPUS / "compile.workload", search_time, False)):
                report = tuned(callgate, profile, workload)
                stem = f"{profile.stem}-{workload.stem}"
                variants = {"no filter": [], "as they are": programs(report, "original", folder, stem),
                            "tuned": programs(report, "rewritten", folder, stem)}
                figures = {each: [] for each in variants}
                names = list(variants)
                for turn in range(options.rounds):
                    for place in range(len(names)):
                        each = names[(place + turn) % len(names)]
                        figures[each].append(measure(variants[each]))
                bare = statistics.median(figures["no filter"])
                for each in names:
                    median = statistics.median(figures[each])
                    spread = statistics.median(abs(figure - median) for figure in figures[each])
                    count = sum(path.stat().st_size // 8 for path in variants[each])
                    shown = f"{median:.0f} | {spread:.0f}" if more else f"{median:.3f} | {spread:.3f}"
                    print(f"| {profile_name} | {program} | {each} | {len(variants[each])} | {count} | {shown} | "
                          f"{median / bare:.3f} |", flush=True)


if __name__ == "__main__":
    main()
