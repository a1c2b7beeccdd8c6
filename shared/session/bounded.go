package session

import (
	"sync"
	"time"
)

// bounded remembers until when something holds, for at most twice as many keys as its limit: when
// the young half is full it becomes the old one, which is dropped. What is forgotten is asked again.
type bounded struct {
	limit int

	mu         sync.Mutex
	young, old map[string]int64 // milliseconds since 1970
}

func newBounded(limit int) *bounded { return &bounded{limit: limit, young: map[string]int64{}} }

// has reports whether key is known to hold now.
func (b *bounded) has(key string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	until, ok := b.young[key]
	if !ok {
		until, ok = b.old[key]
	}
	return ok && now.UnixMilli() < until
}

func (b *bounded) add(key string, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.young) >= b.limit {
		b.old, b.young = b.young, make(map[string]int64, b.limit)
	}
	b.young[key] = until.UnixMilli()
}

func (b *bounded) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.young, b.old = map[string]int64{}, nil
}
