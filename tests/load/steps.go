package load

import (
	"fmt"
	"strings"
	"time"
)

// Step is what one rate brought.
type Step struct {
	// Asked and Answered are requests per second.
	Asked, Answered float64
	P50, P95, P99   time.Duration
	// Used is the time on the processors in Took, and CPUs their number.
	Used Usage
	Took time.Duration
	CPUs int
}

// Share returns the part of all processors that a group had, from 0 to 1.
func (s Step) Share(group string) float64 {
	return s.Used[group].Seconds() / s.Took.Seconds() / float64(s.CPUs)
}

// idle returns the part that nobody used.
func (s Step) idle() float64 {
	rest := 1.0
	for _, group := range Groups() {
		rest -= s.Share(group)
	}
	return max(0, rest)
}

// largest returns the group of the API's processes that used the processors most.
func (s Step) largest() string {
	largest := Client
	for _, group := range Groups() {
		if group != Others && s.Used[group] > s.Used[largest] {
			largest = group
		}
	}
	return largest
}

const (
	// leaves is how many times the floor a median is that has left it.
	leaves = 2
	// keepsUp is the least part of the rate at which a step still keeps up.
	keepsUp = 0.95
)

// Knee returns the first step whose median latency has left the floor, the smallest median of all steps, or that did not
// keep up with its rate. Without one it returns false.
func Knee(steps []Step) (Step, bool) {
	floor := floorOf(steps)
	for _, s := range steps {
		if s.P50 > leaves*floor || s.Answered < keepsUp*s.Asked {
			return s, true
		}
	}
	return Step{}, false
}

func floorOf(steps []Step) time.Duration {
	var floor time.Duration
	for i, s := range steps {
		if i == 0 || s.P50 < floor {
			floor = s.P50
		}
	}
	return floor
}

// Table returns the steps as lines, and the group that used the processors most where latency leaves its floor.
func Table(steps []Step) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%8s %10s %8s %8s %8s", "asked/s", "answered/s", "p50 ms", "p95 ms", "p99 ms")
	for _, group := range Groups() {
		fmt.Fprintf(&b, "  %s", group)
	}
	b.WriteString("\n")
	for _, s := range steps {
		fmt.Fprintf(&b, "%8.0f %10.1f %8.1f %8.1f %8.1f", s.Asked, s.Answered, milliseconds(s.P50), milliseconds(s.P95), milliseconds(s.P99))
		for _, group := range Groups() {
			fmt.Fprintf(&b, "  %*s", len(group), percent(s.Share(group)))
		}
		b.WriteString("\n")
	}
	if len(steps) > 0 {
		b.WriteString(Verdict(steps) + "\n")
	}
	return b.String()
}

// Verdict names the bottleneck in a sentence. There must be a step.
func Verdict(steps []Step) string {
	s, found := Knee(steps)
	if !found {
		last := steps[len(steps)-1]
		return fmt.Sprintf("no bottleneck up to %.0f requests/s: the median is at most %d times %.1f ms; most of the processors' time: %s",
			last.Asked, leaves, milliseconds(floorOf(steps)), last.used())
	}
	return fmt.Sprintf("bottleneck at %.0f requests/s (median %.1f ms, floor %.1f ms): %s",
		s.Asked, milliseconds(s.P50), milliseconds(floorOf(steps)), s.used())
}

func (s Step) used() string {
	if s.Used[s.largest()] == 0 {
		return "not measured, because this machine has no /proc"
	}
	return fmt.Sprintf("%s, %s of %d CPUs (%s %s, idle %s)",
		s.largest(), percent(s.Share(s.largest())), s.CPUs, Others, percent(s.Share(Others)), percent(s.idle()))
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }

func percent(part float64) string { return fmt.Sprintf("%.0f %%", 100*part) }
