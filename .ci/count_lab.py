#!/usr/bin/env python3
"""Says how each kernel of a `callgate lab --format json` report did, on standard error; prints
`passed failed skipped`. A boot that gave fewer answers than it should has failed too. --costs: the
report is one of `callgate lab --costs`."""

import json
import sys

FEWEST_VALUES = 20000
FEWEST_ANSWERS = 7000


def main(path, costs):
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    few = []
    for each in report["kernels"]:
        if costs:
            answers, fewest = each.get("agreements", 0), FEWEST_ANSWERS
            words = f"{answers} numbers served by the cache or not as predicted, {each.get('differences', 0)} not"
        else:
            answers, fewest = each["values"], FEWEST_VALUES
            words = f"{answers} values, {each['acceptances']} acceptances, {each['differences']} differences"
        print(f"{each['result']:7} lab {each['name']} {each['release']}: {words}"
              f"{': ' + each['reason'] if each['reason'] else ''}", file=sys.stderr)
        for line in each["first"]:
            print(f"  {line}", file=sys.stderr)
        if each["result"] == "passed" and answers < fewest:
            few.append(each["name"])
    if few:
        print(f"FAILED  fewer answers than there should be: {', '.join(few)}", file=sys.stderr)
    print(report["passed"] - len(few), report["failed"] + len(few), report["skipped"])


main(sys.argv[-1], "--costs" in sys.argv[1:-1])
