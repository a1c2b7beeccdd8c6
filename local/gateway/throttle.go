package gateway

import (
	"sync"
	"time"
)

// Throttle is a token bucket, as stages and routes have it.
type Throttle struct {
	// Rate is how many requests a second are let in, in the long run.
	Rate float64
	// Burst is how many may come at once.
	Burst int
}

// bucket is the state of a Throttle.
type bucket struct {
	Throttle
	mu     sync.Mutex
	tokens float64
	at     time.Time
}

// newBucket returns a full bucket, or nil, which lets everything in, without limits.
func newBucket(t *Throttle) *bucket {
	if t == nil {
		return nil
	}
	return &bucket{Throttle: *t, tokens: float64(t.Burst)}
}

// take lets one request in, or not.
func (b *bucket) take(now time.Time) bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.at.IsZero() && now.After(b.at) {
		b.tokens = min(float64(b.Burst), b.tokens+now.Sub(b.at).Seconds()*b.Rate)
	}
	if b.at.IsZero() || now.After(b.at) {
		b.at = now
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
