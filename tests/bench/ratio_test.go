package bench_test

import (
	"testing"
	"time"
)

// batch is how many calls are timed at once: the clock costs as much as the cheapest of them.
const batch = 20

// compare reports how many times the reference's time the subject takes, as the metric called unit. The
// two take turns, and return what went wrong: marking them as helpers would cost as much as they do.
func compare(b *testing.B, unit string, reference, subject func() error) {
	b.Helper()
	var referred, took time.Duration
	for b.Loop() {
		referred += timed(b, reference)
		took += timed(b, subject)
	}
	b.ReportMetric(0, "ns/op") // of both together, which means nothing
	b.ReportMetric(float64(took.Nanoseconds())/float64(b.N*batch), "ns/call")
	b.ReportMetric(float64(took)/float64(referred), unit)
}

func timed(b *testing.B, f func() error) time.Duration {
	b.Helper()
	began := time.Now()
	for range batch {
		if err := f(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began)
}
