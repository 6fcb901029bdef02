"""The interface of callgate.h and callgate_tools.h as ctypes has it; held against the headers by tests/test_abi.py."""

import enum
from ctypes import (POINTER, Structure, c_char_p, c_int, c_int32, c_int64, c_size_t, c_uint, c_uint8, c_uint16,
                    c_uint32, c_uint64, c_void_p)
from typing import Any, Dict, List, Tuple, Type

SIZE_MAX = c_size_t(-1).value


class InstructionStruct(Structure):
    _fields_ = [("code", c_uint16), ("jt", c_uint8), ("jf", c_uint8), ("k", c_uint32)]


class DataStruct(Structure):
    _fields_ = [("nr", c_int32), ("arch", c_uint32), ("instruction_pointer", c_uint64), ("args", c_uint64 * 6)]


class _Sized(Structure):
    """A struct whose first field is its own size."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)
        self.size = len(bytes(self))


class OptionsStruct(_Sized):
    _fields_ = [("size", c_size_t), ("engine", c_char_p), ("kernel", c_char_p), ("arch", c_char_p),
                ("jit_harden", c_int)]


class LoadOptionsStruct(_Sized):
    _fields_ = [("size", c_size_t), ("kernel", c_char_p), ("arch", c_char_p), ("input_format", c_char_p),
                ("caps", c_char_p), ("runtime", c_char_p), ("systemd", c_char_p), ("denylist", c_int)]


class SurroundingsStruct(_Sized):
    _fields_ = [("size", c_size_t), ("tracer", c_int), ("listener", c_int), ("threads", c_int),
                ("sigsys_blocked", c_int)]


class VerdictStruct(_Sized):
    _fields_ = [("size", c_size_t), ("known", c_int), ("value", c_uint32), ("exempt", c_int), ("winner", c_size_t),
                ("instruction", c_size_t), ("executed", c_size_t), ("outcome", c_int), ("returns", c_int64),
                ("signal", c_int), ("data", c_uint16), ("core_dump", c_int), ("logged", c_int), ("reason", c_char_p)]


class DiffOptionsStruct(_Sized):
    _fields_ = [("size", c_size_t), ("level", c_char_p), ("subset", c_int), ("allow_only", c_int)]


class SuiteOptionsStruct(_Sized):
    _fields_ = [("size", c_size_t), ("names", c_char_p), ("jobs", c_uint), ("coverage", c_int), ("fail_fast", c_int)]


class CaseStruct(_Sized):
    _fields_ = [("size", c_size_t), ("name", c_char_p), ("file", c_char_p), ("line", c_uint), ("column", c_uint)]


class CountsStruct(_Sized):
    _fields_ = [("size", c_size_t), ("passed", c_size_t), ("failed", c_size_t), ("absent", c_size_t),
                ("unknown", c_size_t), ("errors", c_size_t), ("not_run", c_size_t)]


class Outcome(enum.Enum):
    """What becomes of a call."""

    EXECUTES = 0
    RETURNS = 1
    SIGSYS = 2
    THREAD_DIES = 3
    PROCESS_DIES = 4
    TRACER = 5
    LISTENER = 6
    UNKNOWN = 7


class Answer(enum.Enum):
    """Of a comparison for all inputs. SUBSET and NOT_SUBSET are other names for EQUAL and DIFFERENT."""

    EQUAL = 0
    DIFFERENT = 1
    UNDECIDED = 3
    SUBSET = 0
    NOT_SUBSET = 1


STRUCTS: Dict[str, Type[Structure]] = {
    "callgate_instruction": InstructionStruct,
    "callgate_data": DataStruct,
    "callgate_options": OptionsStruct,
    "callgate_load_options": LoadOptionsStruct,
    "callgate_surroundings": SurroundingsStruct,
    "callgate_verdict": VerdictStruct,
    "callgate_diff_options": DiffOptionsStruct,
    "callgate_suite_options": SuiteOptionsStruct,
    "callgate_case": CaseStruct,
    "callgate_counts": CountsStruct,
}

# Texts that are to be freed are void*: of a char* ctypes would keep a copy and lose the pointer.
_text = c_void_p
_out = POINTER(c_void_p)
_handle = c_void_p
_options = POINTER(OptionsStruct)
_data = POINTER(DataStruct)

FUNCTIONS: Dict[str, Tuple[Any, List[Any]]] = {
    "callgate_version": (c_char_p, []),
    "callgate_text_free": (None, [_text]),
    "callgate_syscall_number": (c_int64, [c_char_p, c_char_p]),
    "callgate_syscall_name": (c_char_p, [c_char_p, c_uint32]),
    "callgate_call_read": (c_int, [c_char_p, c_char_p, _data, _out]),
    "callgate_call_write": (c_int, [_data, c_char_p, _out]),
    "callgate_filters_load": (c_int, [c_char_p, POINTER(LoadOptionsStruct), _out, _out]),
    "callgate_filters_read": (c_int, [c_char_p, c_size_t, c_char_p, POINTER(LoadOptionsStruct), _out, _out]),
    "callgate_filters_append": (c_int, [_handle, _handle]),
    "callgate_filters_destroy": (None, [_handle]),
    "callgate_filters_count": (c_size_t, [_handle]),
    "callgate_filters_format": (c_char_p, [_handle]),
    "callgate_filters_notes": (c_char_p, [_handle]),
    "callgate_filters_program": (POINTER(InstructionStruct), [_handle, c_size_t, POINTER(c_size_t)]),
    "callgate_filters_name": (c_char_p, [_handle, c_size_t]),
    "callgate_check": (c_int, [_handle, _options, POINTER(c_int), _out, _out]),
    "callgate_stack_of": (c_int, [_handle, _options, _out, _out]),
    "callgate_stack_destroy": (None, [_handle]),
    "callgate_stack_decide": (c_int, [_handle, _data, POINTER(SurroundingsStruct), POINTER(VerdictStruct)]),
    "callgate_value_words": (c_int, [_handle, c_uint32, _out]),
    "callgate_explain": (c_int, [_handle, _options, c_char_p, POINTER(c_int), _out, _out]),
    "callgate_explain_call": (c_int, [_handle, _options, _data, c_char_p, _out, _out]),
    "callgate_diff": (c_int, [_handle, _handle, _options, POINTER(DiffOptionsStruct), POINTER(c_int), _out, _out]),
    "callgate_suite_load": (c_int, [c_char_p, POINTER(SuiteOptionsStruct), _out, _out]),
    "callgate_suite_destroy": (None, [_handle]),
    "callgate_suite_count": (c_size_t, [_handle]),
    "callgate_suite_case": (c_int, [_handle, c_size_t, POINTER(CaseStruct)]),
    "callgate_suite_run": (c_int, [_handle, _out, _out]),
    "callgate_results_destroy": (None, [_handle]),
    "callgate_results_counts": (c_int, [_handle, POINTER(CountsStruct)]),
    "callgate_results_write": (c_int, [_handle, c_char_p, _out, _out]),
}
