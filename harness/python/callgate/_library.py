"""Finding the C library, and what every call of it has in common."""

import ctypes
import errno
import functools
import operator
import os
import pathlib
import weakref
from ctypes import byref, c_void_p
from typing import Any, Callable, Optional, Tuple, TypeVar, Union

from ._abi import FUNCTIONS

SONAME = "libcallgate.so.0"

Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]


class Error(Exception):
    """What cannot be read, or done; `errno` is what the C function returned."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.errno = number

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.errno, str(self))


class Refused(Error):
    """The kernel would refuse a filter."""


def where() -> str:
    """What is loaded: CALLGATE_LIBRARY, the library beside this package, or the system's."""
    named = os.environ.get("CALLGATE_LIBRARY")
    if named:
        return named
    beside = pathlib.Path(__file__).with_name(SONAME)
    return str(beside) if beside.exists() else SONAME


@functools.lru_cache(maxsize=None)
def library() -> ctypes.CDLL:
    path = where()
    try:
        loaded = ctypes.CDLL(path)
    except OSError as error:
        raise Error(errno.ENOENT, f"{path} cannot be loaded: {error}; install libcallgate0, or set CALLGATE_LIBRARY "
                                  f"to the path of {SONAME}") from None
    for name, (result, arguments) in FUNCTIONS.items():
        try:
            function = getattr(loaded, name)
        except AttributeError:
            raise Error(errno.ENOSYS, f"{path} has no {name}: it is of another release than this package") from None
        function.restype = result
        function.argtypes = arguments
    return loaded


def encoded(text: Optional[str]) -> Optional[bytes]:
    """As C takes it, which would end at a null character."""
    if text is None:
        return None
    if not isinstance(text, str):
        raise TypeError(f"a str is expected, not {type(text).__name__}")
    if "\0" in text:
        raise ValueError("embedded null character")
    return text.encode("utf-8", "surrogateescape")


def encoded_path(path: Path) -> bytes:
    out = os.fsencode(path)
    if b"\0" in out:
        raise ValueError("embedded null byte")
    return out


def within(value: int, bits: int, what: str) -> int:
    """A number that C takes for one without sign."""
    number = operator.index(value)
    if not 0 <= number < 1 << bits:
        raise ValueError(f"{what} {number:#x} has no place in {bits} bits")
    return number


def decoded(text: Optional[bytes]) -> str:
    return (text or b"").decode("utf-8", "replace")


def taken(text: c_void_p) -> Optional[str]:
    """A text that C gave away."""
    if not text.value:
        return None
    try:
        return ctypes.string_at(text.value).decode("utf-8", "replace")
    finally:
        library().callgate_text_free(text)


def called(name: str, *arguments: Any, message: bool = True, refusal: bool = False) -> None:
    """Calls a function that returns an errno. `message`: its last parameter is `char** message`, which is added
    here. `refusal`: EACCES means that the kernel refuses a filter."""
    told = c_void_p()
    if message:
        arguments = (*arguments, byref(told))
    number = getattr(library(), name)(*arguments)
    text = taken(told)
    if number != 0:
        kind = Refused if refusal and number == errno.EACCES else Error
        raise kind(number, text or f"{name}: {os.strerror(number)}")


def text_of(name: str, *arguments: Any, message: bool = True, refusal: bool = False) -> str:
    """The same for one whose last parameter before that is `char** out`."""
    out = c_void_p()
    called(name, *arguments, byref(out), message=message, refusal=refusal)
    return taken(out) or ""


Self = TypeVar("Self", bound="Handle")


class Handle:
    """Something of the library's, freed by close(), by `with`, or when nothing refers to it any more. It may be used
    by several threads at once, but not closed while another uses it."""

    def __init__(self, pointer: c_void_p, destroy: Callable[[c_void_p], None]) -> None:
        self._pointer = pointer
        self._finalizer = weakref.finalize(self, destroy, pointer)

    @property
    def _handle(self) -> c_void_p:
        if not self._finalizer.alive:
            raise ValueError(f"this {type(self).__name__} is closed")
        return self._pointer

    def close(self) -> None:
        """Frees it; closing twice is allowed."""
        self._finalizer()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
