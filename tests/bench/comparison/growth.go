package comparison

import (
	"context"
	"fmt"
	"slices"

	"github.com/tienda-dev/tienda/tests/bench/harness"
)

// series is something that there can be more of, and the binary that a request could then cost more.
type series struct {
	definition

	// what there is more of, in the plural, and how many in the first step.
	what  string
	first int
	// of is the world with so many.
	of func(n int) size
}

// factors are the steps of growth.
func factors() []int { return []int{1, 10, 100} }

func (s series) sizes() []int {
	all := factors()
	for i := range all {
		all[i] *= s.first
	}
	return all
}

// row is the name of the row of so many.
func (s series) row(n int) string { return fmt.Sprintf("%s, %d %s", s.name, n, s.what) }

// The most that processor time and resident memory may grow where there is 100 times as much. The library's memories are
// bounded: of 1,000 tokens and 4,096 subjects. The last steps are beyond both, so that what is bounded shows its whole size.
const (
	flat    = 1.25
	bounded = 1.25
)

// growing are the series.
func growing() []series {
	visitors := definition{name: "full", event: everybody, answers: ok, sends: everySignal, limited: true}
	return []series{
		{definition{name: "mux", event: everyRoute, answers: ok}, "routes", 10, func(n int) size {
			return size{sessions: 1, users: 1, products: 1, routes: n}
		}},
		{visitors, "tokens", 50, func(n int) size { return size{sessions: n, users: 1, products: 1} }},
		{visitors, "users", 50, func(n int) size { return size{sessions: n, users: n, products: 1} }},
		{definition{name: "list-products", event: listOfProducts, answers: ok}, "products", 30, func(n int) size {
			return size{sessions: 1, users: 1, products: n}
		}},
	}
}

// everyRoute visits each route of mux.
func everyRoute(w *world) ([][]byte, error) {
	return each(w.routes, func(i int) ([]byte, error) {
		return get(i, "$default", fmt.Sprintf("/v1/things%04d/%d", i, i), "", "", "")
	})
}

// everybody uses each token once.
func everybody(w *world) ([][]byte, error) {
	return each(len(w.tokens), func(i int) ([]byte, error) { return get(i, "GET /v1/me", "/v1/me", "", w.tokens[i], "") })
}

// growth measures one request where there is more of something.
func (b *bench) growth(ctx context.Context) error {
	if !b.wants(Grown) {
		return nil
	}
	type step struct {
		series
		n     int
		world *world
	}
	var steps []step
	for _, s := range growing() {
		for _, n := range s.sizes() {
			b.Say("%s: preparing %s", Grown, s.row(n))
			w, err := newWorld(ctx, b.scratch, b.began, s.of(n))
			if err != nil {
				return fmt.Errorf("%s: %s: %w", Grown, s.row(n), err)
			}
			steps = append(steps, step{s, n, w})
		}
	}
	return b.turns(Grown, b.Growths, len(steps), func(i int) error {
		s := steps[i]
		backends, err := s.world.backends(ctx, 0, nil)
		if err != nil {
			return err
		}
		defer backends.Close()
		subject, err := s.subject(s.world, b.binary[s.program()], backends, trust{})
		if err != nil {
			return err
		}
		subject.Name = s.row(s.n)
		// Every step of a series has as many invocations: the heap grows with them until its first collections.
		pass := max(b.Before, min(b.Pass, slices.Max(s.sizes())))
		w, err := harness.RunWarm(ctx, subject, harness.WarmConfig{Folder: b.scratch, Before: pass, Count: b.Grown, Backends: backends})
		if err != nil {
			return err
		}
		row := b.results.row(Grown, subject.Name)
		row.Reference = s.row(s.first)
		row.warm(w)
		row.add(Init, float64(w.Init)/1e6)
		requests := make([]float64, len(w.Trips))
		for i, t := range w.Trips {
			requests[i] = float64(t.All)
		}
		row.add(Requests, mean(requests))
		return accepted(backends, subject)
	})
}

// The rows of the mode Concurrent.
const (
	oneByOne = "full, one at a time"
	together = "full, 8 at a time"
)

// parallelism is how many events the process takes at the same time there, and instanceMB the least memory of a function
// that may: it has one processor. (AWS Lambda developer guide, "Scaling Lambda Managed Instances".)
const (
	parallelism = 8
	instanceMB  = 2048
)

// concurrent compares a process that takes several events at the same time with one that does not.
func (b *bench) concurrent(ctx context.Context) error {
	if !b.wants(Concurrent) {
		return nil
	}
	backends, err := b.world.backends(ctx, b.Delay, nil)
	if err != nil {
		return err
	}
	defer backends.Close()
	all := definitions()
	full := all[slices.IndexFunc(all, func(d definition) bool { return d.name == "full" })]
	return b.turns(Concurrent, b.Rounds, 2, func(i int) error {
		subject, err := full.subject(b.world, b.binary[full.program()], backends, trust{})
		if err != nil {
			return err
		}
		subject.Name, subject.MemoryMB = oneByOne, instanceMB
		if i == 1 {
			subject.Name, subject.Concurrency = together, parallelism
		}
		w, err := harness.RunWarm(ctx, subject, harness.WarmConfig{Folder: b.scratch, Before: b.Before, Count: b.Concurrent})
		if err != nil {
			return err
		}
		row := b.results.row(Concurrent, subject.Name)
		row.Reference = oneByOne
		row.warm(w)
		row.add(Rate, float64(len(w.Latencies))/w.Took.Seconds())
		return accepted(backends, subject)
	})
}
