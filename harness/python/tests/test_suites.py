import errno
import json
import xml.etree.ElementTree

import pytest

import callgate
from callgate import Status

from conftest import TUTORIAL

SUITE = TUTORIAL / "profile_test.yaml"


def test_a_suite_has_its_cases_and_places():
    with callgate.Suite(SUITE) as suite:
        assert len(suite) == 10
        names = [case.name for case in suite.cases]
        assert names[0] == "allow: read [x86_64]"
        assert suite.cases[0].place.line == 4
        assert suite.cases[0].place.file.endswith("profile_test.yaml")


def test_results_are_those_of_the_command():
    with callgate.Suite(SUITE) as suite, suite.run() as results:
        assert results.counts == callgate.Counts(8, 2, 0, 0, 0, 0)
        assert [case.name for case in results.cases] == [case.name for case in suite.cases]
        failed = [case for case in results.cases if case.status is Status.FAILED]
    failure = failed[0].failures[0]
    assert failure.call == "socket(0x100000028)"
    assert failure.actual.startswith("ALLOW")
    assert failure.rule_place.line == 7
    text = str(failed[0])
    for part in ("failed: errno EPERM: socket(AF_VSOCK, *, *) [x86_64]", "no hypervisor sockets", "expected", "actual",
                 "rule", "profile.json:7", "hint"):
        assert part in text


def test_reports_are_written():
    results = callgate.Suite(SUITE).run(coverage=True)
    root = xml.etree.ElementTree.fromstring(results.write("junit"))
    assert len(list(root.iter("testcase"))) == 10
    assert results.write("tap").startswith("TAP version 14")
    assert json.loads(results.write("json")) == results.document
    assert "10 cases" in results.write("text")
    assert "TN:" in results.write("coverage-lcov") or "SF:" in results.write("coverage-lcov")
    assert json.loads(results.write("coverage-json"))["callgate"] == 1
    assert xml.etree.ElementTree.fromstring(results.write("coverage-cobertura")).tag == "coverage"
    assert results.write("coverage-text")
    with pytest.raises(callgate.Error):
        results.write("no_such_format")


def test_coverage_that_was_not_collected_is_not_made_up():
    with pytest.raises(callgate.Error) as told:
        callgate.Suite(SUITE).run().write("coverage-text")
    assert str(told.value)


def test_cases_are_chosen_by_name():
    with callgate.Suite(SUITE, names="ptrace") as suite:
        assert [case.name for case in suite.cases] == ["errno EPERM: ptrace [x86_64]"]
    with callgate.Suite(SUITE, names=["allow: read*", "allow: write*"], jobs=1) as suite:
        assert suite.run().counts.passed == 2


def test_nothing_is_begun_after_a_failure():
    counts = callgate.Suite(SUITE, jobs=1).run(fail_fast=True).counts
    assert counts.failed >= 1 and counts.not_run >= 1
    assert sum(counts) == 10


def test_a_suite_with_a_mistake_says_where(tmp_path):
    path = tmp_path / "bad_test.yaml"
    path.write_text("filter: none.json\nexpect:\n  - alow: [read]\n")
    with pytest.raises(callgate.Error, match="bad_test.yaml") as told:
        callgate.Suite(path)
    assert told.value.errno in (errno.EINVAL, errno.ENOENT)
    with pytest.raises(callgate.Error) as told:
        callgate.Suite(tmp_path / "none_test.yaml")
    assert told.value.errno == errno.ENOENT


def test_absent_cases_say_why(tmp_path, profile):
    path = tmp_path / "absent_test.yaml"
    path.write_text(f"filter: {profile.name}\narch: [x86_64]\nexpect:\n  - allow: [read, mmap2]\n")
    results = callgate.Suite(path).run()
    absent = [case for case in results.cases if case.status is Status.ABSENT]
    assert len(absent) == 1 and absent[0].note and absent[0].note in str(absent[0])


def test_results_outlive_their_suite():
    suite = callgate.Suite(SUITE)
    results = suite.run()
    suite.close()
    assert results.counts.failed == 2
    with pytest.raises(ValueError, match="closed"):
        suite.run()


def test_a_suite_that_is_closed_is_not_run():
    suite = callgate.Suite(SUITE)
    suite.close()
    for coverage in (None, True):
        with pytest.raises(ValueError, match="closed"):
            suite.run(coverage=coverage)


def test_names_may_be_of_any_kind_that_can_be_gone_through():
    suite = callgate.Suite(SUITE, names=(each for each in ["allow*"]))
    assert 0 < len(suite) < 10
    assert sum(suite.run(coverage=True).counts) == len(suite)


def test_jobs_have_their_bits():
    for wrong in (-1, 1 << 32):
        with pytest.raises(ValueError, match="jobs"):
            callgate.Suite(SUITE, jobs=wrong)
