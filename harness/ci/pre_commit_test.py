#!/usr/bin/env python3
"""pre_commit_test.py CALLGATE SOURCE: the hooks of .pre-commit-hooks.yaml, run by pre-commit itself in a repository
that is made here, without a network: what is right may be committed, what is wrong may not, and it is said why."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

CALLGATE = os.path.abspath(sys.argv[1])
SOURCE = pathlib.Path(sys.argv[2]).resolve()
TUTORIAL = SOURCE / "corpus/suites/tutorial"


def run(words, folder, environment, expected=0):
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)
    said = done.stdout + done.stderr
    assert (done.returncode == 0) == (expected == 0), f"{words} in {folder}: {done.returncode}\n{said}"
    return said


def repository(folder, environment):
    folder.mkdir()
    run(["git", "init", "-q", "-b", "main", "."], folder, environment)
    return folder


def commit(folder, environment, expected=0):
    run(["git", "add", "-A"], folder, environment)
    return run(["git", "commit", "-q", "-m", "a change"], folder, environment, expected)


def main():
    for tool in ("git", "pre-commit"):
        if not shutil.which(tool):
            print(f"[  SKIPPED ] {tool} is not here (./bootstrap test installs it)")
            return
    with tempfile.TemporaryDirectory() as name:
        top = pathlib.Path(name)
        tools = top / "bin"
        tools.mkdir()
        (tools / "callgate").symlink_to(CALLGATE)
        environment = {"PATH": f"{tools}:{os.environ['PATH']}", "HOME": name, "PRE_COMMIT_HOME": str(top / "cache"),
                       "LC_ALL": "C.UTF-8", "TMPDIR": name,
                       "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_COUNT": "3",
                       "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "A Test",
                       "GIT_CONFIG_KEY_1": "user.email", "GIT_CONFIG_VALUE_1": "test@callgate.invalid",
                       "GIT_CONFIG_KEY_2": "protocol.file.allow", "GIT_CONFIG_VALUE_2": "always"}
        hooks = repository(top / "hooks", environment)
        shutil.copy(SOURCE / ".pre-commit-hooks.yaml", hooks)
        (hooks / "harness/ci").mkdir(parents=True)
        shutil.copy(SOURCE / "harness/ci/audit-each.sh", hooks / "harness/ci")
        commit(hooks, environment)
        revision = run(["git", "rev-parse", "HEAD"], hooks, environment).strip()

        mine = repository(top / "mine", environment)
        (mine / ".pre-commit-config.yaml").write_text(json.dumps({"repos": [{
            "repo": str(hooks), "rev": revision, "hooks": [
                {"id": "callgate-test"},
                {"id": "callgate-suites", "files": r"^profile_fixed\.json$", "args": ["profile_fixed_test.yaml"]},
                {"id": "callgate-check"},
                {"id": "callgate-audit", "args": ["--fail-on=error", "--kernel=6.1"]}]}]}))
        run(["pre-commit", "validate-manifest", ".pre-commit-hooks.yaml"], hooks, environment)
        run(["pre-commit", "validate-config"], mine, environment)
        run(["pre-commit", "install"], mine, environment)
        for file in ("profile_fixed.json", "profile_fixed_test.yaml"):
            shutil.copy(TUTORIAL / file, mine)
        shutil.copy(TUTORIAL / "profile_fixed.json", mine / "seccomp one.json")
        said = commit(mine, environment)
        assert said.count("Passed") == 4, said
        assert run(["git", "log", "--oneline"], mine, environment).count("\n") == 1

        # A change to a profile alone runs the suite that args name, and no other.
        good = (mine / "profile_fixed.json").read_text()
        (mine / "profile_fixed.json").write_text((TUTORIAL / "profile.json").read_text())
        said = commit(mine, environment, expected=1)
        assert "callgate test (suites that args name)" in said and said.count("Failed") == 1, said
        assert "socket(0x100000028)" in said and "expected" in said, said
        assert said.count("Skipped") == 3, said
        (mine / "profile_fixed.json").write_text(good)

        # A suite that fails; a filter that is refused; two that audit finds something in, told one by one.
        for file in ("profile.json", "profile_test.yaml"):
            shutil.copy(TUTORIAL / file, mine)
        (mine / "refused.bpf").write_bytes(bytes([6, 0, 0, 0, 0, 0, 0, 0])[:4] * 2 + bytes([5, 0, 0, 0, 9, 0, 0, 0]))
        for file in ("seccomp two.json", "seccomp three.json"):
            shutil.copy(TUTORIAL / "profile.json", mine / file)
        said = commit(mine, environment, expected=1)
        assert said.count("Failed") == 3 and said.count("Skipped") == 1, said
        for part in ("returns -1 ENOSYS: clone3", "== seccomp two.json", "== seccomp three.json", "int-argument-bypass"):
            assert part in said, f"{part}: {said}"
        assert run(["git", "log", "--oneline"], mine, environment).count("\n") == 1
        print(f"{run(['pre-commit', '--version'], mine, environment).strip()}: 4 hooks, 3 commits, 2 of them refused")


if __name__ == "__main__":
    main()
