package ratelimit

import (
	"container/list"
	"context"
	"errors"
	"hash/maphash"
	"sync"
	"time"

	"github.com/tienda-dev/tienda/shared/clock"
	"github.com/tienda-dev/tienda/shared/metrics"
)

// CachePrefix and the name of the first policy are the name of a Guard's remembered denials in metrics.
const CachePrefix = "denials."

// denyCache remembers denials of one Guard: its policies, with their limits and versions, cannot change, so the subject
// alone is the key. It keeps a hash of the subject with a random seed. It holds the newest entries.
type denyCache struct {
	size int
	life time.Duration
	seed maphash.Seed

	mu      sync.Mutex
	entries map[uint64]*list.Element
	order   list.List // of *denial, the one that was used last in front
	evicted int       // since the last call of counts
}

// denial is a decision of the store. A Take of cost units or more is denied from at until it ends.
type denial struct {
	key      uint64
	decision Decision
	cost     int64
	at, ends time.Time
}

func newDenyCache(size int, life time.Duration) *denyCache {
	return &denyCache{size: size, life: life, seed: maphash.MakeSeed(), entries: map[uint64]*list.Element{}}
}

func (c *denyCache) key(subject Subject) uint64 { return maphash.String(c.seed, string(subject)) }

// put remembers a denied decision, until the earliest time at which the store could admit cost units.
func (c *denyCache) put(subject Subject, cost int64, d Decision, now time.Time) {
	life := min(c.life, earliest(d))
	if life <= 0 {
		return
	}
	at := now
	if decided := time.UnixMicro(d.At); clock.Fresh(decided, now, clockJump) {
		at = decided // the answer took a while to arrive
	}
	e := &denial{key: c.key(subject), decision: d, cost: cost, at: at, ends: at.Add(life)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.entries[e.key]; ok {
		old.Value = e
		c.order.MoveToFront(old)
		return
	}
	c.entries[e.key] = c.order.PushFront(e)
	if c.order.Len() > c.size {
		c.remove(c.order.Back())
		c.evicted++
	}
}

// counts returns how many denials there are, and how many were dropped since the last call because there was no room.
func (c *denyCache) counts() (entries, evicted int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	entries, evicted = c.order.Len(), c.evicted
	c.evicted = 0
	return entries, evicted
}

// earliest returns how long after a denial the same Take could be admitted at the soonest. A sliding log that gets more
// units before then ends the entry too: how many it has from there on, only the store knows.
func earliest(d Decision) time.Duration {
	var wait time.Duration
	for _, r := range d.Results {
		if !r.Allowed && !r.Policy.Shadow {
			wait = max(wait, r.RetryAfter)
		}
	}
	for _, r := range d.Results {
		if r.Policy.Algorithm == SlidingLog && r.MoreAfter > 0 {
			wait = min(wait, r.MoreAfter)
		}
	}
	return wait
}

// get returns the decision about cost units (0 is a Peek of one) if it is a denial that is remembered.
func (c *denyCache) get(subject Subject, cost int64, now time.Time) (Decision, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.entries[c.key(subject)]
	if !ok {
		return Decision{}, false
	}
	e := element.Value.(*denial)
	if !now.Before(e.ends) || now.Before(e.at.Add(-clockJump)) {
		c.remove(element)
		return Decision{}, false
	}
	if max(cost, 1) < e.cost { // fewer units may be admitted
		return Decision{}, false
	}
	c.order.MoveToFront(element)
	return e.after(subject, cost, now), true
}

// missed records a call about a subject without a remembered denial, which ended with err.
func (g *Guard) missed(ctx context.Context, start time.Time, err error) {
	m := metrics.From(ctx)
	if m == nil {
		return
	}
	if errors.Is(err, ErrSubjectThrottled) { // which is an answer
		err = nil
	}
	result := metrics.CacheMiss
	if err != nil {
		result = metrics.CacheError
	}
	m.Cache(ctx, g.cache, result)
	m.CacheLoaded(ctx, g.cache, max(0, g.now().Sub(start)), err)
	entries, evicted := g.denials.counts()
	m.CacheSize(ctx, g.cache, entries, evicted)
}

// drop forgets the subject.
func (c *denyCache) drop(subject Subject) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, ok := c.entries[c.key(subject)]; ok {
		c.remove(element)
	}
}

func (c *denyCache) remove(element *list.Element) {
	c.order.Remove(element)
	delete(c.entries, element.Value.(*denial).key)
}

// after returns the decision as the store would say it at now, if nobody has taken, given back or reset since. For more
// units than were denied, RetryAfter is exact for GCRA and the least that it can be for others.
func (e *denial) after(subject Subject, cost int64, now time.Time) Decision {
	d := e.decision
	elapsed := max(0, now.Truncate(time.Microsecond).Sub(e.at)) // stores count microseconds
	d.Source, d.Subject, d.Cost, d.At = FromCache, subject, cost, now.UnixMicro()
	d.Results = make([]Result, len(e.decision.Results))
	for i, r := range e.decision.Results {
		if more := max(cost, 1) - e.cost; !r.Allowed && r.Policy.Algorithm == GCRA {
			r.RetryAfter += micros(more * r.Policy.Interval())
		}
		d.Results[i] = r.after(elapsed)
	}
	return d
}

// after returns the result when time has passed and nobody has taken units.
func (r Result) after(elapsed time.Duration) Result {
	if !r.Allowed {
		r.RetryAfter -= elapsed
		if r.RetryAfter <= 0 {
			r.Allowed, r.RetryAfter = true, 0
		}
	}
	r.MoreAfter -= elapsed
	if r.MoreAfter > 0 {
		return r
	}
	if r.Policy.Algorithm != GCRA { // a window that is over; the entry of a log has ended
		r.Remaining, r.MoreAfter = r.Policy.Capacity(), 0
		return r
	}
	interval := micros(r.Policy.Interval())
	more := int64(-r.MoreAfter/interval) + 1
	r.Remaining = min(r.Policy.Capacity(), r.Remaining+more)
	r.MoreAfter += micros(more * r.Policy.Interval())
	if r.Remaining == r.Policy.Capacity() {
		r.MoreAfter = 0
	}
	return r
}
