#!/usr/bin/env python3
"""Holds what `callgate audit` writes as JSON and SARIF against schemas, for every case of corpus/audit.

    documents_test.py CALLGATE                  by report.schema.json and sarif_subset.schema.json, which is stricter
                                                than SARIF's own and asks for what code-scanning pages want
    documents_test.py CALLGATE --official FILE  by SARIF's own schema
"""

import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
CORPUS = HERE.parent.parent / "corpus" / "audit"


def document(callgate, form, files, options=()):
    command = [callgate, "audit", "--format", form, "--arch", "x86_64", *options]
    for file in files:
        command += ["-f", file]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode in (0, 1) and done.stdout, f"{command}: {done.stderr}"
    return json.loads(done.stdout)


def check(validator, what, text):
    errors = list(validator.iter_errors(text))
    assert not errors, f"{what}: {errors[0].json_path}: {errors[0].message[:300]}"


def check_references(sarif):
    run = sarif["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    prints = [each["partialFingerprints"]["callgateFinding/v1"] for each in run["results"]]
    assert len(prints) == len(set(prints)), prints
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def cases():
    """Each filter of the corpus, with the options that it wants."""
    options = {}
    for line in (CORPUS / "expected.txt").read_text().splitlines():
        if "input=" in line:
            options[line.split()[0]] = ["--input-format", line.split("input=")[1].split()[0]]
    files = sorted(file for file in CORPUS.iterdir() if file.suffix in (".asm", ".json", ".policy"))
    return [(file, options.get(file.name, [])) for file in files]


def official(callgate, file):
    import jsonschema
    if not file.exists():
        print(f"[  SKIPPED ] SARIF's schema is not in {file.parent} (./bootstrap test puts it there)")
        return
    schema = json.loads(file.read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    for case, options in cases():
        check(validator, case.name, document(callgate, "sarif", [case], options))
    spoiled = document(callgate, "sarif", [CORPUS / "half.asm"])
    spoiled["runs"][0].pop("tool")
    assert not validator.is_valid(spoiled), "the schema takes what it must not"
    print(f"{len(cases())} documents")


def main():
    callgate = sys.argv[1]
    try:
        import jsonschema
    except ImportError:
        print("[  SKIPPED ] python3-jsonschema is not here")
        return
    if sys.argv[2:3] == ["--official"]:
        official(callgate, pathlib.Path(sys.argv[3]))
        return
    validators = {}
    for form, name in {"sarif": "sarif_subset.schema.json", "json": "report.schema.json"}.items():
        schema = json.loads((HERE / name).read_text())
        validators[form] = jsonschema.Draft202012Validator(schema)
        validators[form].check_schema(schema)
    files = cases()
    assert len(files) > 60
    # Two arguments of one call are two findings.
    assert len(document(callgate, "json", [CORPUS / "int_high_twice.asm"])["findings"]) == 2
    found = 0
    for file, options in files:
        sarif = document(callgate, "sarif", [file], options)
        check(validators["sarif"], file.name, sarif)
        check_references(sarif)
        report = document(callgate, "json", [file], options)
        check(validators["json"], file.name, report)
        assert len(report["findings"]) == len(sarif["runs"][0]["results"])
        found += len(report["findings"])
    assert found > 60

    # Suppressed, a name that no URI may have, a profile's line.
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "config.json"
        config.write_text('{"suppress": [{"id": "rule-redundant", "reason": "kept for readers"}]}')
        strange = pathlib.Path(folder) / "a policy #1 (ü).json"
        strange.write_text((CORPUS / "rule_redundant.json").read_text())
        sarif = document(callgate, "sarif", [strange], ["--config", config])
        check(validators["sarif"], "suppressed", sarif)
        results = {each["ruleId"]: each for each in sarif["runs"][0]["results"]}
        assert results["rule-redundant"]["suppressions"][0]["justification"] == "kept for readers"
        place = results["rule-redundant"]["locations"][0]["physicalLocation"]
        assert place["region"]["startLine"] == 4, place
        assert place["artifactLocation"]["uri"].endswith("/a%20policy%20%231%20%28%C3%BC%29.json"), place
        assert "suppressions" not in results["kill-thread"]
        check(validators["json"], "suppressed", document(callgate, "json", [strange], ["--config", config]))

    # And the schemas can fail.
    good = document(callgate, "sarif", [CORPUS / "half.asm"])
    for spoil in (lambda d: d.update(version="2.2"), lambda d: d["runs"][0].pop("tool"),
                  lambda d: d["runs"][0]["results"][0].update(level="fatal"),
                  lambda d: d["runs"][0]["results"][0].pop("message"),
                  lambda d: d["runs"][0]["results"][0].update(suppressions=[{}]),
                  lambda d: d["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"].update(startLine=0)):
        bad = json.loads(json.dumps(good))
        spoil(bad)
        assert not validators["sarif"].is_valid(bad), "the schema takes what it must not"
    print(f"{len(files)} filters, {found} findings")


if __name__ == "__main__":
    main()
