package gateway

import (
	"sync"
	"time"
)

// Throttle is a token bucket, as stages and routes have it.
type Throttle struct {
	// Rate is how many requests per second are accepted on average.
	Rate float64
	// Burst is how many requests are accepted at once.
	Burst int
}

// bucket is the state of a Throttle.
type bucket struct {
	Throttle
	mu     sync.Mutex
	tokens float64
	at     time.Time
}

// newBucket returns a full bucket, or nil for no limit.
func newBucket(t *Throttle) *bucket {
	if t == nil {
		return nil
	}
	return &bucket{Throttle: *t, tokens: float64(t.Burst)}
}

// take reports whether one more request is accepted. A nil bucket accepts all.
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
