"""The package's idea of the C interface against the headers themselves, and a compiler's."""

import ctypes
import os
import pathlib
import re
import subprocess

import pytest

from callgate import _abi

INCLUDE = pathlib.Path(os.environ["CALLGATE_INCLUDE"])
# Filters one by one, and a stack that is filled by hand: Filters and Stack do their work.
NOT_CALLED = {"callgate_filter_create", "callgate_filter_run", "callgate_filter_destroy", "callgate_stack_create",
              "callgate_stack_push", "callgate_stack_run"}


def headers():
    text = "".join((INCLUDE / name).read_text() for name in ("callgate.h", "callgate_tools.h"))
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def prototypes():
    """(result, name, parameters) of each function."""
    for found in re.finditer(r"^CALLGATE_API\s+([^;(]*?)(callgate_\w+)\(([^;]*)\);", headers(), re.M):
        parameters = [" ".join(each.split()) for each in found[3].split(",")]
        yield " ".join(found[1].split()), found[2], [] if parameters == ["void"] else parameters


def structs():
    return re.findall(r"typedef struct (callgate_\w+) \{(.*?)\}", headers(), re.S)


def fields(body):
    for statement in body.split(";"):
        words = re.findall(r"\w+", re.sub(r"\[\d+\]", "", statement.split(",")[0]))
        if words:
            yield words[-1]
            yield from (each.strip() for each in statement.split(",")[1:])


def test_every_function_of_the_headers_is_called_or_is_said_not_to_be():
    assert {name for _, name, _ in prototypes()} == set(_abi.FUNCTIONS) | NOT_CALLED


def kind(declaration):
    """What ctypes has for a type of C."""
    text = re.sub(r"\bconst\b", "", declaration)
    stars = text.count("*")
    words = re.findall(r"\w+", text)
    scalars = {"int": ctypes.c_int, "size_t": ctypes.c_size_t, "uint32_t": ctypes.c_uint32,
               "int64_t": ctypes.c_int64, "void": None, "callgate_answer": ctypes.c_int}
    base = words[0]
    if base in scalars and stars == 0:
        return {scalars[base]}
    if base == "char" and stars == 1:
        # A text that is given away is a pointer that is freed.
        return {ctypes.c_char_p if "const" in declaration else ctypes.c_void_p}
    if base == "void" and stars == 1:
        return {ctypes.c_char_p, ctypes.c_void_p}
    if stars == 2:
        return {ctypes.POINTER(ctypes.c_void_p)}
    if base in _abi.STRUCTS:
        return {ctypes.POINTER(_abi.STRUCTS[base])}
    if base in scalars:
        return {ctypes.POINTER(scalars[base])}
    return {ctypes.c_void_p}  # a handle


@pytest.mark.parametrize("result, name, parameters",
                         [each for each in prototypes() if each[1] not in NOT_CALLED], ids=lambda each: str(each)[:40])
def test_parameters_and_results_are_those_of_the_prototype(result, name, parameters):
    has_result, has_parameters = _abi.FUNCTIONS[name]
    assert has_result in kind(result)
    assert len(has_parameters) == len(parameters)
    for has, wanted in zip(has_parameters, parameters):
        assert has in kind(wanted), wanted


def test_sizes_offsets_and_enumerators_are_those_of_the_compiler(tmp_path):
    lines, expected = [], []
    for name, body in structs():
        mine = _abi.STRUCTS[name]
        assert [field for field, _ in mine._fields_] == list(fields(body)), name
        lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
        expected.append(f"{name} {ctypes.sizeof(mine)}")
        for field, _ in mine._fields_:
            of_field = getattr(mine, field)
            lines.append(f'printf("{name}.{field} %zu %zu\\n", offsetof({name}, {field}), '
                         f"sizeof((({name}*)0)->{field}));")
            expected.append(f"{name}.{field} {of_field.offset} {of_field.size}")
    assert {name for name, _ in structs()} == set(_abi.STRUCTS)
    for enumeration in (_abi.Outcome, _abi.Answer):
        for member in enumeration:
            lines.append(f'printf("{member.name} %d\\n", (int)CALLGATE_{member.name});')
            expected.append(f"{member.name} {member.value}")
    enumerators = re.findall(r"\bCALLGATE_(\w+) = \d", headers())
    assert enumerators == [member.name for each in (_abi.Outcome, _abi.Answer) for member in each]
    source = tmp_path / "layout.c"
    source.write_text("#include <callgate_tools.h>\n#include <stdio.h>\nint main(void) {\n" + "\n".join(lines) +
                      "\nreturn 0;\n}\n")
    program = tmp_path / "layout"
    subprocess.run([os.environ["CALLGATE_CC"], "-std=c11", "-I", INCLUDE, "-o", program, source], check=True)
    printed = subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines()
    assert printed == expected
    assert len(printed) > 70


def test_a_struct_says_its_size():
    assert _abi.OptionsStruct().size == ctypes.sizeof(_abi.OptionsStruct)
