#!/usr/bin/env python3
"""merge_sarif.py FILE...: reports of `callgate audit --format sarif` as one, with one run, on standard output.

Code-scanning pages take one run of a tool and category a commit. Rules are the same in each report, and are kept
once; results keep their order, and the file that each was found in becomes part of its fingerprint, which else names
the kind of finding and the call only. All reports must be of one version of Callgate."""

import json
import sys


def with_file(result):
    for place in result.get("locations", []):
        file = place.get("physicalLocation", {}).get("artifactLocation", {}).get("uri")
        if file is not None:
            for name, mark in result.get("partialFingerprints", {}).items():
                result["partialFingerprints"][name] = f"{file}:{mark}"
            break
    return result


def main(paths):
    merged = None
    for path in paths:
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
        if len(report["runs"]) != 1:
            sys.exit(f"merge_sarif: {path}: {len(report['runs'])} runs, not one")
        run = report["runs"][0]
        run["results"] = [with_file(each) for each in run.get("results", [])]
        if merged is None:
            merged = report
            continue
        first = merged["runs"][0]
        if run["tool"] != first["tool"]:
            sys.exit(f"merge_sarif: {path}: from another version of Callgate than {paths[0]}")
        for name, value in run.items():
            if name == "results":
                continue
            if name == "invocations":
                first.setdefault(name, []).extend(value)
            elif first.get(name, value) != value:
                sys.exit(f"merge_sarif: {path}: {name} differs from that of {paths[0]}")
        first["results"].extend(run["results"])
    json.dump(merged, sys.stdout, indent=2, ensure_ascii=False)
    print()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
