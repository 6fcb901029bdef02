import errno
import gc
import json
import os
import pickle
import subprocess
import sys

import pytest

import callgate
from callgate import testing

from conftest import SOCKET

RET_ALLOW = (0x06, 0, 0, 0x7fff0000)


def test_a_profile_is_loaded(filters, profile):
    assert len(filters) == 1
    assert filters.format == "oci"
    assert filters.names == [str(profile)]
    assert filters.programs[0][0].code == 0x20
    assert all(isinstance(each, str) for each in filters.notes)


def test_bytes_are_read_as_the_file_would_be(filters):
    with callgate.read(SOCKET.encode(), name="socket.json", arch="x86_64") as read:
        assert read.programs == filters.programs


def test_a_program_is_given_as_numbers():
    rows = [(0x20, 0, 0, 0), (0x15, 0, 1, 39), (0x06, 0, 0, 0x00050001), RET_ALLOW]
    with callgate.program(rows) as made:
        assert made.programs == [[callgate.Instruction(*each) for each in rows]]
        stack = made.stack()
        assert stack.decide("getpid").value == 0x00050001
        assert stack.decide("read").action == "ALLOW"
    with callgate.program(rows, arch="s390x") as other:
        assert other.programs == [[callgate.Instruction(*each) for each in rows]]


@pytest.mark.parametrize("row", [(1 << 16, 0, 0, 0), (0, 256, 0, 0), (0, 0, -1, 0), (0, 0, 0, 1 << 32)])
def test_numbers_that_no_instruction_holds_are_refused(row):
    with pytest.raises(ValueError, match="instruction 1"):
        callgate.program([RET_ALLOW, row])


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(callgate.Error) as told:
        callgate.load(tmp_path / "none.json")
    assert told.value.errno == errno.ENOENT
    assert "none.json" in str(told.value)
    assert pickle.loads(pickle.dumps(told.value)).errno == errno.ENOENT


def test_a_file_that_cannot_be_read_as_a_filter_is_an_error_with_its_place(tmp_path):
    path = tmp_path / "bad.json"
    path.write_text('{"defaultAction": "SCMP_ACT_NONE_SUCH"}')
    with pytest.raises(callgate.Error) as told:
        callgate.load(path)
    assert told.value.errno == errno.EINVAL
    assert "SCMP_ACT_NONE_SUCH" in str(told.value)
    with pytest.raises(callgate.Error):
        callgate.read(b"")
    with pytest.raises(callgate.Error):
        callgate.load(path, arch="no_such_arch")


def test_what_the_kernel_refuses_is_an_error_of_its_own():
    with callgate.program([(0x00, 0, 0, 0)]) as bad:
        with pytest.raises(callgate.Refused) as told:
            bad.stack()
        assert told.value.errno == errno.EACCES
        assert str(told.value)
        check = bad.check()
        assert not check.accepted
        assert check.document["filters"][0]["errno"] == "EINVAL"
    with callgate.program([RET_ALLOW]) as good:
        assert good.check().accepted
        with pytest.raises(callgate.Error) as other:
            good.stack(engine="no_such_engine")
        assert not isinstance(other.value, callgate.Refused)


def test_a_verdict_has_the_outcome_and_why(filters):
    stack = filters.stack(kernel="6.1")
    refused = stack.decide("socket(AF_VSOCK)")
    assert refused.known and refused.value == 0x00050001
    assert (refused.words, refused.action, refused.data) == ("ERRNO(1)", "ERRNO", 1)
    assert (refused.outcome, refused.returns, refused.errno) == (callgate.Outcome.RETURNS, -1, errno.EPERM)
    assert refused.winner == 0 and refused.executed > 1 and refused.reason is None and refused.signal is None
    assert filters.programs[0][refused.instruction].code == 0x06
    allowed = stack.decide("read")
    assert (allowed.action, allowed.outcome, allowed.winner) == ("ALLOW", callgate.Outcome.EXECUTES, None)
    assert allowed.errno is None and allowed.returns is None
    killed = stack.decide("ptrace")
    assert (killed.action, killed.outcome, killed.signal) == ("KILL_PROCESS", callgate.Outcome.PROCESS_DIES, 31)
    trapped = stack.decide("mount")
    assert trapped.outcome is callgate.Outcome.SIGSYS
    assert stack.decide("mount", sigsys_blocked=True).outcome is not callgate.Outcome.SIGSYS


def test_who_is_there_counts():
    with callgate.program([(0x06, 0, 0, 0x7ff00007)]) as trace, callgate.program([(0x06, 0, 0, 0x7fc00000)]) as notify:
        assert trace.stack().decide("read").errno == errno.ENOSYS
        told = trace.stack().decide("read", tracer=True)
        assert (told.outcome, told.data) == (callgate.Outcome.TRACER, 7)
        assert notify.stack().decide("read").errno == errno.ENOSYS
        assert notify.stack().decide("read", listener=True).outcome is callgate.Outcome.LISTENER


def test_what_the_kernel_leaves_undefined_is_not_guessed():
    # A = 1 << 40, which kernels before 4.5 accepted.
    with callgate.program([(0x00, 0, 0, 1), (0x64, 0, 0, 40), (0x16, 0, 0, 0)], kernel="4.4") as shift:
        verdict = shift.stack().decide("read")
        assert not verdict.known
        assert verdict.value is None and verdict.words is None and verdict.action is None and verdict.data is None
        assert verdict.reason
        assert verdict.outcome is callgate.Outcome.UNKNOWN


