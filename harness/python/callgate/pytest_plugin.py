"""Suites as tests of pytest: files `*_test.yaml` and `test_*.yaml`, a test for each case."""

import fnmatch
import os
import pathlib
import re
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

import pytest

import callgate

_COVERAGE = {"text": "txt", "lcov": "info", "cobertura": "xml", "json": "json"}
_MIN_COVERAGE = re.compile(rb"^min_coverage[ \t]*:", re.M)
_KEYS = re.compile(rb"^(?:\xef\xbb\xbf)?(filter|expect|recorded|include)[ \t]*:", re.M)
# Of a case: its name, and where it stands.
_Key = Tuple[str, callgate.Place]


def looks_like_suite(content: bytes) -> bool:
    """At the beginning of lines stand `filter:` and what suites expect. One in YAML's braces is not seen."""
    keys = set(_KEYS.findall(content))
    return b"filter" in keys and len(keys) > 1


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("callgate", "suites of seccomp filters")
    group.addoption("--callgate-strict", action="store_true", default=None,
                    help="cases that are not proved, or that an architecture does not have, fail")
    group.addoption("--callgate-coverage", action="append", default=[], metavar="FORMAT[=DIR]",
                    help="what the cases cover of filters: text is printed; text, lcov, cobertura or json with =DIR "
                         "are written there, a file for each suite")
    parser.addini("callgate_strict", "as --callgate-strict", "bool", False)
    parser.addini("callgate_files", "names of files that may be suites", "args", ["*_test.yaml", "test_*.yaml"])


_reports = pytest.StashKey[List[Tuple[str, str]]]()
_coverage = pytest.StashKey[List[Tuple[str, Optional[pathlib.Path]]]]()


def pytest_configure(config: pytest.Config) -> None:
    reports: List[Tuple[str, str]] = []
    coverage = [_coverage_option(each) for each in config.getoption("--callgate-coverage")]
    config.stash[_reports] = reports
    config.stash[_coverage] = coverage


def _coverage_option(text: str) -> Tuple[str, Optional[pathlib.Path]]:
    form, equals, folder = text.partition("=")
    if form not in _COVERAGE or (not folder if equals else form != "text"):
        raise pytest.UsageError(f"--callgate-coverage {text}: FORMAT=DIR is expected, and FORMAT is text, lcov, "
                                "cobertura or json; text alone is printed")
    if not equals:
        return form, None
    out = pathlib.Path(folder).absolute()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise pytest.UsageError(f"--callgate-coverage {text}: {error.strerror}") from None
    return form, out


def pytest_collect_file(file_path: pathlib.Path, parent: pytest.Collector) -> Optional["SuiteFile"]:
    if file_path.suffix not in (".yaml", ".yml"):
        return None
    patterns: List[str] = parent.config.getini("callgate_files")
    named = parent.session.isinitpath(file_path)
    if not named and not any(fnmatch.fnmatch(file_path.name, each) for each in patterns):
        return None
    if not looks_like_suite(file_path.read_bytes()):
        return None
    out: SuiteFile = SuiteFile.from_parent(parent, path=file_path)
    return out


