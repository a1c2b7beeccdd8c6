package ratelimit

import (
	"sync"
	"time"
)

// Breaker stops calls to a store that fails: after 5 failures in a row, or when half of the last 20 calls have failed.
// It is open for 1 s, then lets one call through. If that fails too, it opens for twice as long, at most 5 s. Its times
// are of the wall clock, because a frozen Lambda stops the monotonic one; if the clock is set back by more than a
// second, the time is over. A Breaker is safe for concurrent use.
type Breaker struct {
	mu       sync.Mutex
	calls    [breakerWindow]bool // whether the last calls have failed
	count    int                 // how many of calls there are
	next     int                 // where the next one goes
	failures int                 // how many of calls have failed
	inRow    int
	open     bool
	probing  bool
	since    time.Time
	wait     time.Duration
}

const (
	breakerWindow  = 20
	breakerInRow   = 5
	breakerFirst   = time.Second
	breakerLongest = 5 * time.Second
	// clockJump is how far back the clock may be set before what it has measured counts as lost.
	clockJump = time.Second
)

// NewBreaker returns a closed breaker.
func NewBreaker() *Breaker { return &Breaker{} }

type outcome int

const (
	unknown outcome = iota // nothing is known about the store
	success
	failure
)

// change is what an outcome has done to a breaker.
type change int

const (
	unchanged change = iota
	opened
	closed
)

// allow reports whether a call may be made, and whether it is the one probe of an open breaker. done must follow.
func (b *Breaker) allow(now time.Time) (probe, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.open {
		return false, true
	}
	waits := now.Before(b.since.Add(b.wait)) && !now.Before(b.since.Add(-clockJump))
	if waits || b.probing {
		return false, false
	}
	b.probing = true
	return true, true
}

// done takes the outcome of a call that allow has let through.
func (b *Breaker) done(now time.Time, probe bool, o outcome) change {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case probe:
		return b.probed(now, o)
	case b.open || o == unknown: // a call from before the breaker opened says nothing new
		return unchanged
	}
	b.record(o == failure)
	if b.inRow < breakerInRow && (b.count < breakerWindow || 2*b.failures < breakerWindow) {
		return unchanged
	}
	b.open, b.since, b.wait = true, now, breakerFirst
	return opened
}

func (b *Breaker) probed(now time.Time, o outcome) change {
	b.probing = false
	switch o {
	case success:
		b.calls, b.count, b.next, b.failures, b.inRow, b.open = [breakerWindow]bool{}, 0, 0, 0, 0, false
		return closed
	case failure:
		b.since, b.wait = now, min(2*b.wait, breakerLongest)
	case unknown: // the next call is the probe
	}
	return unchanged
}

func (b *Breaker) record(failed bool) {
	if b.calls[b.next] {
		b.failures--
	}
	b.calls[b.next] = failed
	b.next = (b.next + 1) % breakerWindow
	b.count = min(b.count+1, breakerWindow)
	b.inRow++
	if failed {
		b.failures++
	} else {
		b.inRow = 0
	}
}
