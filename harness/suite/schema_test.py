#!/usr/bin/env python3
"""schema_test.py SCHEMA SUITE_FOLDER README: every suite of the project, and those that the README shows, fit the
published schema; suites with mistakes do not."""
import glob
import json
import os
import re
import sys

try:
    import jsonschema
    import yaml
except ImportError as error:
    # Another Python may be first in the path; Debian's packages are for its own.
    if os.path.realpath(sys.executable) != os.path.realpath("/usr/bin/python3") and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    print(f"[  SKIPPED ] {error}: python3-jsonschema and python3-yaml are needed")
    sys.exit(0)

schema = json.load(open(sys.argv[1], encoding="utf-8"))
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
failed = 0


def complain(where, errors):
    global failed
    for error in errors:
        failed += 1
        print(f"{where}: {'/'.join(map(str, error.path))}: {error.message[:300]}")


suites = sorted(glob.glob(sys.argv[2] + "/**/*.yaml", recursive=True))
for path in suites:
    with open(path, encoding="utf-8") as text:
        for document in yaml.safe_load_all(text):
            # A file that is included has no filter.
            if isinstance(document, dict) and "filter" not in document:
                document = dict(document, filter="x")
            complain(path, validator.iter_errors(document))

examples = re.findall(r"^```yaml\n(.*?)^```", open(sys.argv[3], encoding="utf-8").read(), re.S | re.M)
for number, text in enumerate(examples):
    document = yaml.safe_load(text)
    document.setdefault("filter", "x")
    complain(f"example {number + 1} of the README", validator.iter_errors(document))

wrong = [
    "expect: [{allow: read}]",
    "filter: a\nexpect: [{alow: [read]}]",
    "filter: a\nexpect: {allow: [read]}",
    "filter: a\nexpected: []",
    "filter: a\nhigh_half: most",
    "filter: a\nexpect: [{returns 1: [read]}]",
    "filter: a\nmin_coverage: 101",
    "filter: a\nsurroundings: {tracer: 1}",
    "filter: a\nrecorded: [{calls: [{'read()': ALLOW}], file: b}]",
]
for text in wrong:
    if validator.is_valid(yaml.safe_load(text)):
        failed += 1
        print(f"this fits, and should not:\n{text}")

print(f"{len(suites)} suites, {len(examples)} examples, {len(wrong)} mistakes: {failed} complaints")
sys.exit(1 if failed or len(examples) < 3 else 0)
