import pathlib

import pytest

import callgate

pytest_plugins = ["pytester"]

CORPUS = pathlib.Path(__file__).resolve().parents[3] / "corpus"
TUTORIAL = CORPUS / "suites" / "tutorial"

SOCKET = """{
  "defaultAction": "SCMP_ACT_ALLOW",
  "architectures": ["SCMP_ARCH_X86_64"],
  "syscalls": [
    { "names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1,
      "args": [{ "index": 0, "value": 40, "op": "SCMP_CMP_EQ" }] },
    { "names": ["ptrace"], "action": "SCMP_ACT_KILL_PROCESS" },
    { "names": ["mount"], "action": "SCMP_ACT_TRAP" }
  ]
}
"""


@pytest.fixture
def profile(tmp_path):
    """Three rules, in a file."""
    path = tmp_path / "socket.json"
    path.write_text(SOCKET)
    return path


@pytest.fixture
def filters(profile):
    with callgate.load(profile, arch="x86_64") as out:
        yield out
