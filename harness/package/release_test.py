#!/usr/bin/env python3
"""release_test.py SOURCE BUILD CALLGATE LIBRARY NODE: what a release must not get wrong.

The version is the same wherever it is written; `callgate --version` says what it was built of; nothing that was built
names a folder of this machine or holds a time; the bill of materials is of its format, complete and the same each time
(NODE: what ./bootstrap test takes from npm, the schema of CycloneDX among it)."""

import datetime
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE, BUILD, CALLGATE, LIBRARY, NODE = (pathlib.Path(each).resolve() for each in sys.argv[1:6])
VERSION = re.search(r"^project\(callgate VERSION (\d+\.\d+\.\d+)", (SOURCE / "CMakeLists.txt").read_text(), re.M).group(1)
failures = 0


def wrong(message):
    global failures
    failures += 1
    print("FAILED", message)


def output(*words, **how):
    done = subprocess.run([str(each) for each in words], capture_output=True, text=True, **how)
    return done.stdout if done.returncode == 0 else ""


def sortable(version):
    return [int(part) for part in version.split(".")]


def versions_agree():
    lines = output(CALLGATE, "--version").splitlines()
    if not lines or lines[0] != f"callgate {VERSION}":
        wrong(f"callgate --version begins with {lines[:1]}, CMakeLists.txt has {VERSION}")
    if not LIBRARY.name.endswith(f".so.{VERSION}"):
        wrong(f"the C library is {LIBRARY.name}, not of version {VERSION}")
    # CHANGELOG.md: `## Unreleased` at most first, then `## 0.1.0, 2026-11-27`, the newest first.
    headings = re.findall(r"^## (.*)$", (SOURCE / "CHANGELOG.md").read_text(), re.M)
    released = []
    for number, heading in enumerate(headings):
        found = re.fullmatch(r"(\d+\.\d+\.\d+)(?:, | - | \()(\d{4}-\d\d-\d\d)\)?", heading)
        if found:
            released.append(found.group(1))
            datetime.date.fromisoformat(found.group(2))
        elif heading != "Unreleased" or number != 0:
            wrong(f"CHANGELOG.md: `## {heading}` is neither a version with its date, nor Unreleased above all")
    if sorted(released, key=sortable, reverse=True) != released:
        wrong(f"CHANGELOG.md: versions are not the newest first: {released}")
    if released and sortable(released[0]) > sortable(VERSION):
        wrong(f"CHANGELOG.md has {released[0]}, CMakeLists.txt {VERSION}")
    # The list of symbols says since which release each is there: none of a release to come.
    symbols = (SOURCE / "harness/capi/libcallgate0.symbols").read_text()
    for name, since in re.findall(r"^ (\S+@CALLGATE_\S+) (\d+(?:\.\d+)*)", symbols, re.M):
        if sortable(since) > sortable(VERSION):
            wrong(f"libcallgate0.symbols: {name} is of {since}, and this is {VERSION}")
    # What others are told to ask for.
    for file in ("harness/ci/README.md", "harness/ci/gitlab-ci.yml"):
        for told in re.findall(r"(?:@|rev: |VERSION: )v(\d+\.\d+\.\d+)", (SOURCE / file).read_text()):
            if told != VERSION:
                wrong(f"{file} names v{told}, and this is {VERSION}")
    if "(@callgate_deb_version@)" not in (SOURCE / "harness/package/changelog.in").read_text():
        wrong("harness/package/changelog.in has a version of its own")
    return len(headings)


def facts_are_told():
    text = output(CALLGATE, "--version")
    facts = dict(line.split(": ", 1) for line in text.splitlines()[1:])
    wanted = {"commit", "compiler", "build type", "engines", "asmjit (engine jit)", "capstone (listings of its code)",
              "Z3 (what decision diagrams leave open)", "engine in pages of report", "newest kernel whose rules it has",
              "version of its JSON documents"}
    if set(facts) != wanted:
        wrong(f"callgate --version has {sorted(facts)}")
        return
    if not facts["engines"].startswith("reference, "):
        wrong(f"engines: {facts['engines']}")
    if ("jit" in facts["engines"].split(", ")) != (facts["asmjit (engine jit)"] != "not built in"):
        wrong(f"the engine jit and asmjit do not go together: {text}")
    if not re.fullmatch(r"[0-9a-f]{40,64}( with changes)?|unknown, because .*|[0-9A-Za-z._+-]+", facts["commit"]):
        wrong(f"commit: {facts['commit']}")
    report = json.loads(output(CALLGATE, "kernels", "--format", "json") or '{"callgate": 1}')
    if str(report.get("callgate", 1)) != facts["version of its JSON documents"]:
        wrong("documents are of another version than --version says")

    # commit.cmake: the commit, changes, no repository, told by who builds.
    cmake, git = shutil.which("cmake"), shutil.which("git")
    with tempfile.TemporaryDirectory() as name:
        top = pathlib.Path(name)
        sources = top / "sources"
        sources.mkdir()

        def said(given=""):
            output(cmake, f"-DSOURCE={sources}", f"-DGIVEN={given}", f"-DOUT={top}/commit.cpp", "-P",
                   SOURCE / "harness/cli/commit.cmake")
            return re.search('return "(.*)";', (top / "commit.cpp").read_text()).group(1)

        if not said().startswith("unknown, because the sources are not a clone"):
            wrong(f"without a repository the commit is {said()}")
        if said("v0.1.0") != "v0.1.0":
            wrong(f"a commit that is given is {said('v0.1.0')}")
        if git:
            environment = dict(os.environ, HOME=name, GIT_CONFIG_NOSYSTEM="1", GIT_AUTHOR_NAME="A Test",
                               GIT_AUTHOR_EMAIL="test@callgate.invalid", GIT_COMMITTER_NAME="A Test",
                               GIT_COMMITTER_EMAIL="test@callgate.invalid")
            (sources / "file").write_text("a\n")
            for words in (["init", "-q"], ["add", "file"], ["commit", "-q", "-m", "a"]):
                subprocess.run([git, *words], cwd=sources, env=environment, check=True, capture_output=True)
            head = output(git, "rev-parse", "HEAD", cwd=sources).strip()
            if said() != head:
                wrong(f"the commit is {said()}, not {head}")
            before = (top / "commit.cpp").stat().st_mtime_ns
            said()
            if (top / "commit.cpp").stat().st_mtime_ns != before:
                wrong("the file of the commit is written anew where nothing changed")
            (sources / "other").write_text("not of the repository\n")
            if said() != head:
                wrong(f"a file that git does not know changes the commit: {said()}")
            (sources / "file").write_text("b\n")
            if said() != f"{head} with changes":
                wrong(f"with changes the commit is {said()}")


