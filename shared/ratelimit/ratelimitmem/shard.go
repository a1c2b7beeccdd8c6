package ratelimitmem

import (
	"container/heap"
	"sync"

	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// shard has a part of the subjects. Callers hold mu.
type shard struct {
	mu       sync.Mutex
	subjects map[ratelimit.Subject]*entry
	order    order
	size     int
}

// entry is one subject. freshAt is when it is as if it had never been seen.
type entry struct {
	subject ratelimit.Subject
	states  []ratelimit.State
	freshAt int64
	index   int // in order
}

// states returns the subject's states, one for each policy.
func (s *shard) states(subject ratelimit.Subject, policies []ratelimit.Policy) []ratelimit.State {
	if e := s.subjects[subject]; e != nil {
		return e.states
	}
	return make([]ratelimit.State, len(policies))
}

// put keeps the subject's states. If the shard is full, it forgets the subject that is fresh first.
func (s *shard) put(subject ratelimit.Subject, states []ratelimit.State, policies []ratelimit.Policy) {
	var freshAt int64
	for i := range policies {
		freshAt = max(freshAt, policies[i].FreshAt(subject, states[i]))
	}
	if e := s.subjects[subject]; e != nil {
		e.states, e.freshAt = states, freshAt
		heap.Fix(&s.order, e.index)
		return
	}
	if len(s.subjects) >= s.size {
		delete(s.subjects, heap.Pop(&s.order).(*entry).subject) //nolint:forcetypeassert // order has nothing else
	}
	e := &entry{subject: subject, states: states, freshAt: freshAt}
	s.subjects[subject] = e
	heap.Push(&s.order, e)
}

// order is a heap.Interface of the entries, with the one that is fresh first at the top.
type order []*entry

func (o order) Len() int           { return len(o) }
func (o order) Less(i, j int) bool { return o[i].freshAt < o[j].freshAt }
func (o order) Swap(i, j int) {
	o[i], o[j] = o[j], o[i]
	o[i].index, o[j].index = i, j
}

// Push implements heap.Interface.
func (o *order) Push(x any) {
	e := x.(*entry) //nolint:forcetypeassert // order has nothing else
	e.index = len(*o)
	*o = append(*o, e)
}

// Pop implements heap.Interface.
func (o *order) Pop() any {
	last := len(*o) - 1
	e := (*o)[last]
	(*o)[last] = nil
	*o = (*o)[:last]
	return e
}
