package comparison

import (
	"math"
	"slices"

	"github.com/tienda-dev/tienda/tests/bench/harness"
)

// Measure is something that a row has a number of.
type Measure string

// The measures.
const (
	Size            Measure = "binary MB"
	InitAllocations Measure = "init allocs"
	InitCollections Measure = "init GCs"
	Init            Measure = "init ms"
	InitCPU         Measure = "init CPU ms"
	First           Measure = "first ms"
	Both            Measure = "init+first ms"
	Latency         Measure = "median us"
	CPU             Measure = "CPU us"
	Turn            Measure = "turn us"
	RSS             Measure = "RSS MB"
	Growth          Measure = "growth %"
	// Trips is by how many delays the median is longer than without a delay; Sequence counts the same by the requests.
	Trips    Measure = "trips"
	Before   Measure = "requests before"
	Sequence Measure = "in sequence"
	Exports  Measure = "exports before"
	Requests Measure = "requests"
	// Rate is how many invocations a second has.
	Rate Measure = "requests/s"
	// Allocations are those of one event.
	Allocations Measure = "allocs"
)

// Results are what a run has measured.
type Results struct {
	Machine Machine `json:"machine"`
	// LoadBefore and LoadAfter are the load averages of the last minute when the run began and ended.
	LoadBefore float64 `json:"load_before"`
	LoadAfter  float64 `json:"load_after"`
	// Roots is how many certificates the trust store of TLS has.
	Roots int    `json:"trust_store_roots"`
	Rows  []*Row `json:"rows"`
	// Goals are the goals, and how far the run has met them.
	Goals []Verdict `json:"goals"`
	// NotMeasured says what this machine does not let a run measure.
	NotMeasured []string `json:"not_measured"`
}

// Row is one binary in one mode.
type Row struct {
	Mode Mode   `json:"mode"`
	Name string `json:"name"`
	// Reference is the row of the same mode that this one is compared with; empty is bare.
	Reference string `json:"reference,omitempty"`
	// Values has a value of each round.
	Values map[Measure][]float64 `json:"values"`
	// Quantiles are the 5th, 25th, 50th, 75th and 95th percentile of all latencies, in microseconds: the mean of the rounds.
	Quantiles []float64 `json:"quantiles_us,omitempty"`

	rounds int
}

// quantiles are those of Row.Quantiles.
func quantiles() []float64 { return []float64{0.05, 0.25, 0.5, 0.75, 0.95} }

// row returns the row of a binary in a mode, and makes it the first time.
func (r *Results) row(mode Mode, name string) *Row {
	if found := r.find(mode, name); found != nil {
		return found
	}
	row := &Row{Mode: mode, Name: name, Values: map[Measure][]float64{}}
	r.Rows = append(r.Rows, row)
	return row
}

// sort puts the rows into the order of the modes, and in a mode into that of the definitions.
func (r *Results) sort() {
	modes := []Mode{Warm, Start, Disk, Delayed, Throttled, Concurrent, Long, InProcess, Grown}
	all := names()
	place := func(row *Row) int { return slices.Index(modes, row.Mode)*len(all) + slices.Index(all, row.Name) }
	slices.SortFunc(r.Rows, func(a, b *Row) int { return place(a) - place(b) })
}

// names are the names of all rows, in the order of the table.
func names() []string {
	var all []string
	for _, d := range definitions() {
		all = append(all, d.name)
	}
	all = append(all, typedName, chainName, oneByOne, together)
	for _, s := range growing() {
		for _, n := range s.sizes() {
			all = append(all, s.row(n))
		}
	}
	return all
}

// find returns a row, or nil.
func (r *Results) find(mode Mode, name string) *Row {
	i := slices.IndexFunc(r.Rows, func(row *Row) bool { return row.Mode == mode && row.Name == name })
	if i < 0 {
		return nil
	}
	return r.Rows[i]
}

func (r *Row) add(m Measure, v float64) { r.Values[m] = append(r.Values[m], v) }

// spread adds the distribution of a round.
func (r *Row) spread(latencies []float64) {
	if r.Quantiles == nil {
		r.Quantiles = make([]float64, len(quantiles()))
	}
	r.rounds++
	for i, q := range quantiles() {
		r.Quantiles[i] += (harness.Quantile(latencies, q) - r.Quantiles[i]) / float64(r.rounds)
	}
}

// Median returns the median of the rounds, or NaN.
func (r *Row) Median(m Measure) float64 { return harness.Median(r.Values[m]) }

// Ratio returns the median of the rounds' ratios of one binary to another, or NaN.
func (r *Results) Ratio(mode Mode, m Measure, name, reference string) float64 {
	a, b := r.find(mode, name), r.find(mode, reference)
	if a == nil || b == nil {
		return math.NaN()
	}
	return harness.Ratio(a.Values[m], b.Values[m])
}

// Busy reports whether the machine had other work.
func (r *Results) Busy() bool { return r.LoadBefore > harness.BusyLoad }
