"""The wheel: built twice, installed where nothing else of Callgate is, used."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

import pytest

from conftest import TUTORIAL

PACKAGE = pathlib.Path(__file__).resolve().parents[1]
# Nothing may come from the tree but by the wheel.
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CALLGATE", "PYTEST"))}


def build(out, **environment):
    subprocess.run([sys.executable, PACKAGE / "build_wheel.py", os.environ["CALLGATE_LIBRARY"],
                    os.environ["CALLGATE_STRIP"], out], check=True, capture_output=True,
                   env={**CLEAN, "SOURCE_DATE_EPOCH": "1795780800", **environment})
    wheels = list(out.iterdir())
    assert len(wheels) == 1
    return wheels[0]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def venv(tmp_path_factory, wheel):
    """Runs a program of a virtual environment with the wheel; Debian's pytest is seen there."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--system-site-packages", folder], check=True, env=CLEAN)
    subprocess.run([folder / "bin/python", "-m", "pip", "install", "-q", "--no-index", "--no-deps",
                    "--disable-pip-version-check", wheel], check=True, env=CLEAN)

    def run(*words, cwd):
        return subprocess.run([folder / "bin/python", *words], capture_output=True, text=True, cwd=cwd, env=CLEAN)

    return run


def test_it_holds_the_package_and_the_library(wheel):
    assert wheel.name.startswith("callgate-0.1.0-py3-none-linux_")
    names = zipfile.ZipFile(wheel).namelist()
    modules = {f"callgate/{path.name}" for path in (PACKAGE / "callgate").glob("*.py")}
    assert modules | {"callgate/py.typed", "callgate/libcallgate.so.0"} == {
        name for name in names if not name.startswith("callgate-")}
    assert "callgate-0.1.0.dist-info/LICENSE" in names
    metadata = zipfile.ZipFile(wheel).read("callgate-0.1.0.dist-info/METADATA").decode()
    assert "Requires-Python: >=3.9" in metadata
    assert "Requires-Dist: pytest" in metadata and "extra == 'pytest'" in metadata.replace('"', "'")


def test_from_the_same_files_come_the_same_bytes(wheel, tmp_path):
    before = os.umask(0o077)
    try:
        again = build(tmp_path / "again", TZ="Asia/Tokyo", LC_ALL="C")
    finally:
        os.umask(before)
    assert again.name == wheel.name
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(wheel.read_bytes()).digest()


def test_the_source_folder_is_left_as_it_was(wheel):
    assert not [path for path in PACKAGE.iterdir() if path.name in ("build", "dist") or path.suffix == ".egg-info"]
    assert not (PACKAGE / "callgate" / "libcallgate.so.0").exists()


def test_it_is_used_after_pip_install(venv, tmp_path):
    done = venv("-c", "import callgate, callgate._library as library\n"
                      "print(library.where())\n"
                      "print(callgate.program([(6, 0, 0, 0x00050001)]).stack().decide('read').words)", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    where, words = done.stdout.splitlines()
    assert "site-packages/callgate/libcallgate.so.0" in where
    assert words == "ERRNO(1)"


def test_pytest_finds_the_plugin_by_itself(venv, tmp_path):
    for name in ("profile.json", "profile_test.yaml"):
        shutil.copyfile(TUTORIAL / name, tmp_path / name)
    done = venv("-m", "pytest", "-v", "-p", "no:cacheprovider", "--callgate-coverage=text", cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "profile_test.yaml::allow: read [x86_64] PASSED" in done.stdout
    assert "profile_test.yaml::returns -1 ENOSYS: clone3 [x86_64] FAILED" in done.stdout
    assert "socket(0x100000028)" in done.stdout and "profile.json:7" in done.stdout
    assert "callgate coverage: profile_test.yaml" in done.stdout
    assert "2 failed, 8 passed" in done.stdout
    assert "Traceback" not in done.stdout


def test_pip_takes_it_out_again(venv, tmp_path):
    done = venv("-m", "pip", "uninstall", "-q", "-y", "--disable-pip-version-check", "callgate", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    # Of a package that is gone pytest may leave an empty folder.
    assert venv("-c", "from callgate import load", cwd=tmp_path).returncode == 1
