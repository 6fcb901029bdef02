"""Says how each kernel of a `callgate lab --format json` report did, on standard error; prints
`passed failed skipped`."""

import json
import sys


def main(path):
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    for each in report["kernels"]:
        print(f"{each['result']:7} lab {each['name']} {each['release']}: {each['values']} values, "
              f"{each['acceptances']} acceptances, {each['differences']} differences"
              f"{': ' + each['reason'] if each['reason'] else ''}", file=sys.stderr)
        for line in each["first"]:
            print(f"  {line}", file=sys.stderr)
    print(report["passed"], report["failed"], report["skipped"])


main(sys.argv[1])
