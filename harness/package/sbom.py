#!/usr/bin/env python3
"""sbom.py --version V --programs FILE... --compiled FILE... --loaded FILE... --tools FILE... -o OUT: what Callgate is made
of, as CycloneDX 1.5. @FILE stands for words, one a line.

--programs: what was built; the libraries that they are linked with are read off them (readelf). --loaded: shared
libraries that they load while they run. --compiled: a file of each library that became part of them: headers, archives.
--tools: what made them. Versions and licences are those of the packages of Debian that the files belong to; what belongs
to none, or whose licence its copyright file does not say in a machine's form, is said to be unknown (the property
callgate:unknown). The same build gives the same bytes: there is no time and no serial number in it."""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys

# Debian's short names of licences that SPDX's list has under another name, or the same.
SPDX = {"Expat": "MIT", "MIT": "MIT", "X11": "X11", "Zlib": "Zlib", "CC0-1.0": "CC0-1.0", "BSD-3-clause": "BSD-3-Clause",
        "BSD-2-clause": "BSD-2-Clause", "Apache-2.0": "Apache-2.0"}
EXPRESSIONS = {"APACHE-2-LLVM-EXCEPTIONS": "Apache-2.0 WITH LLVM-exception"}


def output(*words):
    done = subprocess.run(words, capture_output=True, text=True, env=dict(os.environ, LC_ALL="C.UTF-8"))
    return done.stdout if done.returncode == 0 else ""


def owners(files):
    """The package that each file belongs to, its name with the architecture; those of no package are left out."""
    candidates = {}
    for file in files:
        real = os.path.realpath(file)
        merged = real.removeprefix("/usr") if real.startswith("/usr/") else "/usr" + real
        for path in (file, merged, real):
            candidates.setdefault(path, []).append(file)
    out = {}
    # It ends with 1 where it does not know one of them, and tells the others all the same.
    done = subprocess.run(["dpkg-query", "-S", *sorted(candidates)], capture_output=True, text=True,
                          env=dict(os.environ, LC_ALL="C.UTF-8"))
    for line in done.stdout.splitlines():
        packages, path = line.rsplit(": ", 1)
        for file in candidates.get(path, []):
            out[file] = packages.split(",")[0]
    return out


def licence(package):
    """As CycloneDX has it, from the paragraph for `Files: *` of the copyright file; None where there is no such."""
    file = pathlib.Path("/usr/share/doc", package.split(":")[0], "copyright")
    if not file.exists():
        return None
    for paragraph in re.split(r"\n\s*\n", file.read_text(encoding="utf-8", errors="replace")):
        if re.search(r"^Files:\s*\*\s*$", paragraph, re.M):
            name = re.search(r"^License:[ \t]*(\S.*)$", paragraph, re.M)
            if name:
                words = name.group(1).strip()
                if words in EXPRESSIONS:
                    return {"expression": EXPRESSIONS[words]}
                return {"license": {"id": SPDX[words]} if words in SPDX else {"name": words}}
    return None


def component(package, use):
    fields = output("dpkg-query", "-W", "-f=${Package}\t${Version}\t${Architecture}\t${source:Package}", package)
    name, version, architecture, source = fields.split("\t")
    vendor = re.search(r'^ID="?([^"\n]*)', pathlib.Path("/etc/os-release").read_text(), re.M).group(1)
    purl = f"pkg:deb/{vendor}/{name.replace('+', '%2B')}@{version.replace('+', '%2B')}?arch={architecture}"
    out = {"type": "application" if use == "tool" else "library", "bom-ref": purl, "name": name, "version": version,
           "purl": purl, "properties": [{"name": "callgate:use", "value": use}, {"name": "debian:source", "value": source}]}
    said = licence(package)
    if said:
        out["licenses"] = [said]
    else:
        out["properties"].append({"name": "callgate:unknown", "value": "the licence: its copyright file is prose"})
    return out


def unknown(file, use):
    name = os.path.basename(file)
    return {"type": "application" if use == "tool" else "library", "bom-ref": name, "name": name,
            "properties": [{"name": "callgate:use", "value": use},
                           {"name": "callgate:unknown", "value": "version and licence: the file is of no Debian package"}]}


def linked(program):
    """Files of the shared libraries that a program names, not those that they name in turn."""
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", output("readelf", "-d", program))
    places = dict(re.findall(r"^\s*(\S+) => (/\S+)", output("ldd", program), re.M))
    return [places.get(name, name) for name in needed if not name.startswith(("ld-linux", "libcallgate"))]


def components(files_by_use):
    """One for each package; where it is used in two ways, the one that is named first."""
    out = {}
    known = owners([file for _, files in files_by_use for file in files])
    for use, files in files_by_use:
        for file in files:
            each = component(known[file], use) if file in known else unknown(file, use)
            out.setdefault(each["bom-ref"], each)
    return [out[name] for name in sorted(out)]


def main():
    parser = argparse.ArgumentParser(fromfile_prefix_chars="@")
    parser.add_argument("--version", required=True)
    for name in ("--programs", "--compiled", "--loaded", "--tools"):
        parser.add_argument(name, nargs="*", default=[])
    parser.add_argument("-o", "--out", required=True)
    asked = parser.parse_args()
    if not output("dpkg-query", "--version"):
        sys.exit("sbom.py: dpkg-query is missing: only on Debian and its like are versions and licences known")
    for file in asked.programs + asked.compiled + asked.loaded + asked.tools:
        if not os.path.exists(file):
            sys.exit(f"sbom.py: {file}: no such file")
    libraries = components([("compiled in", asked.compiled),
                            ("linked, shared", [file for program in asked.programs for file in linked(program)]),
                            ("loaded when it is needed", asked.loaded)])
    tools = components([("tool", asked.tools)])
    me = f"pkg:generic/callgate@{asked.version}"
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {
            "type": "application", "bom-ref": me, "name": "callgate", "version": asked.version, "purl": me,
            "description": "What Linux does with seccomp filters, in userspace",
            "licenses": [{"license": {"id": "Apache-2.0"}}]}},
        "components": libraries,
        "dependencies": [{"ref": me, "dependsOn": [each["bom-ref"] for each in libraries]}],
        "formulation": [{"bom-ref": "build", "components": tools}],
    }
    pathlib.Path(asked.out).write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
