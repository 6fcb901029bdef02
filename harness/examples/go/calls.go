// calls PROFILE CALL...: what becomes of calls under a filter or profile, on x86_64. Exit code 1: one is not executed;
// 2: the profile or a call cannot be read, or the kernel would refuse the filter.
package main

// #cgo pkg-config: callgate
// #include <callgate_tools.h>
// #include <stdlib.h>
import "C"

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// failed turns what a function returned into an error; the message, which it gave away, is freed.
func failed(what string, number C.int, message *C.char) error {
	if number == 0 {
		return nil
	}
	if message == nil {
		return fmt.Errorf("%s: %w", what, syscall.Errno(number))
	}
	defer C.callgate_text_free(message)
	return fmt.Errorf("%s: %s", what, C.GoString(message))
}

// load reads a profile and installs it on x86_64, under the newest kernel.
func load(path string) (*C.callgate_stack, error) {
	name, arch := C.CString(path), C.CString("x86_64")
	defer C.free(unsafe.Pointer(name))
	defer C.free(unsafe.Pointer(arch))
	var options C.callgate_load_options
	options.size = C.size_t(unsafe.Sizeof(options))
	options.arch = arch
	var filters *C.callgate_filters
	var message *C.char
	number := C.callgate_filters_load(name, &options, &filters, &message)
	if err := failed(path, number, message); err != nil {
		return nil, err
	}
	defer C.callgate_filters_destroy(filters)
	var machine C.callgate_options
	machine.size = C.size_t(unsafe.Sizeof(machine))
	machine.arch = arch
	var stack *C.callgate_stack
	number = C.callgate_stack_of(filters, &machine, &stack, &message)
	return stack, failed(path, number, message)
}

func words(verdict *C.callgate_verdict) string {
	switch verdict.outcome {
	case C.CALLGATE_EXECUTES:
		return "executes"
	case C.CALLGATE_RETURNS:
		return fmt.Sprintf("returns %d", verdict.returns)
	case C.CALLGATE_SIGSYS:
		return fmt.Sprintf("signal %d is delivered", verdict.signal)
	case C.CALLGATE_THREAD_DIES:
		return fmt.Sprintf("its thread dies by signal %d", verdict.signal)
	case C.CALLGATE_PROCESS_DIES:
		return fmt.Sprintf("its process dies by signal %d", verdict.signal)
	case C.CALLGATE_TRACER:
		return "a tracer decides"
	case C.CALLGATE_LISTENER:
		return "a listener decides"
	}
	return "unknown, because " + C.GoString(verdict.reason)
}

// decide prints what becomes of a call, and says whether it is executed.
func decide(stack *C.callgate_stack, call string) (bool, error) {
	text, arch := C.CString(call), C.CString("x86_64")
	defer C.free(unsafe.Pointer(text))
	defer C.free(unsafe.Pointer(arch))
	var data C.callgate_data
	var message *C.char
	number := C.callgate_call_read(text, arch, &data, &message)
	if err := failed(call, number, message); err != nil {
		return false, err
	}
	var verdict C.callgate_verdict
	verdict.size = C.size_t(unsafe.Sizeof(verdict))
	number = C.callgate_stack_decide(stack, &data, nil, &verdict)
	if err := failed(call, number, nil); err != nil {
		return false, err
	}
	value := ""
	if verdict.known != 0 {
		var text *C.char
		number = C.callgate_value_words(stack, verdict.value, &text)
		if err := failed(call, number, nil); err != nil {
			return false, err
		}
		value = C.GoString(text) + ", "
		C.callgate_text_free(text)
	}
	fmt.Printf("%s: %s%s\n", call, value, words(&verdict))
	return verdict.outcome == C.CALLGATE_EXECUTES, nil
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: calls PROFILE CALL...")
		os.Exit(2)
	}
	stack, err := load(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	worst := 0
	for _, call := range os.Args[2:] {
		executes, err := decide(stack, call)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			worst = 2
		} else if !executes && worst == 0 {
			worst = 1
		}
	}
	C.callgate_stack_destroy(stack)
	os.Exit(worst)
}
