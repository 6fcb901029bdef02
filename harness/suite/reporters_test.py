#!/usr/bin/env python3
"""Gives what the reporters of `callgate test` write to programs that read such.

    reporters_test.py SAMPLES NODE_FOLDER

SAMPLES is callgate_report_samples, NODE_FOLDER where bootstrap installs packages of npm. A reader that is not here
is told of, and its part is skipped.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
# What hostile_results.hpp holds.
COUNTS = {"passed": 3, "failed": 3, "absent": 3, "unknown": 2, "errors": 2, "not_run": 3}
CASES = 13

missing = []


def run(command, **options):
    return subprocess.run([str(each) for each in command], capture_output=True, text=True, check=False, **options)


def check_json(folder):
    documents = {each: json.loads((folder / f"json.{each}").read_text()) for each in ("strict", "well", "empty")}
    assert documents["strict"]["counts"] == COUNTS, documents["strict"]["counts"]
    assert len(documents["strict"]["cases"]) == CASES
    try:
        import jsonschema
    except ImportError:
        missing.append("python3-jsonschema")
        return
    schema = json.loads((HERE / "results.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    for name, document in documents.items():
        errors = list(validator.iter_errors(document))
        assert not errors, f"{name}: {errors[0].json_path}: {errors[0].message[:300]}"
    for spoil in (lambda d: d.update(callgate=2), lambda d: d["counts"].pop("unknown"),
                  lambda d: d["cases"][1].update(failures=[]), lambda d: d["cases"][0].update(status="ok"),
                  lambda d: d["cases"][0]["place"].update(line=0)):
        bad = json.loads(json.dumps(documents["strict"]))
        spoil(bad)
        assert not validator.is_valid(bad), "the schema takes what it must not"


# What Jenkins' schemas know: elements, their attributes, and what may stand in them.
JUNIT = {
    "testsuites": ({"name", "tests", "failures", "errors", "time"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time", "file"}, {"properties", "testcase"}),
    "testcase": ({"name", "classname", "file", "line", "time"}, {"skipped", "error", "failure", "system-out"}),
    "failure": ({"type", "message"}, set()), "error": ({"type", "message"}, set()),
    "skipped": ({"type", "message"}, set()), "system-out": (set(), set()),
    "properties": (set(), {"property"}), "property": ({"name", "value"}, set()),
}


JUNITPARSER = """
import sys, junitparser
seen = [0, 0, 0]
for suite in junitparser.JUnitXml.fromfile(sys.argv[1]):
    for case in suite:
        kinds = [type(each) for each in case.result]
        for i, kind in enumerate((junitparser.Failure, junitparser.Skipped, junitparser.Error)):
            seen[i] += kind in kinds
print(*seen)
"""


def check_junit(folder, node):
    for name, failures, skipped in (("strict", 5, 3), ("lenient", 3, 5), ("well", 0, 0), ("empty", 0, 0)):
        file = folder / f"junit.{name}"
        root = xml.etree.ElementTree.parse(file).getroot()
        for element in root.iter():
            attributes, children = JUNIT[element.tag]
            assert set(element.attrib) <= attributes, (element.tag, element.attrib)
            assert {each.tag for each in element} <= children, element.tag
            if "time" in element.attrib:
                assert re.fullmatch(r"[0-9]{1,3}\.[0-9]{6}", element.get("time")), element.attrib
        suites = list(root)
        for total, key in ((failures, "failures"), (skipped, "skipped"), (2 if name in ("strict", "lenient") else 0, "errors")):
            assert sum(int(each.get(key)) for each in suites) == total, (name, key)
        if shutil.which("xmllint"):
            done = run(["xmllint", "--noout", file])
            assert done.returncode == 0, done.stderr
    # A control character has no place in XML.
    hostile = xml.etree.ElementTree.parse(folder / "junit.strict").getroot()[1].get("name")
    assert hostile.startswith("a\"b'c<d>&e]]>f\ng\rh\ufffdi\ufffd[31mj\ufffdk%l#m"), hostile

    # Debian's package is for Debian's Python.
    python = next((each for each in (sys.executable, "/usr/bin/python3")
                   if shutil.which(each) and run([each, "-c", "import junitparser"]).returncode == 0), None)
    if python is None:
        missing.append("python3-junitparser")
    else:
        for name, expected in (("strict", "5 3 2"), ("lenient", "3 5 2"), ("well", "0 0 0")):
            done = run([python, "-c", JUNITPARSER, folder / f"junit.{name}"])
            assert done.stdout.strip() == expected, (name, done.stdout, done.stderr)

    if not (shutil.which("node") and (node / "node_modules/junit2json").is_dir()):
        missing.append("junit2json of npm")
        return
    program = """
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
const at = createRequire(process.argv[2] + "/node_modules/x.js").resolve("junit2json/package.json");
const { parse } = await import(pathToFileURL(at.replace("package.json", "dist/esm/index.js")));
console.log(JSON.stringify(await parse(readFileSync(process.argv[3], "utf8"))));
"""
    script = folder / "junit.mjs"
    script.write_text(program)
    done = run(["node", script, node, folder / "junit.strict"])
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    cases = [case for suite in read["testsuite"] for case in suite["testcase"]]
    assert len(cases) == CASES and read["failures"] == 5, read
    failed = cases[1]
    assert failed["file"] == "suites/default_test.yaml" and str(failed["line"]) == "12", failed
    assert len(failed["failure"]) == 2
    assert failed["failure"][0]["message"] == "socket(AF_VSOCK): expected ERRNO(1), EPERM, actual ALLOW", failed


PERL = r"""
use strict; use warnings; use TAP::Parser;
open my $file, '<', $ARGV[0] or die; local $/; my $tap = <$file>;
my $parser = TAP::Parser->new({tap => $tap});
my ($yaml, $blocks, $first) = (0, 0, '');
while (my $result = $parser->next) {
  if ($result->is_yaml) {
    ++$blocks;
    my $failures = $result->data->{failures};
    ++$yaml if ref $failures eq 'ARRAY' && $failures->[0]{call} && $failures->[0]{expected};
    $first = $failures->[0]{path}[1]{step} if $yaml == 1 && !$first;
  }
  die 'not understood: ' . $result->as_string if $result->is_unknown;
}
print join(';', 0 + @{[$parser->parse_errors]}, $parser->tests_run, 0 + @{[$parser->failed]},
           0 + @{[$parser->skipped]}, 0 + @{[$parser->todo]}, $blocks, $yaml, $first), "\n";
