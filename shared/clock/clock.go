// Package clock compares times by the wall clock. Lambda freezes an environment between two requests, and
// the monotonic clock, by which package time compares two readings of one process, stands still meanwhile.
package clock

import "time"

// Wall returns now without its monotonic reading (https://pkg.go.dev/time#hdr-Monotonic_Clocks). Whatever
// keeps a reading of a clock takes its clock through Wall. A nil clock stays nil.
func Wall(now func() time.Time) func() time.Time {
	if now == nil {
		return nil
	}
	return func() time.Time { return now().Round(0) }
}

// Fresh reports whether something made at a time is younger than age. Nothing is fresh that was made after
// now: the clock was set back since, and how old it is cannot be known. Both times come from one clock of
// Wall.
func Fresh(made, now time.Time, age time.Duration) bool {
	return !made.IsZero() && !now.Before(made) && now.Sub(made) < age
}
