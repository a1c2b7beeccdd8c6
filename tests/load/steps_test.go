package load_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/tests/load"
)

func step(asked, answered float64, median time.Duration, used load.Usage) load.Step {
	return load.Step{Asked: asked, Answered: answered, P50: median, Used: used, Took: 10 * time.Second, CPUs: 2}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	quiet := load.Usage{load.Client: time.Second, load.Functions: 2 * time.Second}
	busy := load.Usage{load.Client: time.Second, load.Functions: 12 * time.Second, load.Database: 4 * time.Second, load.Others: 3 * time.Second}
	foreign := load.Usage{load.Database: 8 * time.Second, load.Others: 12 * time.Second}
	for name, tc := range map[string]struct {
		steps []load.Step
		want  string
	}{
		"MedianLeavesTheFloor": {
			[]load.Step{step(25, 25, 6*ms, quiet), step(50, 50, 5*ms, quiet), step(100, 100, 11*ms, busy), step(200, 120, 60*ms, quiet)},
			"bottleneck at 100 requests/s (median 11.0 ms, floor 5.0 ms): functions, 60 % of 2 CPUs (others 15 %, idle 0 %)",
		},
		"RateIsNotReached": {
			[]load.Step{step(25, 25, 5*ms, quiet), step(50, 47, 6*ms, foreign)},
			"bottleneck at 50 requests/s (median 6.0 ms, floor 5.0 ms): DynamoDB Local, 40 % of 2 CPUs (others 60 %, idle 0 %)",
		},
		"NothingIsMeasured": {
			[]load.Step{step(25, 25, 5*ms, load.Usage{}), step(50, 30, 5*ms, load.Usage{})},
			"bottleneck at 50 requests/s (median 5.0 ms, floor 5.0 ms): not measured, because this machine has no /proc",
		},
		"NothingLeaves": {
			[]load.Step{step(25, 25, 5*ms, quiet), step(50, 49, 10*ms, quiet)},
			"no bottleneck up to 50 requests/s: the median is at most 2 times 5.0 ms; most of the processors' time: functions, 10 % of 2 CPUs (others 0 %, idle 85 %)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := load.Verdict(tc.steps); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if lines := strings.Count(load.Table(tc.steps), "\n"); lines != len(tc.steps)+2 {
				t.Errorf("the table has %d lines:\n%s", lines, load.Table(tc.steps))
			}
		})
	}
}
