package ratelimitmem_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimitmem"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimittest"
)

var perMinute = []ratelimit.Policy{{Name: "minute", Limit: 60, Window: time.Minute, Burst: 10}}

func bounded(t *testing.T, clock *ratelimittest.Clock, subjects int) *ratelimitmem.Limiter {
	t.Helper()
	l, err := ratelimitmem.New(perMinute, ratelimitmem.Config{Now: clock.Now, MaxSubjects: subjects})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// take returns how many units the subject has left.
func take(t *testing.T, l ratelimit.Limiter, subject string, cost int64) int64 {
	t.Helper()
	d, err := l.Take(t.Context(), ratelimit.NewSubject(subject), cost)
	if err != nil {
		t.Fatal(err)
	}
	return d.Results[0].Remaining
}

// The subject that is forgotten is one that time has forgotten, or else the one that has taken least.
func TestForgetsWhatIsFreshFirst(t *testing.T) {
	t.Parallel()
	clock := ratelimittest.NewClock()
	l := bounded(t, clock, 3)
	take(t, l, "spent", 9)
	take(t, l, "fresh-soon", 2)
	take(t, l, "light", 4)
	clock.Move(2 * time.Second)
	take(t, l, "fourth", 5) // forgets fresh-soon
	if got := take(t, l, "spent", 1); got != 2 {
		t.Errorf("%d units of a subject with 10 taken are left after 2 seconds", got)
	}
	if got := take(t, l, "light", 1); got != 7 {
		t.Errorf("%d units of a subject with 5 taken are left after 2 seconds", got)
	}
	take(t, l, "fifth", 6) // all are live: forgets light
	if got := take(t, l, "spent", 1); got != 1 {
		t.Errorf("a new subject made an old one forget: %d units left", got)
	}
	if got := take(t, l, "light", 1); got != 9 {
		t.Errorf("%d units are left of a subject that is forgotten", got)
	}
}

// Reset leaves no entry in the order, and a place for another subject.
func TestResetMakesPlace(t *testing.T) {
	t.Parallel()
	l := bounded(t, ratelimittest.NewClock(), 3)
	for _, s := range []string{"a", "b", "c"} {
		take(t, l, s, 3)
	}
	if err := l.Reset(t.Context(), ratelimit.NewSubject("b")); err != nil {
		t.Fatal(err)
	}
	take(t, l, "d", 1)
	for _, s := range []string{"a", "c"} {
		if got := take(t, l, s, 1); got != 6 {
			t.Errorf("%s has %d units left", s, got)
		}
	}
}

// However many subjects there are, the limiter has at most MaxSubjects: of those, each has fewer units than at first.
func TestNeverHasMoreSubjects(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 3000} {
		l := bounded(t, ratelimittest.NewClock(), size)
		var group sync.WaitGroup
		for worker := range 4 {
			group.Go(func() {
				for i := range 1500 {
					if _, err := l.Take(t.Context(), ratelimit.NewSubject("s", fmt.Sprint(worker, i)), 1); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		known := 0
		for worker := range 4 {
			for i := range 1500 {
				d, err := l.Peek(t.Context(), ratelimit.NewSubject("s", fmt.Sprint(worker, i)))
				if err != nil {
					t.Fatal(err)
				}
				if d.Results[0].Remaining < 10 {
					known++
				}
			}
		}
		if known > size || known < size*9/10 {
			t.Errorf("%d subjects are known, at most %d may be", known, size)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct {
		policies []ratelimit.Policy
		cfg      ratelimitmem.Config
	}{
		"needs a policy": {nil, ratelimitmem.Config{}},
		"Limit":          {[]ratelimit.Policy{{Name: "a", Window: time.Second}}, ratelimitmem.Config{}},
		"MaxSubjects":    {perMinute, ratelimitmem.Config{MaxSubjects: -1}},
	} {
		if _, err := ratelimitmem.New(c.policies, c.cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := ratelimitmem.New(perMinute, ratelimitmem.Config{}); err != nil {
		t.Errorf("the zero configuration: %v", err)
	}
}

//nolint:paralleltest // testing.AllocsPerRun counts the allocations of all goroutines
func TestAllocations(t *testing.T) {
	for name, policies := range benchmarked() {
		l, err := ratelimitmem.New(policies, ratelimitmem.Config{})
		if err != nil {
			t.Fatal(err)
		}
		subject := ratelimit.NewSubject("user", "7")
		got := testing.AllocsPerRun(500, func() {
			if _, err := l.Take(t.Context(), subject, 1); err != nil {
				t.Error(err)
			}
		})
		if got > 10 {
			t.Errorf("%s: %v allocations per decision, want at most 10", name, got)
		}
	}
}

func benchmarked() map[string][]ratelimit.Policy {
	gcra := ratelimit.Policy{Name: "gcra", Limit: 300, Window: time.Minute, Burst: 60}
	window := ratelimit.Policy{Name: "window", Algorithm: ratelimit.FixedWindow, Limit: 5000, Window: time.Hour}
	log := ratelimit.Policy{Name: "log", Algorithm: ratelimit.SlidingLog, Limit: ratelimit.MaxLog, Window: time.Minute}
	return map[string][]ratelimit.Policy{
		"GCRA": {gcra}, "FixedWindow": {window}, "SlidingLog": {log}, "Three": {gcra, window, log},
	}
}

// BenchmarkTake has 4,000 subjects with a request per second each: every decision admits, which costs more than a
// denial.
func BenchmarkTake(b *testing.B) {
	subjects := make([]ratelimit.Subject, 4000)
	for i := range subjects {
		subjects[i] = ratelimit.NewSubject("user", strconv.Itoa(i))
	}
	for name, policies := range benchmarked() {
		b.Run(name, func(b *testing.B) {
			clock := ratelimittest.NewClock()
			l, err := ratelimitmem.New(policies, ratelimitmem.Config{Now: clock.Now})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				clock.Move(250 * time.Microsecond)
				if _, err := l.Take(b.Context(), subjects[i%len(subjects)], 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A subject that takes again is forgotten later.
func TestForgetsByTheNewestTake(t *testing.T) {
	t.Parallel()
	l := bounded(t, ratelimittest.NewClock(), 2)
	take(t, l, "again", 1)
	take(t, l, "once", 3)
	take(t, l, "again", 7)
	take(t, l, "third", 1)
	if got := take(t, l, "again", 1); got != 1 {
		t.Errorf("%d units are left of the subject that has taken most", got)
	}
}