print "$_\n" for $parser->parse_errors;
"""

NODE_TAP = """
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
const at = createRequire(process.argv[2] + "/node_modules/x.js").resolve("tap-parser");
const { Parser } = await import(pathToFileURL(at));
const results = await new Promise((done) => {
  const parser = new Parser((end) => done({ ...end, all: undefined, asserts }));
  const asserts = [];
  parser.on("assert", (each) => asserts.push({ ok: each.ok, name: each.name, skip: each.skip, todo: each.todo, diag: each.diag }));
  parser.on("extra", (text) => { if (text.trim()) throw Error("not understood: " + text); });
  parser.end(readFileSync(process.argv[3], "utf8"));
});
console.log(JSON.stringify({ ok: results.ok, count: results.count, pass: results.pass, fail: results.fail,
  skip: results.skip, todo: results.todo, problems: results.failures.filter((each) => each.tapError), asserts: results.asserts }));
"""


def check_tap(folder, node):
    if shutil.which("perl") and run(["perl", "-MTAP::Parser", "-e", "1"]).returncode == 0:
        for name, expected in (("strict", "0;13;7;3;0;10;3;1: jeq #0x29, 2, 3"),
                               ("lenient", "0;13;5;3;2;10;3;1: jeq #0x29, 2, 3"), ("well", "0;1;0;0;0;0;0;")):
            done = run(["perl", "-e", PERL, folder / f"tap13.{name}"])
            assert done.stdout.splitlines()[:1] == [expected], (name, done.stdout, done.stderr)
        if shutil.which("prove"):
            assert run(["prove", "-e", "cat", folder / "tap13.well"]).returncode == 0
            assert run(["prove", "-e", "cat", folder / "tap13.lenient"]).returncode != 0
    else:
        missing.append("Perl's TAP::Parser")

    if not (shutil.which("node") and (node / "node_modules/tap-parser").is_dir()):
        missing.append("tap-parser of npm")
        return
    script = folder / "tap.mjs"
    script.write_text(NODE_TAP)
    for version in ("tap", "tap13"):
        for name, fail, todo in (("strict", 7, 0), ("lenient", 7, 2), ("well", 0, 0)):
            done = run(["node", script, node, folder / f"{version}.{name}"])
            assert done.returncode == 0, done.stderr
            read = json.loads(done.stdout)
            assert not read["problems"], read["problems"]
            if name == "well":
                assert read["ok"] and read["count"] == 1
                continue
            asserts = read["asserts"]
            assert not read["ok"] and len(asserts) == CASES, (version, name, read)
            assert sum(not each["ok"] for each in asserts) == fail, (version, name)
            assert sum(bool(each["todo"]) for each in asserts) == todo, (version, name)
            assert sum(bool(each["skip"]) for each in asserts) == COUNTS["absent"], (version, name)
            diag = asserts[1]["diag"]
            assert [each["step"] for each in diag["failures"][0]["path"]] == [
                "0: ld [0]", "1: jeq #0x29, 2, 3", "5: ret ALLOW"], diag
            assert diag["line"] == 12 and diag["message"] == "guests may not talk to the host", diag
            hostile = asserts[5]
            assert "%l#m\\n # SKIP o # TODO p" in hostile["name"], hostile["name"]
            assert hostile["diag"]["failures"][0]["call"].startswith("a\"b'c<d>&e]]>f\\ng"), hostile


def main():
    samples, node = sys.argv[1], pathlib.Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        done = run([samples, folder])
        assert done.returncode == 0, done.stderr
        check_json(folder)
        check_junit(folder, node)
        check_tap(folder, node)
    for each in missing:
        print(f"[  SKIPPED ] {each} is not here (./bootstrap test installs it)")


if __name__ == "__main__":
    main()
