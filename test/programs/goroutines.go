// 10,000 goroutines, the collector, preemption of a loop without calls, and a program started.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"
)

func main() {
	results := make(chan int)
	var group sync.WaitGroup
	for number := 0; number < 10000; number++ {
		group.Add(1)
		go func(number int) {
			defer group.Done()
			kept := make([][]byte, 0, 8)
			for round := 0; round < 8; round++ {
				kept = append(kept, make([]byte, 256))
			}
			runtime.Gosched()
			results <- number + len(kept)
		}(number)
	}
	go func() { group.Wait(); close(results) }()
	sum := 0
	for result := range results {
		sum += result
	}
	runtime.GC()
	var statistics runtime.MemStats
	runtime.ReadMemStats(&statistics)
	fmt.Println(sum, statistics.NumGC > 0)

	// Only a signal can take the processor from this loop.
	stop := false
	go func() {
		for n := uint64(0); !stop; n++ {
		}
	}()
	time.Sleep(20 * time.Millisecond)
	runtime.GC()
	fmt.Println("preempted")

	command := exec.Command("tr", "a-z", "A-Z")
	command.Stdin = strings.NewReader("through pipes\n")
	output, err := command.Output()
	fmt.Print(string(output), err, "\n")
	err = exec.Command("sh", "-c", "exit 5").Run()
	fmt.Println(err)
	zone, err := time.LoadLocation("Europe/Berlin")
	fmt.Println(time.Unix(1e9, 0).In(zone), err)
	os.Exit(4)
}
