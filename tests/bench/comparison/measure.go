package comparison

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tienda-dev/tienda/tests/bench/harness"
)

// Mode is a way to run the binaries.
type Mode string

// The modes.
const (
	// Warm is a warm environment with backends that answer at once.
	Warm Mode = "warm"
	// Start is a cold start whose binary is in the page cache.
	Start Mode = "start"
	// Disk is a cold start that reads its binary from the disk.
	Disk Mode = "start, from disk"
	// Delayed is a warm environment with backends that answer after a while.
	Delayed Mode = "delay"
	// Throttled is a cold start with TLS, and with the quota of a small memory size from the first event on.
	Throttled Mode = "TLS, quota"
	// Concurrent is a warm environment that takes several events at the same time, with backends that answer after a while.
	Concurrent Mode = "concurrent"
	// Grown is a warm environment with more of something.
	Grown Mode = "growth"
	// Long is a long life.
	Long Mode = "long life"
	// InProcess is the chain without a process around it.
	InProcess Mode = "in process"
)

// bench is a run.
type bench struct {
	Options

	began   time.Time
	world   *world
	scratch string // a folder for the processes
	all     []definition
	binary  map[string]string
	results *Results
}

// Run builds the binaries and measures them in all modes. An error of one binary ends the run: a table without it would
// look complete.
func Run(ctx context.Context, o Options) (*Results, error) {
	if o.Say == nil {
		o.Say = func(string, ...any) {}
	}
	scratch, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	b := &bench{Options: o, began: time.Now(), scratch: scratch, results: &Results{Machine: describe(ctx, o.Root)}}
	// Before the builds, which are load too, and over when the measurements begin.
	if b.results.LoadBefore, err = harness.Load(); err != nil && !errors.Is(err, harness.ErrNotMeasured) {
		return nil, err
	}
	if b.all, b.binary, err = build(ctx, o.Root, filepath.Join(o.Root, ".cache", "bench"), o.Say); err != nil {
		return nil, err
	}
	if len(o.Only) > 0 {
		b.all = slices.DeleteFunc(b.all, func(d definition) bool { return d.name != Bare && !slices.Contains(o.Only, d.name) })
	}
	if b.world, err = newWorld(ctx, scratch, b.began, usual()); err != nil {
		return nil, fmt.Errorf("fill the tables: %w", err)
	}
	for _, step := range []func(context.Context) error{b.sizes, b.warm, b.starts, b.fromDisk, b.delayed, b.throttled, b.concurrent, b.long, b.growth, b.inProcess} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	if b.results.LoadAfter, err = harness.Load(); err != nil && !errors.Is(err, harness.ErrNotMeasured) {
		return nil, err
	}
	b.results.sort()
	b.results.judge()
	return b.results, nil
}

