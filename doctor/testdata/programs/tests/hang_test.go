// Package tests has tests that hang, or wait in order, for dumps of a test
// binary. Nothing runs them but the test of the corpus.
package tests

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestHangs(t *testing.T) {
	done := make(chan bool)
	go func() {
		var mu sync.Mutex
		mu.Lock()
		mu.Lock()
		done <- true
	}()
	<-done
}

func TestBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := make(chan int)
		go func() { c <- 1 }()
		<-make(chan int)
	})
}

func TestParallel(t *testing.T) {
	for range 12 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			time.Sleep(time.Minute)
		})
	}
}
