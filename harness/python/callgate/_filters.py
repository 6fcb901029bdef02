"""Filters of any form, what calls get from them, and comparisons."""

import json
from ctypes import byref, c_int, c_size_t, c_void_p
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Tuple

from ._abi import (SIZE_MAX, Answer, DiffOptionsStruct, LoadOptionsStruct, OptionsStruct, Outcome,
                   SurroundingsStruct, VerdictStruct)
from ._calls import CallLike, struct_of
from ._library import Handle, Path, called, decoded, encoded, encoded_path, library, text_of, within


class Instruction(NamedTuple):
    """A struct sock_filter."""

    code: int
    jt: int
    jf: int
    k: int


class Check(NamedTuple):
    """Whether the kernel accepts filters, and the document of `callgate check --format json`."""

    accepted: bool
    document: Dict[str, Any]


class Explanation(str):
    """A text; `whole` is False where something was left out of it."""

    whole: bool = True


class Verdict(NamedTuple):
    """What becomes of a call. What is not known, or does not apply, is None."""

    known: bool  #: False: the kernel leaves it undefined; `reason` says why
    value: Optional[int]  #: what the stack returns, all 32 bits
    words: Optional[str]  #: "ERRNO(1)"
    action: Optional[str]  #: "ERRNO"; None too where the kernel does not know the action
    data: Optional[int]  #: the lower 16 bits of the value
    exempt: bool  #: no filter is asked for this call
    winner: Optional[int]  #: index of the deciding filter from the oldest; None: none was stricter than ALLOW
    instruction: Optional[int]  #: of the winner, at which it ended
    executed: int  #: instructions, of all filters
    outcome: Outcome
    returns: Optional[int]  #: what the call returns to the process instead of being executed
    errno: Optional[int]  #: that, where libc takes it for an error
    signal: Optional[int]  #: of SIGSYS and the deaths
    core_dump: bool
    logged: bool
    reason: Optional[str]  #: of what is unknown


class Comparison(NamedTuple):
    """Of two stacks for all inputs; `document` is that of `callgate diff --format json`."""

    answer: Answer
    document: Dict[str, Any]

    @property
    def changes(self) -> List[Dict[str, Any]]:
        """What differs: from, to, which, and calls with an example each; README.md of the command describes them."""
        changes: List[Dict[str, Any]] = self.document["changes"]
        return changes


class _Machine(NamedTuple):
    arch: Optional[str] = None
    kernel: Optional[str] = None
    engine: Optional[str] = None
    jit_harden: bool = False

    def struct(self) -> OptionsStruct:
        return OptionsStruct(engine=encoded(self.engine), kernel=encoded(self.kernel), arch=encoded(self.arch),
                             jit_harden=int(self.jit_harden))


class Stack(Handle):
    """Filters that are installed on one machine; Filters.stack() makes them."""

    def __init__(self, pointer: c_void_p, arch: Optional[str]) -> None:
        super().__init__(pointer, library().callgate_stack_destroy)
        #: None: x86_64
        self.arch = arch

    def decide(self, call: CallLike, *, tracer: bool = False, listener: bool = False, threads: bool = False,
               sigsys_blocked: bool = False) -> Verdict:
        """What becomes of a call. A tracer with PTRACE_O_TRACESECCOMP is attached; the winning filter's listener is
        open; the caller is not the last thread of its process; SIGSYS is blocked or ignored."""
        around = SurroundingsStruct(tracer=int(tracer), listener=int(listener), threads=int(threads),
                                    sigsys_blocked=int(sigsys_blocked))
        out = VerdictStruct()
        called("callgate_stack_decide", self._handle, byref(struct_of(call, self.arch)), byref(around), byref(out),
               message=False)
        known = bool(out.known)
        words = self.words(out.value) if known else None
        action = words.partition("(")[0] if words is not None and not words.startswith("0x") else None
        outcome = Outcome(out.outcome)
        returns = out.returns if outcome is Outcome.RETURNS else None
        dies = outcome in (Outcome.SIGSYS, Outcome.THREAD_DIES, Outcome.PROCESS_DIES)
        return Verdict(
            known=known, value=out.value if known else None, words=words, action=action,
            data=out.value & 0xffff if known else None, exempt=bool(out.exempt),
            winner=None if out.winner == SIZE_MAX else out.winner,
            instruction=None if out.instruction == SIZE_MAX else out.instruction, executed=out.executed,
            outcome=outcome, returns=returns,
            errno=-returns if returns is not None and -4095 <= returns < 0 else None,
            signal=out.signal if dies else None, core_dump=bool(out.core_dump), logged=bool(out.logged),
            reason=None if out.reason is None else decoded(out.reason))

    def words(self, value: int) -> str:
        """A value in words, as the command writes it for this machine: "ERRNO(1)"."""
        return text_of("callgate_value_words", self._handle, within(value, 32, "value"), message=False)


