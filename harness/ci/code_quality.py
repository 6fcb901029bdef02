#!/usr/bin/env python3
"""code_quality.py FILE: a report of `callgate audit --format sarif` as GitLab's code quality report, on standard output.

GitLab does not read SARIF, and its own format of security reports (artifacts:reports:sast) is for analyzers that it
knows; code quality reports are shown beside the lines of a merge request. No such file, since nothing was audited: a
report without findings. Findings that are accepted (suppressed) are left out."""

import hashlib
import json
import os
import sys
import urllib.parse

SEVERITIES = {"error": "critical", "warning": "major", "note": "info"}


def main(path):
    findings = []
    runs = json.load(open(path, encoding="utf-8"))["runs"] if os.path.exists(path) else []
    for result in (each for run in runs for each in run["results"]):
        if result.get("suppressions"):
            continue
        place = result["locations"][0]["physicalLocation"]
        file = urllib.parse.unquote(place["artifactLocation"]["uri"])
        mark = "\n".join([file, result["ruleId"], *sorted(result["partialFingerprints"].values())])
        findings.append({
            "description": result["message"]["text"],
            "check_name": result["ruleId"],
            "fingerprint": hashlib.sha256(mark.encode()).hexdigest(),
            "severity": SEVERITIES[result["level"]],
            "location": {"path": file, "lines": {"begin": place.get("region", {}).get("startLine", 1)}},
        })
    json.dump(findings, sys.stdout, indent=2, ensure_ascii=False)
    print()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
