package bench_test

import (
	"slices"
	"testing"
	"time"
)

// batch is how many calls are timed at once: reading the clock takes as long as the fastest of them.
const batch = 20

// compare reports the subject's time divided by the reference's, as the metric called unit. The two take
// turns. They return errors: a call of b.Helper would take as long as they do.
func compare(b *testing.B, unit string, reference, subject func() error) {
	b.Helper()
	var referred, took time.Duration
	for b.Loop() {
		referred += timed(b, reference)
		took += timed(b, subject)
	}
	b.ReportMetric(0, "ns/op") // the sum of both has no meaning
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

// middle is compare for calls of a few microseconds at most: it reports the ratio of the medians, and the subject's
// fastest batch as its time, so that the moments in which another process had the CPU do not count.
func middle(b *testing.B, unit string, reference, subject func() error) {
	b.Helper()
	var referred, took []time.Duration
	for b.Loop() {
		referred = append(referred, timed(b, reference))
		took = append(took, timed(b, subject))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(median(took))/float64(median(referred)), unit)
	b.ReportMetric(float64(took[0].Nanoseconds())/batch, "ns/call") // median has sorted them
}

func median(of []time.Duration) time.Duration {
	slices.Sort(of)
	return of[len(of)/2]
}