class Filters(Handle):
    """Filters as they were read, the oldest first; load(), read() and program() make them.

    `arch`, `kernel`, `engine` and `jit_harden` of methods say on which machine they are installed; the first two are
    those that they were loaded for where not given."""

    def __init__(self, pointer: c_void_p, arch: Optional[str], kernel: Optional[str]) -> None:
        super().__init__(pointer, library().callgate_filters_destroy)
        #: What they were loaded for; None: x86_64, and the newest kernel.
        self.arch = arch
        self.kernel = kernel

    def _machine(self, arch: Optional[str], kernel: Optional[str], engine: Optional[str],
                 jit_harden: bool) -> _Machine:
        return _Machine(arch if arch is not None else self.arch, kernel if kernel is not None else self.kernel,
                        engine, jit_harden)

    def __len__(self) -> int:
        count: int = library().callgate_filters_count(self._handle)
        return count

    def __bool__(self) -> bool:
        """True, of a profile that installs no filter too."""
        return True

    @property
    def format(self) -> str:
        """That of the (first) file: "oci", "raw"."""
        return decoded(library().callgate_filters_format(self._handle))

    @property
    def notes(self) -> List[str]:
        """What the reader of the file had to say."""
        return decoded(library().callgate_filters_notes(self._handle)).splitlines()

    @property
    def names(self) -> List[str]:
        """Their files, with the layer's name where a file has several: "FILE (NAME)"."""
        return [decoded(library().callgate_filters_name(self._handle, index)) for index in range(len(self))]

    @property
    def programs(self) -> List[List[Instruction]]:
        """Their instructions."""
        out = []
        for index in range(len(self)):
            length = c_size_t()
            program = library().callgate_filters_program(self._handle, index, byref(length))
            out.append([Instruction(each.code, each.jt, each.jf, each.k) for each in program[:length.value]])
        return out

    def append(self, newer: "Filters") -> None:
        """Puts the filters of `newer` on top, as if they were installed later. Not while another thread uses these."""
        called("callgate_filters_append", self._handle, _filters(newer)._handle, message=False)

    def check(self, *, arch: Optional[str] = None, kernel: Optional[str] = None, engine: Optional[str] = None,
              jit_harden: bool = False) -> Check:
        """Whether the kernel accepts them, and why not."""
        accepted = c_int()
        text = text_of("callgate_check", self._handle, byref(self._machine(arch, kernel, engine, jit_harden).struct()),
                       byref(accepted))
        return Check(bool(accepted.value), json.loads(text))

    def stack(self, *, arch: Optional[str] = None, kernel: Optional[str] = None, engine: Optional[str] = None,
              jit_harden: bool = False) -> Stack:
        """Installs them. Raises Refused where the kernel does not accept one."""
        machine = self._machine(arch, kernel, engine, jit_harden)
        out = c_void_p()
        called("callgate_stack_of", self._handle, byref(machine.struct()), byref(out), refusal=True)
        return Stack(out, machine.arch)

    def explain(self, format: str = "text", *, arch: Optional[str] = None, kernel: Optional[str] = None,
                engine: Optional[str] = None, jit_harden: bool = False) -> Explanation:
        """What each call gets, under which conditions: "text", "markdown", or "json"."""
        whole = c_int()
        out = Explanation(text_of("callgate_explain", self._handle,
                                  byref(self._machine(arch, kernel, engine, jit_harden).struct()), encoded(format),
                                  byref(whole), refusal=True))
        out.whole = bool(whole.value)
        return out

    def explain_call(self, call: CallLike, format: str = "text", *, arch: Optional[str] = None,
                     kernel: Optional[str] = None, engine: Optional[str] = None, jit_harden: bool = False) -> str:
        """Why a call gets what it gets: "text" or "json"."""
        machine = self._machine(arch, kernel, engine, jit_harden)
        return text_of("callgate_explain_call", self._handle, byref(machine.struct()),
                       byref(struct_of(call, machine.arch)), encoded(format), refusal=True)


