"""Counts a JUnit file of ctest: names what was skipped, then prints `passed failed skipped`.

A skipped test fails, but for one whose reason names a sanitizer: what is left out there is run by
`./bootstrap test`.
"""

import sys
import xml.etree.ElementTree as ElementTree


def main(path):
    passed = failed = skipped = 0
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        status = case.get("status")
        output = case.findtext("system-out") or ""
        if case.find("skipped") is not None or status in ("notrun", "disabled"):
            reasons = [line for line in output.splitlines() if "kipped" in line or "sanitizer" in line]
            reason = reasons[-1].strip() if reasons else "no reason given"
            excused = "sanitizer" in output
            print(f"{'skipped' if excused else 'FAILED, skipped'}  {case.get('name')}: {reason}")
            if excused:
                skipped += 1
            else:
                failed += 1
        elif case.find("failure") is not None or status == "fail":
            failed += 1
        else:
            passed += 1
    if passed + failed + skipped == 0:
        return 1
    print(passed, failed, skipped)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
