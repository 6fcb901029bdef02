"""Suites of expectations, and what comes of them."""

import enum
import functools
import json
import os
from ctypes import byref, c_void_p
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

from ._abi import CaseStruct, CountsStruct, SuiteOptionsStruct
from ._library import Handle, Path, called, decoded, encoded, encoded_path, library, text_of, within


class Place(NamedTuple):
    """In a file, whose lines and columns begin with 1; None: not of a line."""

    file: str
    line: Optional[int]
    column: Optional[int]

    def __str__(self) -> str:
        return ":".join(str(each) for each in self if each is not None)


class Case(NamedTuple):
    """A case of a suite: "allow: read [x86_64]"."""

    name: str
    place: Place


class Status(str, enum.Enum):
    """What came of a case."""

    PASSED = "passed"
    FAILED = "failed"
    ABSENT = "absent"  #: the architecture has no such call or constant
    UNKNOWN = "unknown"  #: not proved
    ERROR = "error"

    def __str__(self) -> str:
        # Versions of Python do not agree on what this would be.
        return self.value


class Failure(NamedTuple):
    """A call that does not get what is expected."""

    call: str  #: empty where it is no call that fails, but the coverage
    expected: str
    actual: str
    outcome: Optional[str]
    path: Tuple[str, ...]
    rule: Optional[str]
    rule_place: Optional[Place]
    hint: Optional[str]

    def __str__(self) -> str:
        rule = self.rule
        if rule is not None and self.rule_place is not None:
            rule += f" ({self.rule_place})"
        actual = self.actual if self.outcome is None else f"{self.actual}: {self.outcome}"
        lines = [self.call] if self.call else []
        lines += [f"  expected  {self.expected}", f"  actual    {actual}"]
        lines += [f"  {name:<9} {text}" for name, text in (("rule", rule), ("hint", self.hint)) if text is not None]
        if self.path:
            lines += ["  path", *(f"    {each}" for each in self.path)]
        return "\n".join(lines)


class CaseResult(NamedTuple):
    """As results.schema.json has it. str() is what a person needs of a case that did not pass."""

    suite: str
    name: str
    status: Status
    arch: Optional[str]
    kernel: Optional[str]
    place: Optional[Place]
    how: Optional[str]  #: it was found out
    reason: Optional[str]  #: the author's
    note: Optional[str]  #: why it is absent, unknown or an error
    seconds: float
    failures: Tuple[Failure, ...]

    def __str__(self) -> str:
        lines = [f"{self.status.value}: {self.name}"]
        lines += [] if self.place is None else [f"at {self.place}"]
        lines += [] if self.reason is None else [f"because {self.reason}"]
        if self.kernel is not None and self.arch is not None:
            lines.append(f"for Linux {self.kernel} {self.arch}")
        if self.note is not None:
            lines.append(self.note if self.how is None else f"{self.note} ({self.how})")
        return "\n".join([*lines, *map(str, self.failures)])


class Counts(NamedTuple):
    """Of cases."""

    passed: int
    failed: int
    absent: int
    unknown: int
    errors: int
    not_run: int


def _place(document: Optional[Dict[str, Any]]) -> Optional[Place]:
    return None if document is None else Place(document["file"], document["line"], document["column"])


def _failure(document: Dict[str, Any]) -> Failure:
    return Failure(document["call"], document["expected"], document["actual"], document["outcome"],
                   tuple(document["path"]), document["rule"], _place(document["rule_place"]), document["hint"])


def _result(document: Dict[str, Any]) -> CaseResult:
    return CaseResult(document["suite"], document["name"], Status(document["status"]), document["arch"],
                      document["kernel"], _place(document["place"]), document["how"], document["reason"],
                      document["note"], document["seconds"], tuple(map(_failure, document["failures"])))


class Results(Handle):
    """What came of a suite's cases; Suite.run() makes them."""

    def __init__(self, pointer: c_void_p) -> None:
        super().__init__(pointer, library().callgate_results_destroy)

    @property
    def counts(self) -> Counts:
        out = CountsStruct()
        called("callgate_results_counts", self._handle, byref(out), message=False)
        return Counts(out.passed, out.failed, out.absent, out.unknown, out.errors, out.not_run)

    @functools.cached_property
    def document(self) -> Dict[str, Any]:
        """As `callgate test --format json`."""
        out: Dict[str, Any] = json.loads(self.write("json"))
        return out

    @functools.cached_property
    def cases(self) -> List[CaseResult]:
        """Those that were run, in the suite's order, and after them what `min_coverage` asks for."""
        return [_result(each) for each in self.document["cases"]]

    def write(self, format: str) -> str:
        """A report: "text", "tap", "tap13", "junit", "json", "github"; and where coverage was collected
        "coverage-text", "coverage-lcov", "coverage-cobertura", "coverage-json"."""
        return text_of("callgate_results_write", self._handle, encoded(format))


Names = Union[None, str, Sequence[str]]


class Suite(Handle):
    """A file of expectations, and the filters that it names, which are looked for beside it. Raises Error where it
    cannot be read, Refused where the kernel refuses a filter.

    `names`: only cases with such names (* and ? as in a shell, or a part of the name); `jobs`: threads, 0 is one a
    processor; with `fail_fast` nothing is begun after a failure."""

    def __init__(self, path: Path, *, names: Names = None, jobs: int = 0, coverage: bool = False,
                 fail_fast: bool = False) -> None:
        self.path = path
        several = "\n".join(names) if names is not None and not isinstance(names, str) else names
        self._options = (several, jobs, coverage, fail_fast)
        options = SuiteOptionsStruct(names=encoded(several), jobs=within(jobs, 32, "jobs"), coverage=int(coverage),
                                     fail_fast=int(fail_fast))
        out = c_void_p()
        # EACCES of the suite's own file is no refusal by the kernel.
        called("callgate_suite_load", encoded_path(path), byref(options), byref(out),
               refusal=os.access(path, os.R_OK))
        super().__init__(out, library().callgate_suite_destroy)

    def __len__(self) -> int:
        count: int = library().callgate_suite_count(self._handle)
        return count

    @property
    def cases(self) -> List[Case]:
        """Its cases, without running them."""
        out = []
        for index in range(len(self)):
            case = CaseStruct()
            called("callgate_suite_case", self._handle, index, byref(case), message=False)
            out.append(Case(decoded(case.name), Place(decoded(case.file), case.line or None, case.column or None)))
        return out

    def run(self, *, coverage: Optional[bool] = None, fail_fast: Optional[bool] = None) -> Results:
        """Runs its cases. With other options than it was loaded with, the files are read again."""
        handle = self._handle
        names, jobs, *loaded = self._options
        wanted = [has if given is None else given for has, given in zip(loaded, (coverage, fail_fast))]
        if wanted != loaded:
            with Suite(self.path, names=names, jobs=jobs, coverage=wanted[0], fail_fast=wanted[1]) as other:
                return other.run()
        out = c_void_p()
        called("callgate_suite_run", handle, byref(out), refusal=True)
        return Results(out)
