// Package ratelimitmem limits in memory, for one process: with the arithmetic of every other store, so that it is their
// oracle in tests, and what an instance falls back to when the shared store fails. It has a bounded number of
// subjects.
package ratelimitmem

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"time"

	"github.com/tienda-dev/tienda/shared/clock"
	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// Config configures a Limiter. Its zero value works.
type Config struct {
	// Now is the clock; the default is time.Now.
	Now func() time.Time
	// MaxSubjects is how many subjects are counted at most; the default is 10,000. When there are more, the subject that
	// would be forgotten first is forgotten early: one whose units time has given back, or else the one that is
	// nearest to it.
	MaxSubjects int
}

const (
	defaultMaxSubjects = 10_000
	maxShards          = 16
	minShard           = 1024 // subjects, so that shards fill evenly
)

// Limiter is a ratelimit.Limiter in memory. It is exact for the subjects that it has.
type Limiter struct {
	policies []ratelimit.Policy
	now      func() time.Time
	seed     maphash.Seed
	shards   []shard
}

var _ ratelimit.Limiter = (*Limiter)(nil)

// New returns a limiter without subjects, or an error that names what is wrong with the policies or the
// configuration.
func New(policies []ratelimit.Policy, cfg Config) (*Limiter, error) {
	if err := ratelimit.ValidatePolicies(policies); err != nil {
		return nil, fmt.Errorf("ratelimitmem: %w", err)
	}
	if cfg.MaxSubjects < 0 {
		return nil, errors.New("ratelimitmem: MaxSubjects must be 0 or more")
	}
	if cfg.MaxSubjects == 0 {
		cfg.MaxSubjects = defaultMaxSubjects
	}
	if cfg.Now == nil {
		cfg.Now = time.Now //nolint:forbidigo // the default of a clock that the caller may set
	}
	shards := make([]shard, min(max(cfg.MaxSubjects/minShard, 1), maxShards))
	for i := range shards {
		shards[i] = shard{subjects: map[ratelimit.Subject]*entry{}, size: cfg.MaxSubjects / len(shards)}
	}
	return &Limiter{policies: slices.Clone(policies), now: clock.Wall(cfg.Now), seed: maphash.MakeSeed(), shards: shards}, nil
}

// Instant implements middleware.Instant: it waits for nothing.
func (l *Limiter) Instant() bool { return true }

// Take implements ratelimit.Limiter. The context has no effect.
func (l *Limiter) Take(_ context.Context, subject ratelimit.Subject, cost int64) (ratelimit.Decision, error) {
	if err := ratelimit.ValidateCost(l.policies, cost); err != nil {
		return ratelimit.Decision{}, fmt.Errorf("ratelimitmem: %w", err)
	}
	s := l.lock(subject)
	defer s.mu.Unlock()
	decision, states := ratelimit.Decide(l.policies, subject, s.states(subject, l.policies), l.now().UnixMicro(), cost)
	if decision.Took() {
		s.put(subject, states, l.policies)
	}
	return decision, nil
}

// Peek implements ratelimit.Limiter. The context has no effect.
func (l *Limiter) Peek(_ context.Context, subject ratelimit.Subject) (ratelimit.Decision, error) {
	s := l.lock(subject)
	defer s.mu.Unlock()
	return ratelimit.Look(l.policies, subject, s.states(subject, l.policies), l.now().UnixMicro()), nil
}

// Refund implements ratelimit.Limiter. The context has no effect.
func (l *Limiter) Refund(_ context.Context, taken ratelimit.Decision) error {
	s := l.lock(taken.Subject)
	defer s.mu.Unlock()
	states, err := ratelimit.Undo(l.policies, s.states(taken.Subject, l.policies), taken, l.now().UnixMicro())
	if err == nil && s.subjects[taken.Subject] != nil {
		s.put(taken.Subject, states, l.policies)
	}
	return err
}

// Reset implements ratelimit.Limiter. The context has no effect.
func (l *Limiter) Reset(_ context.Context, subject ratelimit.Subject) error {
	s := l.lock(subject)
	defer s.mu.Unlock()
	if e := s.subjects[subject]; e != nil {
		heap.Remove(&s.order, e.index)
		delete(s.subjects, subject)
	}
	return nil
}

// Policies implements ratelimit.Limiter.
func (l *Limiter) Policies() []ratelimit.Policy { return l.policies }

// lock locks the subject's shard.
func (l *Limiter) lock(subject ratelimit.Subject) *shard {
	s := &l.shards[maphash.String(l.seed, string(subject))%uint64(len(l.shards))]
	s.mu.Lock()
	return s
}
