package bench_test

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tienda-dev/tienda/tests/fleet"
	"github.com/tienda-dev/tienda/tests/otlptest"
)

// rounds is how many requests of each function one iteration measures.
const rounds = 40

// How long a client waits for a response, by what the collector does, against the same function without one. The
// functions take turns, one request each: an export may not overlap with another function's request.
func BenchmarkResponseUnderACollector(b *testing.B) {
	event, err := os.ReadFile("../../events/get-liveness.json")
	must(b, err)
	bootstrap := binary(b, "../..", "./functions/health/get-liveness", nil)
	names := []string{"off", "0ms", "100ms", "hanging", "refusing"}
	env := make([][]string, len(names))
	for i, behaviour := range []otlptest.Behaviour{nil, otlptest.Delay(0), otlptest.Delay(100 * time.Millisecond), otlptest.Hang(), nil} {
		if i == 0 {
			continue
		}
		sink := otlptest.Start(b)
		if behaviour == nil {
			sink.Refuse()
		} else {
			sink.Behave(behaviour)
		}
		env[i] = []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + sink.URL()}
	}
	took := make([][]time.Duration, len(names))
	for b.Loop() {
		line := newTurns(len(names))
		var group errgroup.Group
		for i := range names {
			group.Go(func() error {
				var began time.Time
				_, err := fleet.Run(b.Context(), fleet.Config{
					Binary: bootstrap, Env: env[i], Instances: 1, Requests: rounds + 1,
					// It is called when the environment has exported and waits, so the turn before this one is over.
					Event: func(_, request int) []byte {
						if request > 0 {
							line.pass(i)
						}
						if request < rounds {
							line.await(i)
						}
						began = time.Now()
						return event
					},
					Answered: func(_, request int, _ []byte, _ time.Duration) {
						if request > 0 && request < rounds { // the first has a cold start
							took[i] = append(took[i], time.Since(began))
						}
					},
				})
				return err
			})
		}
		must(b, group.Wait())
	}
	b.ReportMetric(0, "ns/op")
	off := median(took[0])
	b.ReportMetric(float64(off.Microseconds()), "µs-off")
	for i, name := range names[1:] {
		b.ReportMetric(float64((median(took[i+1]) - off).Microseconds()), "more-µs-"+name)
		b.ReportMetric(float64(median(took[i+1]))/float64(off), "x-off-"+name)
		b.ReportMetric(float64((took[i+1][0] - took[0][0]).Microseconds()), "least-more-µs-"+name) // median has sorted them
	}
}

// turns lets one of several go on at a time, in order.
type turns []chan struct{}

func newTurns(n int) turns {
	t := make(turns, n)
	for i := range t {
		t[i] = make(chan struct{}, 1)
	}
	t[0] <- struct{}{}
	return t
}

func (t turns) await(i int) { <-t[i] }
func (t turns) pass(i int)  { t[(i+1)%len(t)] <- struct{}{} }
