//go:build load

package load_test

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/tienda-dev/tienda/tests/exposition"
	"github.com/tienda-dev/tienda/tests/load"
)

// plan is the rates in requests per second, one after the other, and how long each lasts.
type plan struct {
	rates []int
	lasts time.Duration
}

// planOf returns the whole plan, or a short one.
func planOf(quick bool) plan {
	if quick {
		return plan{rates: []int{25, 100, 400}, lasts: 3 * time.Second}
	}
	return plan{rates: []int{25, 50, 100, 150, 200, 300, 400, 600}, lasts: 10 * time.Second}
}

// TestLoad runs its parts in order: the metrics are those of all before.
func TestLoad(t *testing.T) { //nolint:paralleltest // it needs the machine to itself
	s := openShop(t)
	t.Run("LimitsAreExact", func(t *testing.T) { limitsAreExact(t, s) })
	t.Run("Profile", func(t *testing.T) { profile(t, s, planOf(os.Getenv("QUICK") != "")) })
	t.Run("MetricsEqualTheClientsCounts", func(t *testing.T) { metricsEqual(t, s) })
}

// overloaded is the part of a rate below which higher ones show nothing new.
const overloaded = 0.8

// profile prints what each rate brings.
func profile(t *testing.T, s *shop, p plan) {
	t.Helper()
	s.attack(t, each(s.visit), perSecond(100), 2*time.Second) // the processes start
	var steps []load.Step
	for _, rate := range p.rates {
		before, began := load.Used(load.Processes(), os.Getpid(), s.gateway), time.Now()
		results := s.attack(t, each(s.visit), perSecond(rate), p.lasts)
		took := time.Since(began)
		used := load.Used(load.Processes(), os.Getpid(), s.gateway).Since(before)
		var m vegeta.Metrics
		for i := range results {
			m.Add(&results[i])
		}
		m.Close()
		steps = append(steps, load.Step{
			Asked: float64(rate), Answered: float64(len(results)) / m.End.Sub(m.Earliest).Seconds(),
			P50: m.Latencies.P50, P95: m.Latencies.P95, P99: m.Latencies.P99,
			Used: used, Took: took, CPUs: runtime.NumCPU(),
		})
		if last := steps[len(steps)-1]; last.Answered < overloaded*last.Asked {
			break
		}
	}
	fmt.Print(load.Table(steps))
}

// metricsEqual waits until the functions' processes have ended, which send the rest of their metrics then, and compares.
func metricsEqual(t *testing.T, s *shop) {
	t.Helper()
	time.Sleep(idle + time.Second) // without /proc, the loop below sees no process and does not wait
	for end := time.Now().Add(time.Minute); functions(s.gateway) > 0; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d processes of functions do not end", functions(s.gateway))
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", exposition.Text)
	_, body := s.send(t, r)
	families, err := exposition.Parse(exposition.Text, string(body))
	if err != nil {
		t.Fatal(err)
	}
	client := s.counts.All()
	counted, err := load.Counted(families, client)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range load.Differences(client, counted) {
		t.Error(line)
	}
	if !t.Failed() {
		fmt.Printf("metrics equal the client's counts: %s\n", s.counts.Summary())
	}
}

// functions returns how many processes of functions the gateway has.
func functions(gateway int) int {
	n := 0
	for _, p := range load.Below(load.Processes(), gateway) {
		if p.IsFunction() {
			n++
		}
	}
	return n
}
