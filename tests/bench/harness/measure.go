package harness

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Cold is what one start and the first invocation took.
type Cold struct {
	// Init is from the start of the process to its first request for an event, First from the first event to its response.
	Init, First time.Duration
	// InitUsage is the usage at the end of INIT.
	InitUsage Usage
}

// ColdConfig describes cold starts.
type ColdConfig struct {
	// Folder is where the process runs and writes its output.
	Folder string
	// Evict starts a new copy of the binary that is not in the page cache. Where a file lies on the disk changes what its
	// start takes by up to a tenth: with a copy for each start, many starts are in many places.
	Evict bool
	// Quota bounds the processor time from the end of INIT on. Nil does not.
	Quota *Quota
	// Limit is how long INIT may take. 0 is 10 s.
	Limit time.Duration
}

// StartCold starts the subject once, and invokes it once.
func StartCold(ctx context.Context, s Subject, cfg ColdConfig) (Cold, error) {
	if cfg.Evict {
		var err error
		if s.Binary, err = copyOf(s.Binary); err != nil {
			return Cold{}, err
		}
		defer os.Remove(s.Binary)
		if err := Evict(s.Binary); err != nil {
			return Cold{}, err
		}
	}
	e, err := start(ctx, s, cfg.Folder, cmp.Or(cfg.Limit, readyLimit))
	if err != nil {
		return Cold{}, err
	}
	defer e.Stop()
	c := Cold{Init: e.Init()}
	if c.InitUsage, err = e.Usage(); err != nil {
		return Cold{}, err
	}
	if cfg.Evict {
		info, err := os.Stat(s.Binary)
		if err != nil {
			return Cold{}, err
		}
		if read := c.InitUsage.ReadBytes; read < info.Size()/4 { // most of it came from the cache after all
			return Cold{}, notMeasured("page cache", fmt.Errorf("the start of %s read %d of %d bytes from the disk", s.Name, read, info.Size()))
		}
	}
	if cfg.Quota != nil {
		if err := cfg.Quota.Add(e.PID()); err != nil {
			return Cold{}, notMeasured("quota", err)
		}
	}
	done, err := e.Invoke(ctx, 1)
	if err != nil {
		return Cold{}, err
	}
	c.First = done[0].Latency()
	return c, nil
}

// copyOf returns the path of a copy of a binary, beside it.
func copyOf(binary string) (string, error) {
	text, err := os.ReadFile(binary)
	if err != nil {
		return "", err
	}
	path := binary + ".copy"
	return path, os.WriteFile(path, text, 0o755)
}

// Warm is what many invocations of one warm environment took.
type Warm struct {
	// Init is the time from the start of the process to its first request for an event.
	Init time.Duration
	// Latencies and Turns are those of each invocation.
	Latencies, Turns []time.Duration
	// Took is the time of all of them, from the first event until the environment was idle.
	Took time.Duration
	// CPU is the processor time of the function for one invocation, with what it does after the response.
	CPU time.Duration
	// RSS is the resident memory at the end, in bytes.
	RSS int64
	// MinorFaults is how many page faults one invocation has.
	MinorFaults float64
	// Trips are the calls of each invocation.
	Trips []Trips
}

// WarmConfig describes a warm round.
type WarmConfig struct {
	Folder string
	// Before is how many invocations come first and are not measured, Count how many are measured.
	Before, Count int
	// Backends note the calls. Nil does not look at them, as for a process that takes several events at the same time.
	Backends *Backends
}

// RunWarm starts the subject, warms it up, and measures.
func RunWarm(ctx context.Context, s Subject, cfg WarmConfig) (Warm, error) {
	e, err := Start(ctx, s, cfg.Folder)
	if err != nil {
		return Warm{}, err
	}
	defer e.Stop()
	if cfg.Before > 0 {
		if _, err := e.Invoke(ctx, cfg.Before); err != nil {
			return Warm{}, err
		}
	}
	return e.measure(ctx, cfg)
}

