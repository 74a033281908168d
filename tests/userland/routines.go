// Goroutines, channels, timers, the collector, preemption by signals, a nil dereference.
package main

import (
	"fmt"
	"runtime"
	"sync"
	"time"
)

func fib(n int) int {
	if n < 2 {
		return n
	}
	return fib(n-1) + fib(n-2)
}

func main() {
	var group sync.WaitGroup
	results := make(chan int, 10)
	sum := 0
	for i := 0; i < 50; i++ {
		group.Add(1)
		go func(i int) { defer group.Done(); results <- fib(20 + i%5) }(i)
	}
	go func() { group.Wait(); close(results) }()
	for n := range results {
		sum += n
	}
	<-time.After(10 * time.Millisecond)
	runtime.GC()
	defer func() { fmt.Println(sum, recover() != nil) }()
	var p *int
	*p = 1
}