// subjects returns every binary beside backends.
func (b *bench) subjects(backends *harness.Backends, trust trust) ([]harness.Subject, error) {
	all := make([]harness.Subject, len(b.all))
	for i, d := range b.all {
		var err error
		if all[i], err = d.subject(b.world, b.binary[d.program()], backends, trust); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// beside calls do for each binary in turns, round by round, in an order that changes.
func (b *bench) beside(ctx context.Context, mode Mode, rounds int, backends *harness.Backends, trust trust, do func(context.Context, harness.Subject, *Row) error) error {
	subjects, err := b.subjects(backends, trust)
	if err != nil {
		return err
	}
	return b.turns(mode, rounds, len(subjects), func(i int) error {
		if err := do(ctx, subjects[i], b.results.row(mode, subjects[i].Name)); err != nil {
			return err
		}
		return accepted(backends, subjects[i])
	})
}

// turns calls do with each number below n, round by round, in an order that changes.
func (b *bench) turns(mode Mode, rounds, n int, do func(i int) error) error {
	for round := range rounds {
		b.Say("%s: round %d of %d", mode, round+1, rounds)
		for _, i := range harness.Order(n, round) {
			if err := do(i); err != nil {
				return fmt.Errorf("%s: %w", mode, err)
			}
		}
	}
	return nil
}

// accepted returns an error if DynamoDB refused a request of the subject: then the function did other work.
func accepted(backends *harness.Backends, s harness.Subject) error {
	if _, err := backends.Take(); err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	return nil
}

// sizes reads what does not change from run to run.
func (b *bench) sizes(ctx context.Context) error {
	backends, err := b.world.backends(ctx, 0, nil)
	if err != nil {
		return err
	}
	defer backends.Close()
	return b.beside(ctx, Warm, 1, backends, trust{}, func(ctx context.Context, s harness.Subject, row *Row) error {
		info, err := os.Stat(s.Binary)
		if err != nil {
			return err
		}
		row.add(Size, float64(info.Size())/1e6)
		work, err := harness.TraceInit(ctx, s, b.scratch)
		if err != nil {
			return err
		}
		row.add(InitAllocations, float64(work.Allocations))
		row.add(InitCollections, float64(work.Collections))
		return nil
	})
}

func (b *bench) warm(ctx context.Context) error {
	backends, err := b.world.backends(ctx, 0, nil)
	if err != nil {
		return err
	}
	defer backends.Close()
	return b.beside(ctx, Warm, b.Rounds, backends, trust{}, func(ctx context.Context, s harness.Subject, row *Row) error {
		w, err := harness.RunWarm(ctx, s, harness.WarmConfig{Folder: b.scratch, Before: b.Before, Count: b.Count, Backends: backends})
		if err != nil {
			return err
		}
		row.warm(w)
		row.add(Turn, harness.Median(micros(w.Turns)))
		row.spread(micros(w.Latencies))
		return nil
	})
}

// warm adds what every warm round has.
func (r *Row) warm(w harness.Warm) {
	r.add(Latency, harness.Median(micros(w.Latencies)))
	r.add(CPU, float64(w.CPU)/1e3)
	r.add(RSS, float64(w.RSS)/1e6)
}

func micros(all []time.Duration) []float64 {
	list := make([]float64, len(all))
	for i, d := range all {
		list[i] = float64(d) / 1e3
	}
	return list
}

func (b *bench) starts(ctx context.Context) error {
	return b.cold(ctx, Start, b.Starts, harness.ColdConfig{})
}

func (b *bench) fromDisk(ctx context.Context) error {
	return b.cold(ctx, Disk, b.Evicted, harness.ColdConfig{Evict: true})
}

// cold measures cold starts. What cannot be measured here is noted and is not an error.
func (b *bench) cold(ctx context.Context, mode Mode, count int, cfg harness.ColdConfig) error {
	backends, err := b.world.backends(ctx, 0, nil)
	if err != nil {
		return err
	}
	defer backends.Close()
	cfg.Folder = b.scratch
	err = b.beside(ctx, mode, count, backends, trust{}, coldStart(cfg))
	return b.unless(mode, err)
}

// coldStart adds one cold start to a row.
func coldStart(cfg harness.ColdConfig) func(context.Context, harness.Subject, *Row) error {
	return func(ctx context.Context, s harness.Subject, row *Row) error {
		c, err := harness.StartCold(ctx, s, cfg)
		if err != nil {
			return err
		}
		row.add(Init, float64(c.Init)/1e6)
		row.add(First, float64(c.First)/1e6)
		row.add(Both, float64(c.Init+c.First)/1e6)
		row.add(InitCPU, float64(c.InitUsage.CPU)/1e6)
		return nil
	}
}

// unless notes that a mode could not be measured, and drops what there is of it.
func (b *bench) unless(mode Mode, err error) error {
	if !errors.Is(err, harness.ErrNotMeasured) {
		return err
	}
	b.results.Rows = slices.DeleteFunc(b.results.Rows, func(r *Row) bool { return r.Mode == mode })
	b.results.NotMeasured = append(b.results.NotMeasured, fmt.Sprintf("%s: %v", mode, err))
	return nil
}

// delayed counts round trips: each request to a backend waits, and what waits for it waits too.
func (b *bench) delayed(ctx context.Context) error {
	backends, err := b.world.backends(ctx, b.Delay, nil)
	if err != nil {
		return err
	}
	defer backends.Close()
	return b.beside(ctx, Delayed, 1, backends, trust{}, func(ctx context.Context, s harness.Subject, row *Row) error {
		w, err := harness.RunWarm(ctx, s, harness.WarmConfig{Folder: b.scratch, Before: 5, Count: b.Delayed, Backends: backends})
		if err != nil {
			return err
		}
		latency := harness.Median(micros(w.Latencies))
		row.add(Latency, latency)
		row.add(Turn, harness.Median(micros(w.Turns)))
		row.add(Trips, (latency-b.results.row(Warm, s.Name).Median(Latency))/(float64(b.Delay)/1e3))
		var before, sequence, exports, requests []float64
		for _, t := range w.Trips {
			before, sequence = append(before, float64(t.Before)), append(sequence, float64(t.Sequence))
			exports, requests = append(exports, float64(t.Telemetry)), append(requests, float64(t.All))
		}
		row.add(Before, mean(before))
		row.add(Sequence, mean(sequence))
		row.add(Exports, mean(exports))
		row.add(Requests, mean(requests))
		return nil
	})
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// throttled measures the first request of a small function whose backends speak TLS.
func (b *bench) throttled(ctx context.Context) error {
	authority, err := harness.NewAuthority()
	if err != nil {
		return err
	}
	stores, err := newTrust(authority, b.Root, b.scratch)
	if err != nil {
		return err
	}
	b.results.Roots = stores.roots
	backends, err := b.world.backends(ctx, 0, authority)
	if err != nil {
		return err
	}
	defer backends.Close()
	quota, err := harness.NewQuota(harness.Share(b.MemoryMB))
	if err != nil {
		return b.unless(Throttled, err)
	}
	defer quota.Close()
	cfg := harness.ColdConfig{Folder: b.scratch, Quota: quota}
	return b.unless(Throttled, b.beside(ctx, Throttled, b.Throttled, backends, stores, coldStart(cfg)))
}

// long measures how the resident memory grows.
func (b *bench) long(ctx context.Context) error {
	backends, err := b.world.backends(ctx, 0, nil)
	if err != nil {
		return err
	}
	defer backends.Close()
	return b.beside(ctx, Long, 1, backends, trust{}, func(ctx context.Context, s harness.Subject, row *Row) error {
		g, err := harness.Grow(ctx, s, b.scratch, b.Early, b.Late)
		if err != nil {
			return err
		}
		row.add(RSS, float64(g.Late)/1e6)
		row.add(Growth, 100*(float64(g.Late)/float64(g.Early)-1))
		return nil
	})
}
