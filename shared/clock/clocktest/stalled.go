// Package clocktest has a clock whose monotonic part stands still, as in a frozen Lambda environment.
package clocktest

import (
	"sync"
	"testing"
	"time"
	"unsafe"
)

// Stalled is a clock for tests. Its wall clock moves with Move alone, and the monotonic reading of its times
// never moves. It is safe for concurrent use.
type Stalled struct {
	mu  sync.Mutex
	now time.Time
}

// New returns a clock that begins at the present time. It fails the test if this version of Go builds
// time.Time in another way than Move expects.
func New(t *testing.T) *Stalled {
	t.Helper()
	c := &Stalled{now: time.Now()}
	before := c.Now()
	c.Move(time.Hour)
	after := c.Now()
	c.Move(-time.Hour)
	if after.Sub(before) != 0 || after.Round(0).Sub(before.Round(0)) != time.Hour || !c.Now().Round(0).Equal(before.Round(0)) {
		t.Fatal("time.Time has another layout: the monotonic part of the clock does not stand still")
	}
	return c
}

// Now returns the time.
func (c *Stalled) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Move moves the wall clock by whole seconds, backwards too. The monotonic clock stays.
func (c *Stalled) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// The layout of time.Time with a monotonic reading: the seconds of the wall clock from bit 30 on.
	wall := (*uint64)(unsafe.Pointer(&c.now))
	*wall += uint64(d/time.Second) << 30
}