def test_an_action_that_the_kernel_does_not_know_has_no_name():
    with callgate.program([(0x06, 0, 0, 0x12340000)]) as strange:
        verdict = strange.stack().decide("read")
        assert verdict.known and verdict.value == 0x12340000 and verdict.action is None


def test_filters_that_are_appended_are_newer(filters):
    with callgate.program([(0x06, 0, 0, 0x00050002)]) as newer:
        filters.append(newer)
    assert len(filters) == 2
    assert filters.stack().decide("read").winner == 1
    assert filters.stack().decide("ptrace").winner == 0


def test_filters_are_explained(filters):
    assert "ptrace" in filters.explain()
    assert filters.explain("markdown") != filters.explain()
    document = filters.explain("json")
    assert document.whole and json.loads(document)["callgate"] == 1
    assert "AF_VSOCK" in filters.explain_call("socket(AF_VSOCK)")
    assert json.loads(filters.explain_call("socket(AF_VSOCK)", "json"))["callgate"] == 1
    with pytest.raises(callgate.Error):
        filters.explain("no_such_format")


def test_filters_are_compared(filters):
    with callgate.read(SOCKET.replace("ptrace", "bpf").encode(), name="other.json", arch="x86_64") as other:
        same = callgate.diff(filters, filters)
        assert same.answer is callgate.Answer.EQUAL and same.changes == []
        different = callgate.diff(filters, other, level="outcome")
        assert different.answer is callgate.Answer.DIFFERENT
        names = {name for change in different.changes for calls in change["calls"] for name in calls["names"]}
        assert {"bpf", "ptrace"} <= names
        assert callgate.subset(filters, other).answer is callgate.Answer.NOT_SUBSET
        assert callgate.subset(filters, filters).answer is callgate.Answer.SUBSET
        with pytest.raises(callgate.Error):
            callgate.diff(filters, other, level="no_such_level")


def test_stricter_filters_are_a_subset(filters):
    stricter = SOCKET.replace('"ptrace"', '"ptrace", "bpf"')
    with callgate.read(stricter.encode(), name="stricter.json", arch="x86_64") as other:
        assert callgate.subset(filters, other).answer is callgate.Answer.SUBSET
        assert callgate.subset(other, filters, allow_only=True).answer is callgate.Answer.NOT_SUBSET


def test_what_is_closed_is_not_used(filters):
    stack = filters.stack()
    stack.close()
    stack.close()
    with pytest.raises(ValueError, match="closed"):
        stack.decide("read")


def test_a_stack_outlives_its_filters(profile):
    stack = callgate.load(profile, arch="x86_64").stack()
    gc.collect()
    assert stack.decide("ptrace").action == "KILL_PROCESS"


def test_assertions_say_why(filters):
    testing.assert_allows(filters, "read", "socket(AF_UNIX)")
    testing.assert_denies(filters, "ptrace", "socket(AF_VSOCK)")
    testing.assert_denies(filters, "socket(AF_VSOCK)", errno=1)
    testing.assert_verdict(filters, "KILL_PROCESS", "ptrace")
    testing.assert_verdict(filters, 0x00050001, "socket(AF_VSOCK)")
    with pytest.raises(AssertionError, match=r"ptrace: expected to be executed, not KILL_PROCESS\n(.|\n)*rule"):
        testing.assert_allows(filters, "read", "ptrace")
    with pytest.raises(AssertionError, match=r"read: expected to be denied, not ALLOW"):
        testing.assert_denies(filters, "read")
    with pytest.raises(AssertionError, match=r"expected errno 38, not ERRNO\(1\)"):
        testing.assert_denies(filters, "socket(AF_VSOCK)", errno=38)
    with pytest.raises(AssertionError, match=r"expected 0x7fff0000, not KILL_PROCESS"):
        testing.assert_verdict(filters, 0x7fff0000, "ptrace")


def in_another_process(library, code="import callgate; print(callgate.version())"):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          env={**os.environ, "CALLGATE_LIBRARY": library})


def test_a_library_that_is_not_there_or_is_another_is_said(tmp_path):
    done = in_another_process(str(tmp_path / "none.so"))
    assert done.returncode == 1 and "set CALLGATE_LIBRARY" in done.stderr
    done = in_another_process("libc.so.6")
    assert done.returncode == 1 and "another release" in done.stderr
    assert in_another_process(str(tmp_path / "none.so"), "import callgate").returncode == 0


def test_what_is_of_another_kind_is_refused():
    filters = callgate.program([(6, 0, 0, 0x7fff0000)])
    stack = filters.stack()
    for wrong in (stack, None, "filters"):
        with pytest.raises(TypeError, match="Filters are expected"):
            filters.append(wrong)
        with pytest.raises(TypeError, match="Filters are expected"):
            callgate.diff(filters, wrong)
        with pytest.raises(TypeError, match="Filters are expected"):
            callgate.subset(wrong, filters)
    with pytest.raises(TypeError, match="a Call or its text is expected, not NoneType"):
        stack.decide(None)
    with pytest.raises(TypeError, match="a str is expected, not list"):
        callgate.read(b"{0x06, 0, 0, 0}", caps=["CAP_SYS_ADMIN"])


def test_numbers_have_their_bits():
    filters = callgate.program([(6, 0, 0, 0x7fff0000)])
    for wrong in (1 << 32, -1):
        with pytest.raises(ValueError, match="no place in 32 bits"):
            filters.stack().words(wrong)
    with pytest.raises(TypeError):
        callgate.program([(6, 0, 0, 1.5)])
    with pytest.raises(ValueError, match="instruction 1: jt 0x100 has no place in 8 bits"):
        callgate.program([(6, 0, 0, 0), (5, 256, 0, 0)])