// measure invokes and returns what that took.
func (e *Environment) measure(ctx context.Context, cfg WarmConfig) (Warm, error) {
	if cfg.Backends != nil {
		if _, err := cfg.Backends.Take(); err != nil {
			return Warm{}, fmt.Errorf("warm up %s: %w", e.subject.Name, err)
		}
	}
	before, err := e.Usage()
	if err != nil {
		return Warm{}, err
	}
	began := time.Now()
	done, err := e.Invoke(ctx, cfg.Count)
	if err != nil {
		return Warm{}, err
	}
	took := time.Since(began)
	after, err := e.Usage()
	if err != nil {
		return Warm{}, err
	}
	w := Warm{
		Init: e.Init(), Took: took,
		CPU: (after.CPU - before.CPU) / time.Duration(cfg.Count), RSS: after.RSS,
		MinorFaults: float64(after.MinorFaults-before.MinorFaults) / float64(cfg.Count),
	}
	for _, i := range done {
		w.Latencies, w.Turns = append(w.Latencies, i.Latency()), append(w.Turns, i.Turn())
	}
	if cfg.Backends != nil {
		calls, err := cfg.Backends.Take()
		if err != nil {
			return Warm{}, fmt.Errorf("invoke %s: %w", e.subject.Name, err)
		}
		w.Trips = tripsOf(done, calls)
	}
	return w, nil
}

// tripsOf describes invocations that came one after the other, by calls in the order of their ends.
func tripsOf(done []Invocation, calls []Call) []Trips {
	all := make([]Trips, 0, len(done))
	first := 0
	for _, i := range done {
		for first < len(calls) && calls[first].Ended.Before(i.Sent) {
			first++
		}
		last := first
		for last < len(calls) && !calls[last].Began.After(i.Idle) {
			last++
		}
		all = append(all, TripsOf(i, calls[first:last]))
	}
	return all
}

// Growth is the resident memory at two points of a long life.
type Growth struct{ Early, Late int64 }

// Grow invokes so many times, and reads the resident memory after early and after late invocations.
func Grow(ctx context.Context, s Subject, folder string, early, late int) (Growth, error) {
	e, err := Start(ctx, s, folder)
	if err != nil {
		return Growth{}, err
	}
	defer e.Stop()
	var g Growth
	for _, step := range []struct {
		count int
		to    *int64
	}{{early, &g.Early}, {late - early, &g.Late}} {
		for left := step.count; left > 0; {
			n := min(left, 1000)
			if _, err := e.Invoke(ctx, n); err != nil {
				return Growth{}, err
			}
			left -= n
		}
		u, err := e.Usage()
		if err != nil {
			return Growth{}, err
		}
		*step.to = u.RSS
	}
	return g, nil
}

// InitWork is what a binary does before its first event, as the Go runtime reports it: no clock is in it but the last.
type InitWork struct {
	// Packages is how many packages have work to do when they are initialised, Allocations and Bytes what they allocate.
	Packages    int
	Allocations int
	Bytes       int64
	// Collections is how many garbage collections there were until the first request for an event.
	Collections int
}

// TraceInit starts the subject with the runtime's traces of package initialisation and of garbage collection.
func TraceInit(ctx context.Context, s Subject, folder string) (InitWork, error) {
	s.Env = append(slices.Clip(s.Env), "GODEBUG=inittrace=1,gctrace=1")
	e, err := Start(ctx, s, folder)
	if err != nil {
		return InitWork{}, err
	}
	defer e.Stop()
	output, err := os.ReadFile(filepath.Join(folder, "output"))
	if err != nil {
		return InitWork{}, err
	}
	return parseInit(string(output)), nil
}

// parseInit reads lines such as "init internal/bytealg @0.008 ms, 0 ms clock, 0 bytes, 0 allocs" and "gc 1 @0.2s …".
func parseInit(output string) InitWork {
	var w InitWork
	for line := range strings.Lines(output) {
		var name string
		var at, clock float64
		var bytes int64
		var allocations int
		if n, _ := fmt.Sscanf(line, "init %s @%f ms, %f ms clock, %d bytes, %d allocs", &name, &at, &clock, &bytes, &allocations); n == 5 {
			w.Packages, w.Bytes, w.Allocations = w.Packages+1, w.Bytes+bytes, w.Allocations+allocations
		}
		var number int
		if n, _ := fmt.Sscanf(line, "gc %d @", &number); n == 1 {
			w.Collections++
		}
	}
	return w
}
