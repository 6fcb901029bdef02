"""What Linux does with seccomp filters, in userspace.

    filters = callgate.load("default.json", arch="x86_64", caps="CAP_SYS_ADMIN")
    verdict = filters.stack(kernel="6.1").decide("openat(AT_FDCWD, 0, O_RDONLY)")
    callgate.diff(filters, callgate.load("new.json"), level="outcome").changes
    callgate.Suite("profile_test.yaml").run().counts

Over the C library libcallgate.so.0, by ctypes: threads run at the same time."""

from ._abi import Answer, Outcome
from ._calls import Call, CallLike, call, syscall_name, syscall_number, version
from ._filters import (Check, Comparison, Explanation, Filters, Instruction, Stack, Verdict, diff, load, program,
                       read, subset)
from ._library import Error, Refused
from ._suites import Case, CaseResult, Counts, Failure, Place, Results, Status, Suite

__version__ = "0.1.0"

__all__ = [
    "Answer", "Call", "CallLike", "Case", "CaseResult", "Check", "Comparison", "Counts", "Error", "Explanation",
    "Failure", "Filters", "Instruction", "Outcome", "Place", "Refused", "Results", "Stack", "Status", "Suite",
    "Verdict", "call", "diff", "load", "program", "read", "subset", "syscall_name", "syscall_number", "version",
]
