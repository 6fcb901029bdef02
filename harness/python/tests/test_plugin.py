import json
import shutil
import xml.etree.ElementTree

import pytest

from conftest import SOCKET, TUTORIAL

FAILING = "profile_test.yaml::errno EPERM: socket(AF_VSOCK, [*], [*]) [[]x86_64[]]"


@pytest.fixture
def run(pytester):
    """Runs pytest in a folder with the tutorial's suite, where the cache may be written."""
    for name in ("profile.json", "profile_test.yaml"):
        shutil.copyfile(TUTORIAL / name, pytester.path / name)

    def run(*words):
        return pytester.runpytest_inprocess("-p", "callgate.pytest_plugin", "-p", "no:cacheprovider", *words)

    run.path = pytester.path
    return run


def test_each_case_is_a_test(run):
    result = run("-v")
    result.assert_outcomes(passed=8, failed=2)
    result.stdout.fnmatch_lines(["profile_test.yaml::allow: read [[]x86_64[]] PASSED*",
                                 f"{FAILING} FAILED*"])
    assert result.ret == 1


def test_a_failure_shows_the_call_and_the_rule(run):
    run().stdout.fnmatch_lines([
        "*errno EPERM: socket(AF_VSOCK, [*], [*]) [[]x86_64[]]*",
        "failed: errno EPERM: socket(AF_VSOCK, [*], [*]) [[]x86_64[]]",
        "at *profile_test.yaml:5:59",
        "because no hypervisor sockets, no user namespaces",
        "socket(0x100000028)",
        "  expected  *ERRNO(1)*",
        "  actual    *ALLOW*",
        "  rule      *socket*profile.json:7*",
    ])


def test_a_case_is_chosen_by_its_node_id_or_by_words(run):
    run("profile_test.yaml::errno EPERM: ptrace [x86_64]").assert_outcomes(passed=1)
    run("-k", "ptrace or clone3").assert_outcomes(passed=1, failed=1, deselected=8)
    run("-k", "CLONE_NEWUSER and not errno").assert_outcomes(passed=1, deselected=9)


def test_only_what_is_chosen_is_run(run, monkeypatch):
    import callgate
    ran = []
    original = callgate.Suite.run

    def counted(self, **how):
        ran.append(len(self))
        return original(self, **how)

    monkeypatch.setattr(callgate.Suite, "run", counted)
    run("-k", "ptrace")
    run()
    assert ran == [1, 10]


def test_junit_has_the_lines(run):
    run("--junit-xml=tests.xml", "-o", "junit_family=xunit1")
    cases = list(xml.etree.ElementTree.parse(run.path / "tests.xml").iter("testcase"))
    assert len(cases) == 10
    assert {(each.get("file"), each.get("line")) for each in cases} == {
        ("profile_test.yaml", str(line)) for line in (3, 4, 6, 8)}


def absent(run):
    (run.path / "absent_test.yaml").write_text(
        "filter: profile.json\narch: x86_64\nexpect:\n  - allow: [read, mmap2, read]\n")
    return "absent_test.yaml"


def test_absent_cases_are_skipped_and_strict_ones_fail(run):
    file = absent(run)
    result = run("-rs", file)
    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*absent: *mmap2*"])
    run("--callgate-strict", file).assert_outcomes(passed=2, failed=1)
    run("-o", "callgate_strict=true", file).assert_outcomes(passed=2, failed=1)


def test_cases_that_are_not_proved_are_expected_failures_and_strict_ones_fail(run):
    # A hash of all arguments: to find one for a value takes a solver for ever, not a while that luck may shorten.
    step = (", {0x07, 0, 0, 0}, {0x20, 0, 0, %d}, {0x2c, 0, 0, 0}, {0x04, 0, 0, 0x1234567}, {0x2c, 0, 0, 0}"
            ", {0x07, 0, 0, 0}, {0x74, 0, 0, 13}, {0xac, 0, 0, 0}")
    (run.path / "product").write_text(
        "{0x20, 0, 0, 16}" + "".join(step % offset for offset in (24, 32, 40, 48, 56, 16) * 4) +
        ", {0x74, 0, 0, 3}, {0x2c, 0, 0, 0}, {0x15, 0, 1, 0x7654321}, {0x06, 0, 0, 0}, {0x06, 0, 0, 0x7fff0000}\n")
    (run.path / "product_test.yaml").write_text(
        "filter: product\narch: x86_64\nexpect:\n  - allow: [read]\n")
    result = run("-rx", "product_test.yaml")
    result.assert_outcomes(xfailed=1)
    result.stdout.fnmatch_lines(["XFAIL*not proved: *"])
    result = run("--callgate-strict", "product_test.yaml")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["unknown: allow: read [[]x86_64[]]", "*tried*"])


