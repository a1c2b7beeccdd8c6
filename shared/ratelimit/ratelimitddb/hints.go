package ratelimitddb

import (
	"slices"
	"sync"

	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// hint is what this instance has last seen of a subject for one policy. It only chooses the expression that is tried
// first, and never decides.
type hint struct {
	// tat is a GCRA's theoretical arrival time.
	tat int64
	// exists is whether the item has a sliding log.
	exists bool
	// deniedUntil is when the policy would have admitted after its last denial; only used in shadow mode.
	deniedUntil int64
	// busy is how often the subject was not new or idle where nothing here said so: a moving average from 0 to 1. A client
	// that loads pages of many requests mostly is busy, although this instance has not seen the requests before.
	busy float64
	// stale has the windows that the item still has and that no instance counts in any longer.
	stale []int64
}

// maxStale is how many stale windows one request removes.
const maxStale = 20

// weight is how much one outcome moves a moving average.
const weight = 1.0 / 4

// hints are the hints of this instance, by partition key. It is safe for concurrent use.
type hints struct {
	max int

	mu    sync.Mutex
	known map[string][]hint
	// busy is hint.busy of all unknown subjects, for each policy.
	busy []float64
}

func newHints(limit, policies int) *hints {
	return &hints{max: limit, known: make(map[string][]hint), busy: make([]float64, policies)}
}

// guess writes the path that is most likely right for each policy into paths, and the stale windows into stale.
func (h *hints) guess(pk string, slots []slot, subject ratelimit.Subject, now int64, paths []path, stale [][]int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	known, ok := h.known[pk]
	for i := range slots {
		s := &slots[i]
		stale[i] = stale[i][:0]
		if !ok {
			paths[i] = s.path(h.busy[i] > 0.5, true)
			continue
		}
		k := &known[i]
		paths[i] = s.path(k.exists || k.tat > now || k.busy > 0.5, !s.policy.Shadow || k.deniedUntil <= now)
		for _, w := range k.stale {
			if s.policy.StaleWindow(subject, w, now) { // the clock may have been set back
				stale[i] = append(stale[i], w)
			}
		}
	}
}

// learn remembers what a decision has shown. removed has the stale windows that its write has removed.
func (h *hints) learn(pk string, slots []slot, before, after []ratelimit.State, d ratelimit.Decision, removed [][]int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	known, ok := h.known[pk]
	if !ok {
		for i := range slots {
			h.busy[i] = moved(h.busy[i], slots[i].started(before[i], d.At))
		}
		if len(h.known) >= h.max {
			for other := range h.known { // any: the worst is one guess
				delete(h.known, other)
				break
			}
		}
		known = make([]hint, len(slots))
		for i := range known {
			known[i].busy = h.busy[i]
		}
		h.known[pk] = known
	}
	for i := range slots {
		k, p := &known[i], slots[i].policy
		if ok && !k.exists && k.tat <= d.At {
			k.busy = moved(k.busy, slots[i].started(before[i], d.At))
		}
		k.tat, k.exists = after[i].TAT, len(after[i].Log) > 0
		k.deniedUntil = d.At + d.Results[i].RetryAfter.Microseconds()
		k.stale = k.stale[:0]
		var gone []int64
		if len(removed) > i {
			gone = removed[i]
		}
		for w := range before[i].Windows {
			if len(k.stale) < maxStale && p.StaleWindow(d.Subject, w, d.At) && !slices.Contains(gone, w) {
				k.stale = append(k.stale, w)
			}
		}
	}
}

func moved(average float64, toOne bool) float64 {
	average *= 1 - weight
	if toOne {
		average += weight
	}
	return average
}

// refunded forgets what a refund has changed: units are there again, and a GCRA is idle earlier.
func (h *hints) refunded(pk string, slots []slot, cost int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	known := h.known[pk]
	for i := range known {
		known[i].deniedUntil = 0
		if p := slots[i].policy; p.Algorithm == ratelimit.GCRA {
			known[i].tat -= cost * p.Interval()
		}
	}
}

func (h *hints) forget(pk string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.known, pk)
}
