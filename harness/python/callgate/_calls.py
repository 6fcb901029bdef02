"""Syscalls by name and number, and descriptions of calls."""

from ctypes import byref
from typing import NamedTuple, Optional, Tuple, Union

from ._abi import DataStruct
from ._library import called, decoded, encoded, library, text_of, within


class Call(NamedTuple):
    """What a filter sees of a call: struct seccomp_data, in plain numbers."""

    nr: int
    arch: int  #: AUDIT_ARCH_*
    args: Tuple[int, ...] = ()
    instruction_pointer: int = 0

    def words(self, arch: Optional[str] = None) -> str:
        """The text that call() reads as this call."""
        return text_of("callgate_call_write", byref(struct_of(self, arch)), encoded(arch), message=False)


#: A description, or a text as call() reads it: "openat(AT_FDCWD, 0, O_RDONLY)".
CallLike = Union[Call, str]


def _read(text: str, arch: Optional[str]) -> DataStruct:
    out = DataStruct()
    called("callgate_call_read", encoded(text), encoded(arch), byref(out))
    return out


def call(text: str, *, arch: Optional[str] = None) -> Call:
    """Reads one call, all of it: "openat(AT_FDCWD, 0, O_RDONLY)", "i386:socketcall(1, 0xffffe000)", "read",
    "1234()". Arguments that are left out are 0."""
    data = _read(text, arch)
    return Call(data.nr, data.arch, tuple(data.args), data.instruction_pointer)


def struct_of(given: CallLike, arch: Optional[str]) -> DataStruct:
    if isinstance(given, str):
        return _read(given, arch)
    if not isinstance(given, Call):
        raise TypeError(f"a Call or its text is expected, not {type(given).__name__}")
    if len(given.args) > 6:
        raise ValueError(f"a call has 6 arguments, not {len(given.args)}")
    if not -1 << 31 <= given.nr < 1 << 32:
        raise ValueError(f"nr {given.nr} has no place in 32 bits")
    out = DataStruct(nr=given.nr & 0xffffffff, arch=within(given.arch, 32, "arch"),
                     instruction_pointer=within(given.instruction_pointer, 64, "instruction_pointer"))
    for index, value in enumerate(given.args):
        out.args[index] = within(value, 64, f"args[{index}]")
    return out


def syscall_number(name: str, abi: Optional[str] = None) -> Optional[int]:
    """Its number on an ABI ("x86_64", if not given; "aarch64", "x32", "i386", …), or None."""
    number: int = library().callgate_syscall_number(encoded(abi), encoded(name))
    return None if number < 0 else number


def syscall_name(number: int, abi: Optional[str] = None) -> Optional[str]:
    """The name of a number on an ABI, or None."""
    name = library().callgate_syscall_name(encoded(abi), within(number, 32, "number"))
    return None if name is None else decoded(name)


def version() -> str:
    """Of the library."""
    return decoded(library().callgate_version())
