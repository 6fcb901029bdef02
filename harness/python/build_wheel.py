#!/usr/bin/env python3
"""build_wheel.py LIBRARY STRIP OUT: builds the package's wheel with libcallgate.so.0 in it, into the folder OUT, which
then holds no other wheel. Nothing is downloaded. The bytes depend on the package, the library, the versions of
setuptools and wheel, and SOURCE_DATE_EPOCH."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

try:
    import setuptools  # noqa: F401
    import wheel  # noqa: F401
except ImportError as error:
    # Another Python may be first in the path; Debian's packages are for its own.
    if os.path.realpath(sys.executable) != os.path.realpath("/usr/bin/python3") and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    sys.exit(f"{error}: python3-setuptools and python3-wheel are needed")

HERE = pathlib.Path(__file__).resolve().parent


def main(library, strip, out):
    os.umask(0o022)
    out = pathlib.Path(out).resolve()
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("callgate-*.whl"):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder)
        files = [*sorted(HERE.glob("callgate/*.py")), HERE / "callgate/py.typed", HERE / "pyproject.toml",
                 HERE / "setup.py", HERE / "README.md"]
        for file in [*files, HERE.parent.parent / "LICENSE"]:
            to = source / (file.relative_to(HERE) if HERE in file.parents else file.name)
            to.parent.mkdir(exist_ok=True)
            shutil.copyfile(file, to)
        bundled = source / "callgate" / "libcallgate.so.0"
        shutil.copyfile(library, bundled)
        if strip:
            subprocess.run([strip, "--strip-unneeded", bundled], check=True)
        words = [sys.executable, "-W", "ignore", "setup.py", "-q", "bdist_wheel", "--dist-dir", out]
        done = subprocess.run(words, cwd=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            sys.exit(done.stdout)
    print(*out.glob("callgate-*.whl"))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
