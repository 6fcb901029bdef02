import threading

import pytest

import callgate

X86_64 = 0xc000003e


def test_the_version_is_the_librarys():
    assert callgate.version() == callgate.__version__


def test_names_and_numbers_of_syscalls():
    assert callgate.syscall_number("openat") == 257
    assert callgate.syscall_number("openat", "aarch64") == 56
    assert callgate.syscall_number("open", "aarch64") is None
    assert callgate.syscall_number("no_such_call") is None
    assert callgate.syscall_number("read", "no_such_abi") is None
    assert callgate.syscall_name(257) == "openat"
    assert callgate.syscall_name(56, "aarch64") == "openat"
    assert callgate.syscall_name(100000) is None
    with pytest.raises(ValueError):
        callgate.syscall_name(-1)


def test_a_call_is_read_and_written():
    call = callgate.call("openat(AT_FDCWD, 0, (O_RDONLY|O_CLOEXEC))")
    assert (call.nr, call.arch) == (257, X86_64)
    assert call.args[1:] == (0, 0x80000, 0, 0, 0)
    assert callgate.call(call.words()) == call
    assert callgate.call("read(0, 0x1000, 12, ip=0x401000)").instruction_pointer == 0x401000
    assert callgate.call("1234()").nr == 1234
    assert callgate.call("openat", arch="aarch64").nr == 56


@pytest.mark.parametrize("text", ["", "no_such_call()", "read(", "read(*)", "read(1, 2, 3, 4, 5, 6, 7)", "read() x"])
def test_what_is_no_call_is_an_error(text):
    with pytest.raises(callgate.Error) as told:
        callgate.call(text)
    assert told.value.errno == 22
    assert str(told.value)


def test_a_text_is_not_cut_at_a_null_character():
    with pytest.raises(ValueError):
        callgate.call("read()\0 or what")


@pytest.mark.parametrize("call", [
    callgate.Call(0, X86_64, (0,) * 7), callgate.Call(0, X86_64, (-1,)), callgate.Call(0, X86_64, (1 << 64,)),
    callgate.Call(1 << 32, X86_64), callgate.Call(0, 1 << 32)])
def test_numbers_without_a_place_in_the_struct_are_refused(filters, call):
    with pytest.raises(ValueError):
        filters.stack().decide(call)


def test_threads_use_one_stack_at_once(filters):
    stack = filters.stack()
    wrong = []

    def ask(family):
        expected = "ERRNO" if family == 40 else "ALLOW"
        wrong.extend(family for _ in range(200)
                     if stack.decide(callgate.Call(41, X86_64, (family,))).action != expected)

    threads = [threading.Thread(target=ask, args=(family,)) for family in (1, 2, 40, 41)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
