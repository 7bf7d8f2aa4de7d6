// Goroutines on several threads, timers, maps, files and the garbage collector.
package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strings"
	"sync"
	"time"
)

func main() {
	var group sync.WaitGroup
	var lock sync.Mutex
	found := map[string]int{}
	for worker := 0; worker < 8; worker++ {
		group.Add(1)
		go func(worker int) {
			defer group.Done()
			runtime.LockOSThread()
			for round := 0; round < 50; round++ {
				garbage := strings.Repeat("x", 1000+round)
				digest := sha256.Sum256([]byte(fmt.Sprint(worker, round, len(garbage))))
				lock.Lock()
				found[fmt.Sprintf("%02x", digest[0]>>4)]++
				lock.Unlock()
			}
		}(worker)
	}
	group.Wait()
	runtime.GC()
	select {
	case <-time.After(5 * time.Millisecond):
		fmt.Println("the timer fired")
	}
	keys := []string{}
	for key := range found {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		fmt.Println(key, found[key])
	}
	if _, err := os.ReadFile("/no/such/file"); err != nil {
		fmt.Println(err)
	}
	if err := os.WriteFile("/tmp/greeting", []byte("hello from Go\n"), 0o644); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	text, _ := os.ReadFile("/tmp/greeting")
	fmt.Print(string(text))
	os.Exit(len(os.Args) - 1)
}