def nothing_names_this_machine():
    """No folder of the build or the sources in what is installed; no time of the compiler's in the sources."""
    files = [CALLGATE, LIBRARY]
    for folder in ("vm", "verifier", "harness"):
        files += sorted((BUILD / folder).glob("**/libcallgate*.a"))
    debug = (BUILD / "CMakeCache.txt").read_text()
    release = re.search(r"^CMAKE_BUILD_TYPE:\w+=Release$", debug, re.M)
    for file in files:
        content = file.read_bytes()
        for folder in {str(SOURCE), str(BUILD)}:
            if release and folder.encode() + b"/" in content:
                at = content.index(folder.encode() + b"/")
                wrong(f"{file} names the folder it was built in: {content[at:at + 120]}")
    sources = [file for folder in ("vm", "verifier", "harness", "corpus") for kind in ("cpp", "hpp", "h", "c", "in")
               for file in (SOURCE / folder).glob(f"**/*.{kind}")]
    for file in sources:
        if re.search(r"__(DATE|TIME|TIMESTAMP)__", file.read_text(encoding="utf-8", errors="replace")):
            wrong(f"{file} holds the time of its compilation: two builds would differ")
    return len(files)


def bill_is_right():
    words = BUILD / "sbom_words"
    if not words.exists() or not shutil.which("dpkg-query"):
        print("no bill of materials here: this is no Debian")
        return 0
    script = SOURCE / "harness/package/sbom.py"
    with tempfile.TemporaryDirectory() as name:
        for number in (1, 2):
            done = subprocess.run([sys.executable, str(script), f"@{words}", "-o", f"{name}/{number}"], capture_output=True,
                                  text=True, env=dict(os.environ, PYTHONHASHSEED=str(number), TZ=f"UTC-{number}"))
            if done.returncode != 0:
                wrong(f"sbom.py: {done.stderr}")
                return 0
        text = pathlib.Path(name, "1").read_text()
        if text != pathlib.Path(name, "2").read_text():
            wrong("two bills of materials of one build differ")
    bill = json.loads(text)
    for folder in (str(SOURCE), str(BUILD)):
        # A whole path: a clone may stand in /callgate, as parts of what is installed do.
        if re.search(r"((?<![\w/.})>-])|(?<=-[IL]))" + re.escape(folder) + r"(?![\w.-])", text):
            wrong(f"the bill of materials names {folder}")
    names = {each["name"] for each in bill["components"]}
    for program in (CALLGATE, LIBRARY):
        for library in re.findall(r"\(NEEDED\).*\[lib([a-z0-9+_-]+)", output("readelf", "-d", program)):
            stem = {"c": "libc6", "m": "libc6", "gcc_s": "libgcc-s1", "stdc++": "libstdc++6"}.get(library, f"lib{library}")
            if library not in ("callgate", "asan", "ubsan", "tsan") and not any(each.startswith(stem) for each in names):
                wrong(f"{program.name} is linked with lib{library}, which the bill of materials does not have: {names}")
    for each in bill["components"] + bill["formulation"][0]["components"]:
        unknown = any(own["name"] == "callgate:unknown" for own in each["properties"])
        if unknown == ("licenses" in each):
            wrong(f"{each['name']}: a licence, or why there is none")
    schemas = NODE / "node_modules/@cyclonedx/cyclonedx-library/res/schema"
    try:
        import jsonschema
    except ImportError:
        print("python3-jsonschema is not here: the bill of materials is not held against its schema")
        return len(names)
    if not schemas.exists():
        print(f"CycloneDX's schema is not in {NODE} (./bootstrap test puts it there): not held against it")
        return len(names)
    schema = json.loads((schemas / "bom-1.5.SNAPSHOT.schema.json").read_text())
    others = {}
    for file in ("spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json"):
        others[f"http://cyclonedx.org/schema/{file}"] = json.loads((schemas / file).read_text())
    resolver = jsonschema.RefResolver(schema["$id"], schema, store=others)
    validator = jsonschema.Draft7Validator(schema, resolver=resolver)
    for error in validator.iter_errors(bill):
        wrong(f"the bill of materials: {error.json_path}: {error.message[:300]}")
    for spoil in (lambda b: b.update(specVersion=1.5), lambda b: b["components"][0].pop("name"),
                  lambda b: b["metadata"]["component"]["licenses"][0]["license"].update(id="Apache")):
        bad = json.loads(text)
        spoil(bad)
        if validator.is_valid(bad):
            wrong("the schema takes what it must not")
    return len(names)


def main():
    headings = versions_agree()
    facts_are_told()
    files = nothing_names_this_machine()
    libraries = bill_is_right()
    print(f"version {VERSION}, {headings} headings, {files} files, {libraries} libraries, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
