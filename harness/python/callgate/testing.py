"""Assertions about single calls, for any test framework. Patterns of calls, and proofs, are a suite's."""

from typing import Optional, Union

from ._calls import CallLike
from ._filters import Filters, Verdict
from ._abi import Outcome


def _told(filters: Filters, call: CallLike, expected: str, verdict: Verdict) -> str:
    got = verdict.words if verdict.known else f"unknown, because {verdict.reason}"
    return f"{call}: expected {expected}, not {got}\n{filters.explain_call(call)}"


def _fail(filters: Filters, call: CallLike, expected: str, verdict: Verdict) -> None:
    __tracebackhide__ = True
    raise AssertionError(_told(filters, call, expected, verdict))


def assert_allows(filters: Filters, *calls: CallLike) -> None:
    """Each call is executed and nobody is asked: ALLOW or LOG."""
    __tracebackhide__ = True
    with filters.stack() as stack:
        for call in calls:
            verdict = stack.decide(call)
            if not verdict.known or verdict.outcome is not Outcome.EXECUTES:
                _fail(filters, call, "to be executed", verdict)


def assert_denies(filters: Filters, *calls: CallLike, errno: Optional[int] = None) -> None:
    """No call is executed without that anybody is asked; with `errno`, each returns that."""
    __tracebackhide__ = True
    with filters.stack() as stack:
        for call in calls:
            verdict = stack.decide(call)
            expected = "to be denied" if errno is None else f"errno {errno}"
            denied = verdict.known and verdict.outcome not in (Outcome.EXECUTES, Outcome.UNKNOWN)
            if not denied or (errno is not None and verdict.errno != errno):
                _fail(filters, call, expected, verdict)


def assert_verdict(filters: Filters, expected: Union[int, str], *calls: CallLike) -> None:
    """Each call gets this value, or these words: "ERRNO(1)", "KILL_PROCESS"."""
    __tracebackhide__ = True
    with filters.stack() as stack:
        for call in calls:
            verdict = stack.decide(call)
            got = verdict.words if isinstance(expected, str) else verdict.value
            if not verdict.known or got != expected:
                _fail(filters, call, str(expected) if isinstance(expected, str) else f"{expected:#010x}", verdict)
