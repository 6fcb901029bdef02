import pathlib
import re
import subprocess
import sys

import callgate

PACKAGE = pathlib.Path(callgate.__file__).parent


def mypy(tmp_path, *words):
    return subprocess.run([sys.executable, "-m", "mypy", "--strict", "--python-version", "3.9", "--cache-dir",
                           tmp_path / "cache", *words], capture_output=True, text=True, cwd=tmp_path)


def test_the_package_is_typed(tmp_path):
    done = mypy(tmp_path, PACKAGE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (PACKAGE / "py.typed").exists()


def test_a_user_is_told_of_mistakes(tmp_path):
    user = tmp_path / "user.py"
    user.write_text("import callgate\nv = callgate.load('f').stack().decide('read')\nx: int = v.value\n"
                    "y: int = v.executed\n")
    done = mypy(tmp_path, user)
    assert done.returncode == 1
    assert re.findall(r"user\.py:(\d+): error", done.stdout) == ["3"], done.stdout
