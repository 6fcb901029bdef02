"""Says how each kernel of a `callgate lab --format json` report did, on standard error; prints
`passed failed skipped`. A boot that gave fewer values than it should has failed too."""

import json
import sys

FEWEST_VALUES = 20000


def main(path):
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    for each in report["kernels"]:
        print(f"{each['result']:7} lab {each['name']} {each['release']}: {each['values']} values, "
              f"{each['acceptances']} acceptances, {each['differences']} differences"
              f"{': ' + each['reason'] if each['reason'] else ''}", file=sys.stderr)
        for line in each["first"]:
            print(f"  {line}", file=sys.stderr)
    few = [each["name"] for each in report["kernels"]
           if each["result"] == "passed" and each["values"] < FEWEST_VALUES]
    if few:
        print(f"FAILED  fewer than {FEWEST_VALUES} values: {', '.join(few)}", file=sys.stderr)
    print(report["passed"] - len(few), report["failed"] + len(few), report["skipped"])


main(sys.argv[1])
