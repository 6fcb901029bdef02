import pathlib
import re

from conftest import SOCKET, TUTORIAL

README = pathlib.Path(__file__).resolve().parents[1] / "README.md"


def test_what_the_page_shows_works(tmp_path, monkeypatch, capsys):
    code = re.search(r"^```python\n(.*?)^```", README.read_text(), re.S | re.M)[1]
    (tmp_path / "default.json").write_text(SOCKET)
    (tmp_path / "new.json").write_text(SOCKET.replace("ptrace", "bpf"))
    for name in ("profile.json", "profile_test.yaml"):
        (tmp_path / name).write_bytes((TUTORIAL / name).read_bytes())
    monkeypatch.chdir(tmp_path)
    exec(compile(code, str(README), "exec"), {})
    printed = capsys.readouterr().out
    assert printed.startswith("ALLOW Outcome.EXECUTES None\n")
    assert "['bpf']" in printed and "['ptrace']" in printed
    assert "Counts(passed=8, failed=2, " in printed and "<testsuites" in printed
