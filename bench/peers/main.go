// Interpreters of Go's world on the filters and calls that callgate_write_filters wrote: gVisor's
// pkg/bpf and x/net/bpf. Prints what Google Benchmark would: bench/report.py reads it beside the rest.
//
//	peers FOLDER SECONDS
package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/bpf"
	"gvisor.dev/gvisor/pkg/abi/linux"
	gvisor "gvisor.dev/gvisor/pkg/bpf"
)

const callSize = 64

type row struct {
	Name           string  `json:"name"`
	RunType        string  `json:"run_type"`
	ItemsPerSecond float64 `json:"items_per_second,omitempty"`
	ErrorOccurred  bool    `json:"error_occurred,omitempty"`
	ErrorMessage   string  `json:"error_message,omitempty"`
}

// What runs one call, by its place.
type runner func(call int) (uint32, error)

func withGvisor(program []byte, calls [][]byte) (runner, error) {
	var instructions []linux.BPFInstruction
	for at := 0; at < len(program); at += 8 {
		instructions = append(instructions, linux.BPFInstruction{
			OpCode:      binary.LittleEndian.Uint16(program[at:]),
			JumpIfTrue:  program[at+2],
			JumpIfFalse: program[at+3],
			K:           binary.LittleEndian.Uint32(program[at+4:]),
		})
	}
	compiled, err := gvisor.Compile(instructions)
	if err != nil {
		return nil, err
	}
	inputs := make([]gvisor.Input, len(calls))
	for i, each := range calls {
		inputs[i] = gvisor.InputBytes{Data: each, Order: binary.LittleEndian}
	}
	return func(call int) (uint32, error) { return gvisor.Exec(compiled, inputs[call]) }, nil
}

// x/net/bpf reads packets, big-endian.
func withNet(program []byte, calls [][]byte) (runner, error) {
	var raw []bpf.RawInstruction
	for at := 0; at < len(program); at += 8 {
		raw = append(raw, bpf.RawInstruction{
			Op: binary.LittleEndian.Uint16(program[at:]), Jt: program[at+2], Jf: program[at+3],
			K: binary.LittleEndian.Uint32(program[at+4:]),
		})
	}
	instructions, known := bpf.Disassemble(raw)
	if !known {
		return nil, fmt.Errorf("an instruction is not known to it")
	}
	machine, err := bpf.NewVM(instructions)
	if err != nil {
		return nil, err
	}
	packets := make([][]byte, len(calls))
	for i, each := range calls {
		packets[i] = make([]byte, callSize)
		for word := 0; word < callSize; word += 4 {
			binary.BigEndian.PutUint32(packets[i][word:], binary.LittleEndian.Uint32(each[word:]))
		}
	}
	return func(call int) (uint32, error) {
		got, err := machine.Run(packets[call])
		return uint32(got), err
	}, nil
}

func measure(name string, run runner, results []uint32, least time.Duration) row {
	for i, wanted := range results {
		got, err := run(i)
		if err != nil || got != wanted {
			return row{Name: name, RunType: "iteration", ErrorOccurred: true,
				ErrorMessage: fmt.Sprintf("call %d: 0x%x (%v), not 0x%x", i, got, err, wanted)}
		}
	}
	best := 0.0
	for round := 0; round < 7; round++ {
		verdicts, start := 0, time.Now()
		for time.Since(start) < least/7 {
			for i := range results {
				run(i)
			}
			verdicts += len(results)
		}
		if rate := float64(verdicts) / time.Since(start).Seconds(); rate > best {
			best = rate
		}
	}
	return row{Name: name, RunType: "iteration", ItemsPerSecond: best}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(2)
	}
}

func main() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: peers FOLDER SECONDS"))
	}
	seconds, err := strconv.ParseFloat(os.Args[2], 64)
	fail(err)
	least := time.Duration(seconds * float64(time.Second))
	files, err := filepath.Glob(filepath.Join(os.Args[1], "*.calls"))
	fail(err)
	var rows []row
	for _, path := range files {
		base := strings.TrimSuffix(path, ".calls")
		parts := strings.Split(filepath.Base(base), ".") // FILTER.MIX
		program, err := os.ReadFile(filepath.Join(os.Args[1], parts[0]+".bpf"))
		fail(err)
		data, err := os.ReadFile(path)
		fail(err)
		words, err := os.ReadFile(base + ".results")
		fail(err)
		var calls [][]byte
		var results []uint32
		for at := 0; at < len(data); at += callSize {
			calls = append(calls, data[at:at+callSize])
			results = append(results, binary.LittleEndian.Uint32(words[at/callSize*4:]))
		}
		for _, peer := range []struct {
			name    string
			prepare func([]byte, [][]byte) (runner, error)
		}{{"gvisor", withGvisor}, {"x-net-bpf", withNet}} {
			name := "single/" + peer.name + "/" + parts[0] + "/" + parts[1]
			run, err := peer.prepare(program, calls)
			if err != nil {
				rows = append(rows, row{Name: name, RunType: "iteration", ErrorOccurred: true,
					ErrorMessage: err.Error()})
				continue
			}
			rows = append(rows, measure(name, run, results, least))
		}
	}
	fail(json.NewEncoder(os.Stdout).Encode(map[string]any{"context": map[string]any{}, "benchmarks": rows}))
}