def _load_options(kernel: Optional[str], arch: Optional[str], input_format: Optional[str], caps: Optional[str],
                  runtime: Optional[str], systemd: Optional[str], denylist: bool) -> LoadOptionsStruct:
    return LoadOptionsStruct(kernel=encoded(kernel), arch=encoded(arch), input_format=encoded(input_format),
                             caps=encoded(caps), runtime=encoded(runtime), systemd=encoded(systemd),
                             denylist=int(denylist))


def load(path: Path, *, arch: Optional[str] = None, kernel: Optional[str] = None,
         input_format: Optional[str] = None, caps: Optional[str] = None, runtime: Optional[str] = None,
         systemd: Optional[str] = None, denylist: bool = False) -> Filters:
    """Reads a file (FILE#NAME, a folder of a capture, DIR#TID) in any format that the command reads. The options are
    the command's of these names."""
    out = c_void_p()
    called("callgate_filters_load", encoded_path(path),
           byref(_load_options(kernel, arch, input_format, caps, runtime, systemd, denylist)), byref(out))
    return Filters(out, arch, kernel)


def read(content: bytes, *, name: Optional[Path] = None, arch: Optional[str] = None, kernel: Optional[str] = None,
         input_format: Optional[str] = None, caps: Optional[str] = None, runtime: Optional[str] = None,
         systemd: Optional[str] = None, denylist: bool = False) -> Filters:
    """Reads the bytes of a file. `name` stands for the file's: some formats are told by it."""
    content = bytes(content)
    out = c_void_p()
    called("callgate_filters_read", content, len(content), None if name is None else encoded_path(name),
           byref(_load_options(kernel, arch, input_format, caps, runtime, systemd, denylist)), byref(out))
    return Filters(out, arch, kernel)


def program(instructions: Iterable[Tuple[int, int, int, int]], *, name: Optional[Path] = None,
            arch: Optional[str] = None, kernel: Optional[str] = None) -> Filters:
    """One filter of (code, jt, jf, k) each."""
    # Decimal: the same in every byte order.
    lines = []
    for index, row in enumerate(Instruction(*each) for each in instructions):
        lines.append(" ".join(str(within(value, bits, f"instruction {index}: {field}"))
                              for field, value, bits in zip(Instruction._fields, row, (16, 8, 8, 32))))
    lines.insert(0, str(len(lines)))
    return read("\n".join(lines).encode(), name=name, arch=arch, kernel=kernel, input_format="decimal")


def _filters(given: Filters) -> Filters:
    """A handle of another kind would be taken for one by C."""
    if not isinstance(given, Filters):
        raise TypeError(f"Filters are expected, not {type(given).__name__}")
    return given


def _compared(a: Filters, b: Filters, arch: Optional[str], kernel: Optional[str], how: DiffOptionsStruct) -> Comparison:
    machine = _filters(a)._machine(arch, kernel, None, False)
    answer = c_int()
    text = text_of("callgate_diff", a._handle, _filters(b)._handle, byref(machine.struct()), byref(how), byref(answer),
                   refusal=True)
    return Comparison(Answer(answer.value), json.loads(text))


def diff(a: Filters, b: Filters, *, level: str = "verdict", arch: Optional[str] = None,
         kernel: Optional[str] = None) -> Comparison:
    """Whether two stacks do the same for all inputs; `level`: "raw", "verdict", or "outcome" (what the process sees).
    On the machine that `a` was loaded for, where not given. Raises Refused."""
    return _compared(a, b, arch, kernel, DiffOptionsStruct(level=encoded(level)))


def subset(a: Filters, b: Filters, *, allow_only: bool = False, arch: Optional[str] = None,
           kernel: Optional[str] = None) -> Comparison:
    """Whether `b` is at least as strict as `a` for all inputs; `allow_only`: only what is executed unasked counts."""
    return _compared(a, b, arch, kernel, DiffOptionsStruct(subset=1, allow_only=int(allow_only)))
