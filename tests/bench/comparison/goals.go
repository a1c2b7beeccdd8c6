package comparison

import (
	"fmt"
	"math"
)

// Goal is something that a run must show.
type Goal struct {
	// Text says what it is, Name and Mode whose it is.
	Text string `json:"goal"`
	Mode Mode   `json:"mode"`
	Name string `json:"name"`
	// Gate is the most that is allowed, or with Least the least; Stretch is what would be better still.
	Gate    float64 `json:"gate"`
	Stretch float64 `json:"stretch"`
	Least   bool    `json:"least,omitempty"`

	value func(*Results) float64
}

// Verdict is a goal and what a run has measured.
type Verdict struct {
	Goal

	// Value is what was measured. Measured is false where the machine does not allow it.
	Value    float64 `json:"value"`
	Measured bool    `json:"measured"`
	Met      bool    `json:"met"`
	// Stretched is whether the value is within the stretch goal too.
	Stretched bool `json:"stretched"`
}

// ratio is the goal that a binary takes at most so many times what another takes.
func ratio(mode Mode, m Measure, name, reference string, gate, stretch float64) Goal {
	return Goal{
		Text: fmt.Sprintf("%s / %s", m, reference), Mode: mode, Name: name, Gate: gate, Stretch: stretch,
		value: func(r *Results) float64 { return r.Ratio(mode, m, name, reference) },
	}
}

// times is the goal that a binary has at least so many times what another has.
func times(mode Mode, m Measure, name, reference string, gate, stretch float64) Goal {
	g := ratio(mode, m, name, reference, gate, stretch)
	g.Least = true
	return g
}

// most is the goal that a measure is at most so much.
func most(mode Mode, m Measure, name string, gate, stretch float64) Goal {
	return Goal{
		Text: string(m), Mode: mode, Name: name, Gate: gate, Stretch: stretch,
		value: func(r *Results) float64 {
			row := r.find(mode, name)
			if row == nil {
				return math.NaN()
			}
			return row.Median(m)
		},
	}
}

// within reports whether a value keeps a bound.
func (g Goal) within(value, bound float64) bool {
	if g.Least {
		return value >= bound
	}
	return value <= bound
}

// goals are the goals of docs/performance.md.
func goals() []Goal {
	all := []Goal{
		ratio(Warm, Latency, "full", Bare, 5.5, 4.5),
		ratio(Warm, Latency, "full", "otellambda", 1.3, 1.0),
		ratio(Warm, CPU, "full", Bare, 4.5, 3.0),
		most(Delayed, Sequence, "full", 1.1, 1.1),
		most(Delayed, Exports, "full", 0, 0),
		ratio(Start, Init, "full", Bare, 2.8, 2.2),
		ratio(Disk, Init, "full", Bare, 1.8, 1.4),
		ratio(Throttled, Both, "full+product", "naivefull", 0.12, 0.06),
		most(Warm, InitCollections, "full", 0, 0),
		most(Warm, InitCollections, "get-product", 0, 0),
		most(Warm, InitCollections, "list-products", 0, 0),
		most(Warm, InitCollections, "authorizer", 0, 0),
		ratio(InProcess, CPU, chainName, typedName, 1.3, 1.0),
		most(InProcess, Allocations, chainName, 150, 100),
		most(Long, Growth, "full", 5, 2),
		most(Long, Growth, "get-product", 5, 2),
		ratio(Warm, Latency, "get-product", Bare, 2.2, 2.2),
		ratio(Warm, Latency, "get-product", "plainproduct", 1, 1),
		ratio(Warm, Latency, "authorizer", Bare, 2.0, 2.0),
		ratio(Warm, Latency, "authorizer", "naiveauthorizer", 1, 1),
		ratio(Warm, Latency, "list-products", Bare, 5, 5),
		times(Concurrent, Rate, together, oneByOne, 5, 7),
	}
	for _, s := range growing() {
		first, last := s.row(s.first), s.row(100*s.first)
		all = append(all, ratio(Grown, CPU, last, first, flat, 1.1), ratio(Grown, RSS, last, first, bounded, 1.1))
	}
	return all
}

// judge compares the results with the goals.
func (r *Results) judge() {
	for _, g := range goals() {
		value := g.value(r)
		v := Verdict{Goal: g, Value: value, Measured: !math.IsNaN(value)}
		if v.Measured {
			v.Met, v.Stretched = g.within(value, g.Gate), g.within(value, g.Stretch)
		} else {
			v.Value = 0 // JSON has no NaN
		}
		r.Goals = append(r.Goals, v)
	}
}

// Missed returns the goals that were measured and are not met.
func (r *Results) Missed() []Verdict {
	var missed []Verdict
	for _, v := range r.Goals {
		if v.Measured && !v.Met {
			missed = append(missed, v)
		}
	}
	return missed
}

// String describes a verdict in a cell of the table.
func (v Verdict) String() string {
	sign, better, worse := "<=", "below", "above"
	if v.Least {
		sign, better, worse = ">=", "above", "below"
	}
	if !v.Measured {
		return fmt.Sprintf("%s %s %g: not measured", v.Text, sign, v.Gate)
	}
	state := "NOT met"
	if v.Met {
		state = "met"
	}
	text := fmt.Sprintf("%s %.3g %s %g: %s", v.Text, v.Value, sign, v.Gate, state)
	if v.Gate == 0 {
		return text
	}
	side := worse
	if v.Met {
		side = better
	}
	return fmt.Sprintf("%s, %.0f %% %s", text, 100*math.Abs(v.Gate-v.Value)/v.Gate, side)
}
