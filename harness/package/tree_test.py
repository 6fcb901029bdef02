#!/usr/bin/env python3
"""tree_test.py SOURCE: every shell script of the tree passes shellcheck, and every JSON schema is one itself."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

SOURCE = pathlib.Path(sys.argv[1]).resolve()
FOLDERS = ("vm", "verifier", "harness", "fuzz", "bench", "corpus", ".ci", ".github")
SHELLS = ("#!/bin/sh", "#!/bin/bash", "#!/usr/bin/env bash", "#!/usr/bin/env sh")
failed = 0


def files():
    """Those of the project, without what builds and editors leave behind."""
    yield SOURCE / "bootstrap"
    for folder in FOLDERS:
        for top, folders, names in os.walk(SOURCE / folder):
            folders[:] = sorted(each for each in folders if each not in ("__pycache__", "node_modules", "build"))
            yield from (pathlib.Path(top, name) for name in sorted(names))


def is_script(file):
    if file.is_symlink() or not file.is_file():
        return False
    if file.suffix == ".sh":
        return True
    with open(file, "rb") as content:
        return content.readline(80).decode("utf-8", "replace").strip() in SHELLS


def complain(text):
    global failed
    failed += 1
    print("FAILED", text)


def main():
    every = list(files())
    scripts = [str(file.relative_to(SOURCE)) for file in every if is_script(file)]
    schemas = [file for file in every if file.name.endswith((".schema.json", "/schema.json")) or file.name == "schema.json"]
    missing = []
    if shutil.which("shellcheck"):
        # -x: what a script reads is read too, where shellcheck finds it.
        done = subprocess.run(["shellcheck", "-x", *scripts], capture_output=True, text=True, cwd=SOURCE)
        if done.returncode != 0:
            complain(f"shellcheck:\n{done.stdout}{done.stderr}")
    else:
        missing.append("shellcheck")
    try:
        import jsonschema
        for file in schemas:
            schema = json.loads(file.read_text(encoding="utf-8"))
            if not isinstance(schema.get("$schema"), str):
                complain(f"{file}: it does not say by $schema of which draft it is")
                continue
            kind = jsonschema.validators.validator_for(schema, default=None)
            if kind is None:
                complain(f"{file}: {schema['$schema']} is no draft that is known")
                continue
            try:
                kind.check_schema(schema)
            except jsonschema.SchemaError as error:
                complain(f"{file}: {error.message[:300]}")
    except ImportError:
        missing.append("python3-jsonschema")
    print(f"{len(scripts)} scripts, {len(schemas)} schemas, {failed} complaints")
    if len(scripts) < 15 or len(schemas) < 4:
        complain("there are more than these")
    if missing and not failed:
        print(f"[  SKIPPED ] {', '.join(missing)}: not here (./bootstrap test installs it)")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
