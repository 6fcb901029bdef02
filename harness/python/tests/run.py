#!/usr/bin/env python3
"""run.py LIBRARY INCLUDE CC STRIP WORK FILE...: these tests, by pytest, with the library of a build tree. Nothing is
written beside the sources."""

import importlib.util
import os
import pathlib
import sys

NEEDED = {"pytest": "python3-pytest", "setuptools": "python3-setuptools", "wheel": "python3-wheel",
          "pip": "python3-pip", "ensurepip": "python3-venv", "mypy": "python3-mypy"}
missing = [package for module, package in NEEDED.items() if importlib.util.find_spec(module) is None]
if missing:
    # Another Python may be first in the path; Debian's packages are for its own.
    if os.path.realpath(sys.executable) != os.path.realpath("/usr/bin/python3") and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    print(f"[  SKIPPED ] {', '.join(missing)} needed, for {sys.executable}")
    sys.exit(0)

library, include, cc, strip, work, *files = sys.argv[1:]
here = pathlib.Path(__file__).resolve().parent
environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "CALLGATE"))}
environment.update(CALLGATE_LIBRARY=library, CALLGATE_INCLUDE=include, CALLGATE_CC=cc, CALLGATE_STRIP=strip,
                   PYTHONPATH=str(here.parent), PYTHONDONTWRITEBYTECODE="1", PYTHONWARNINGS="default",
                   PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
os.makedirs(work, exist_ok=True)
os.execve(sys.executable,
          [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", str(here / "pytest.ini"),
           "--rootdir", str(here), "--basetemp", os.path.join(work, "pytest"), *(str(here / each) for each in files)],
          environment)
