// Profiles itself: samples come from goroutines that compute, about one for each 10 ms of CPU time of
// each thread, and none from those that sleep.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Time between two samples of a thread.
const tick = 10 * time.Millisecond

var sink atomic.Uint64

// CPU time of the process.
func used() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func compute(duration time.Duration) {
	for begin := used(); used()-begin < duration; {
		sum := uint64(0)
		for i := uint64(0); i < 1000000; i++ {
			sum += i * i
		}
		sink.Add(sum)
	}
}

// Reads the fields of a protocol buffer message: calls visit with number, value and bytes of each.
func fields(message []byte, visit func(number uint64, value uint64, content []byte)) {
	for len(message) > 0 {
		key, size := binary.Uvarint(message)
		message = message[size:]
		value, size := binary.Uvarint(message)
		message = message[size:]
		var content []byte
		if key&7 == 2 {
			content, message = message[:value], message[value:]
		}
		visit(key>>3, value, content)
	}
}

// Number of samples of a profile (profile.proto: sample = 2, in it value = 2; two of them are not
// packed, and the first is the count).
func samples(profile []byte) (total uint64) {
	reader, err := gzip.NewReader(bytes.NewReader(profile))
	if err != nil {
		panic(err)
	}
	plain, err := io.ReadAll(reader)
	if err != nil {
		panic(err)
	}
	fields(plain, func(number, _ uint64, sample []byte) {
		if number != 2 {
			return
		}
		isFirst := true
		fields(sample, func(number, count uint64, _ []byte) {
			if number == 2 && isFirst {
				total += count
				isFirst = false
			}
		})
	})
	return total
}

func profiled(work func()) (uint64, time.Duration) {
	var profile bytes.Buffer
	if err := pprof.StartCPUProfile(&profile); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	begin := used()
	work()
	duration := used() - begin
	pprof.StopCPUProfile()
	return samples(profile.Bytes()), duration
}

func main() {
	asleep, duration := profiled(func() { time.Sleep(500 * time.Millisecond) })
	fmt.Println("asleep:", asleep <= uint64(duration/tick)+3 && duration < 250*time.Millisecond)
	busy, duration := profiled(func() {
		var group sync.WaitGroup
		for i := 0; i < 4; i++ {
			group.Add(1)
			go func() { defer group.Done(); compute(600 * time.Millisecond) }()
		}
		group.Wait()
	})
	expected := uint64(duration / tick)
	fmt.Println("busy:", busy*10 >= expected*6 && busy*10 <= expected*13)
	if len(os.Args) > 1 {
		fmt.Println(asleep, busy, expected)
	}
}