def test_cases_of_one_name_are_told_apart(run):
    one = "filter: profile.json\narch: x86_64\nexpect:\n  - allow: [read, ptrace, read]\n"
    (run.path / "same_test.yaml").write_text(f"{one}---\n{one}")
    ids = run("--collect-only", "-q", "same_test.yaml").outlines[:6]
    names = ["allow: read [x86_64]", "allow: ptrace [x86_64]", "allow: read [x86_64] (2)"]
    assert ids == [f"same_test.yaml::{name}{of}" for of in ("", "#2") for name in names]
    run("same_test.yaml").assert_outcomes(passed=4, failed=2)
    run(ids[4]).assert_outcomes(failed=1)
    run(ids[5]).assert_outcomes(passed=1)


def test_a_suite_that_cannot_be_read_is_an_error_of_collecting(run):
    (run.path / "bad_test.yaml").write_text("filter: profile.json\nexpect:\n  - alow: [read]\n")
    (run.path / "no_filter_test.yaml").write_text("filter: none.json\nexpect:\n  - allow: [read]\n")
    result = run()
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*ERROR collecting bad_test.yaml*", "*bad_test.yaml:3*alow*"])
    result.stdout.fnmatch_lines(["*ERROR collecting no_filter_test.yaml*", "*none.json*"])
    assert not any("Traceback" in line for line in result.outlines)


def test_other_yaml_is_left_alone(run):
    (run.path / "test_data.yaml").write_text("filter: x\nname: y\n")
    (run.path / "test_binary.yaml").write_bytes(bytes(range(256)))
    (run.path / "suite.yaml").write_text("filter: profile.json\nexpect:\n  - allow: [read]\n")
    (run.path / "check_more.yaml").write_text("filter: profile.json\nexpect:\n  - allow: [read]\n")
    run().assert_outcomes(passed=8, failed=2)
    run("suite.yaml").assert_outcomes(passed=1)
    run("-o", "callgate_files=check_*.yaml").assert_outcomes(passed=1)


def test_coverage_is_printed_and_written(run):
    result = run("--callgate-coverage=text", "--callgate-coverage=json=out", "--callgate-coverage=lcov=out",
                 "--callgate-coverage=cobertura=out")
    result.stdout.fnmatch_lines(["*callgate coverage: profile_test.yaml*"])
    written = sorted(path.name for path in (run.path / "out").iterdir())
    assert written == [f"profile_test.yaml.{kind}" for kind in ("info", "json", "xml")]
    assert json.loads((run.path / "out" / "profile_test.yaml.json").read_text())["callgate"] == 1
    for wrong in ("html", "json", "lcov="):
        result = run(f"--callgate-coverage={wrong}")
        assert result.ret == 4
        result.stderr.fnmatch_lines(["*FORMAT=DIR is expected*"])
    result = run("--callgate-coverage=json=/dev/null/out")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*--callgate-coverage json=/dev/null/out: Not a directory*"])
    (run.path / "out" / "profile_test.yaml.json").unlink()
    (run.path / "out" / "profile_test.yaml.json").mkdir()
    run("--callgate-coverage=json=out").stdout.fnmatch_lines(["*the coverage cannot be written: Is a directory*"])


def test_min_coverage_is_a_test(run):
    suite = (run.path / "profile_test.yaml").read_text()
    (run.path / "least_test.yaml").write_text(suite + "min_coverage: 100\n")
    result = run("least_test.yaml")
    result.assert_outcomes(passed=8, failed=3)
    result.stdout.fnmatch_lines(["*min_coverage*", "*coverage of *: at least 100 %", "  expected  100 %"])
    (run.path / "least_test.yaml").write_text(suite + "min_coverage: 1\n")
    run("least_test.yaml").assert_outcomes(passed=9, failed=2)
    run("least_test.yaml", "-k", "ptrace or min_coverage").assert_outcomes(passed=1, skipped=1, deselected=9)
    run("least_test.yaml::min_coverage").assert_outcomes(passed=1)


def test_a_suite_that_changes_while_it_is_tested_is_said(run):
    (run.path / "conftest.py").write_text(
        "import pathlib\n"
        "def pytest_collection_finish(session):\n"
        "    path = pathlib.Path(__file__).with_name('profile_test.yaml')\n"
        "    path.write_text('filter: profile.json\\nexpect:\\n  - allow: [read]\\n')\n")
    result = run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*it was changed after tests were collected*"])


def test_a_profile_with_other_tests_beside_it(run):
    (run.path / "test_more.py").write_text(
        f"import callgate, callgate.testing\nPROFILE = {SOCKET!r}\n"
        "def test_it():\n"
        "    filters = callgate.read(PROFILE.encode(), name='p.json', arch='x86_64')\n"
        "    callgate.testing.assert_allows(filters, 'read', 'ptrace')\n")
    result = run()
    result.assert_outcomes(passed=8, failed=3)
    result.stdout.fnmatch_lines(["*ptrace: expected to be executed, not KILL_PROCESS*"])