class SuiteFile(pytest.File):
    """A suite, which is read when tests are collected, and run when the first of its tests is."""

    _ran: Optional["_Ran"] = None

    def collect(self) -> Iterator[pytest.Item]:
        with self._suite() as suite:
            cases = suite.cases
        names: Dict[str, int] = {}
        keys: Dict[_Key, int] = {}
        for case in cases:
            key = (case.name, case.place)
            keys[key] = keys.get(key, 0) + 1
            # pytest parts its names at "::", and has each once.
            name = case.name.replace("::", ": :")
            names[name] = names.get(name, 0) + 1
            if names[name] > 1:
                name = f"{name}#{names[name]}"
            yield CaseItem.from_parent(self, name=name, key=key, index=keys[key] - 1)
        if _MIN_COVERAGE.search(self.path.read_bytes()):
            yield CoverageItem.from_parent(self, name="min_coverage")

    def _suite(self, names: Optional[List[str]] = None, coverage: bool = False) -> callgate.Suite:
        try:
            return callgate.Suite(self.path, names=names, coverage=coverage)
        except callgate.Error as error:
            raise self.CollectError(str(error)) from None

    def ran(self) -> "_Ran":
        """What came of the cases that were selected; they are run once."""
        if self._ran is None:
            self._ran = self._run()
        if self._ran.unwritten:
            raise NotAsExpected(self._ran.unwritten)
        return self._ran

    def _run(self) -> "_Ran":
        items = [item for item in self.session.items if item.parent is self]
        selected = [item for item in items if isinstance(item, CaseItem)]
        coverage = self.config.stash[_coverage]
        with self._suite(coverage=bool(coverage)) as suite:
            # The coverage that a suite asks for is that of all cases.
            whole = len(selected) >= len(suite) or not selected
            if whole:
                planned, results = suite.cases, suite.run()
            else:
                names = sorted({item.key[0] for item in selected})
                with self._suite(names, bool(coverage)) as some:
                    planned, results = some.cases, some.run()
        with results:
            unwritten = self._write(results)
            of: Dict[_Key, List[callgate.CaseResult]] = {}
            for case, result in zip(planned, results.cases):
                of.setdefault((case.name, case.place), []).append(result)
            return _Ran(of, results.cases[len(planned):], whole, unwritten)

    def _write(self, results: callgate.Results) -> str:
        """Why a file of coverage could not be written, or nothing."""
        for form, folder in self.config.stash[_coverage]:
            text = results.write(f"coverage-{form}")
            name = os.path.relpath(self.path, self.config.rootpath)
            if folder is None:
                self.config.stash[_reports].append((name, text))
                continue
            parts = [part for part in pathlib.Path(name).parts if part not in ("..", os.sep)]
            file = folder / f"{'-'.join(parts)}.{_COVERAGE[form]}"
            try:
                file.write_text(text, encoding="utf-8")
            except OSError as error:
                return f"{file}: the coverage cannot be written: {error.strerror}"
        return ""


class _Ran(NamedTuple):
    of: Dict[_Key, List[callgate.CaseResult]]
    coverage: List[callgate.CaseResult]  # of `min_coverage`, where the suite has it
    whole: bool  # no case was left out
    unwritten: str  # why a file of coverage could not be written; empty: it was


class NotAsExpected(Exception):
    """A case that did not pass; its text is the report's."""


class _SuiteItem(pytest.Item):
    def repr_failure(self, excinfo: "pytest.ExceptionInfo[BaseException]", style: Any = None) -> Any:
        if isinstance(excinfo.value, (NotAsExpected, callgate.Error, pytest.Collector.CollectError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def ran(self) -> _Ran:
        assert isinstance(self.parent, SuiteFile)
        return self.parent.ran()

    def reportinfo(self) -> Tuple["os.PathLike[str]", Optional[int], str]:
        return self.path, None, self.name


class CaseItem(_SuiteItem):
    """A case."""

    def __init__(self, *, key: _Key, index: int, **of_pytest: Any) -> None:
        super().__init__(**of_pytest)
        self.key = key
        self.index = index  # of those with this key

    def runtest(self) -> None:
        results = self.ran().of.get(self.key, [])
        if self.index >= len(results):
            raise NotAsExpected("the suite no longer has this case: it was changed after tests were collected")
        result = results[self.index]
        if result.status is callgate.Status.PASSED:
            return
        strict = self.config.getoption("--callgate-strict") or self.config.getini("callgate_strict")
        if not strict and result.status is callgate.Status.ABSENT:
            pytest.skip(f"absent: {result.note}" if result.note else "absent")
        if not strict and result.status is callgate.Status.UNKNOWN:
            pytest.xfail(result.note or "not proved")
        raise NotAsExpected(str(result))

    def reportinfo(self) -> Tuple["os.PathLike[str]", Optional[int], str]:
        place = self.key[1]
        # pytest counts lines from 0. A case of an included file is told by its name and place in the text.
        same = bool(place.file) and os.path.realpath(place.file) == os.path.realpath(self.path)
        return self.path, place.line - 1 if same and place.line else None, self.name


class CoverageItem(_SuiteItem):
    """What a suite's `min_coverage` asks for."""

    def runtest(self) -> None:
        ran = self.ran()
        if not ran.whole:
            pytest.skip("only some cases were run")
        failed = [str(each) for each in ran.coverage if each.status is not callgate.Status.PASSED]
        if failed:
            raise NotAsExpected("\n\n".join(failed))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for name, text in config.stash[_reports]:
        terminalreporter.section(f"callgate coverage: {name}")
        terminalreporter.write(text if text.endswith("\n") else text + "\n")
