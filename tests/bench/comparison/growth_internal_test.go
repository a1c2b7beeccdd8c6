package comparison

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/tests/bench/harness"
	"github.com/tienda-dev/tienda/tools/dist"
)

// grown are results with two rounds of growth: tokens cost half as much again where there are 100 times as many.
func grown() *Results {
	r := planted()
	r.Goals = nil
	for _, s := range growing() {
		for i, n := range s.sizes() {
			row := r.row(Grown, s.row(n))
			row.Reference = s.row(s.first)
			for _, first := range []float64{100, 200} {
				value := first
				if s.what == "tokens" {
					value += first * float64(i) / 4
				}
				row.add(CPU, value)
				row.add(RSS, first)
			}
		}
	}
	r.row(Concurrent, oneByOne).add(Rate, 200)
	r.row(Concurrent, together).add(Rate, 1200)
	r.row(Concurrent, together).Reference = oneByOne
	r.sort()
	r.judge()
	return r
}

func TestGrowthTable(t *testing.T) {
	t.Parallel()
	r := grown()
	pages := r.Markdown()
	for _, want := range []string{
		"| growth | full, 50 tokens |  |  | 150 | 150 |", "| growth | full, 5000 tokens |  |  | 225 (1.50x) | 150 (1x) |",
		"CPU us / full, 50 tokens 1.5 <= 1.25: NOT met, 20 % above", "| growth | mux, 1000 routes |", "| growth | list-products, 3000 products |",
	} {
		if !strings.Contains(pages["growth.md"], want) || strings.Contains(pages["table.md"], want) {
			t.Errorf("no %q, or in the wrong table:\n%s", want, pages["growth.md"])
		}
	}
	want := "requests/s / full, one at a time 6 >= 5: met, 20 % above"
	if !strings.Contains(pages["table.md"], want) || !strings.Contains(pages["table.md"], "1200 (6x)") || strings.Contains(pages["growth.md"], want) {
		t.Errorf("no %q:\n%s", want, pages["table.md"])
	}
	if text := r.Text(); !strings.Contains(text, want) || !strings.Contains(text, "full, 5000 tokens") {
		t.Errorf("the text:\n%s", text)
	}
	if pages := planted().Markdown(); len(pages) != 1 {
		t.Errorf("without growth there are %d pages", len(pages))
	}
}

func TestLeastIsAGoal(t *testing.T) {
	t.Parallel()
	g := times(Concurrent, Rate, together, oneByOne, 5, 7)
	for value, want := range map[float64]string{
		4:   "requests/s / full, one at a time 4 >= 5: NOT met, 20 % below",
		5.5: "requests/s / full, one at a time 5.5 >= 5: met, 10 % above",
	} {
		v := Verdict{Goal: g, Value: value, Measured: true, Met: g.within(value, g.Gate)}
		if v.String() != want {
			t.Errorf("got %q, want %q", v, want)
		}
	}
}

func TestGrowthPlot(t *testing.T) {
	t.Parallel()
	plot := grown().Plots()["growth.svg"]
	for _, want := range []string{
		`>full: tokens 50 (1.00), 500 (1.25), 5000 (1.50)<`, `>mux: routes 10 (1.00), 100 (1.00), 1000 (1.00)<`, ">goal: at most 1.25<", ">1x<", ">10x<", ">100x<",
		// The line of the routes is flat, at equal distances. That of the tokens rises by equal steps.
		`points="56.0,150.9 416.0,150.9 776.0,150.9"`, `points="56.0,150.9 416.0,116.6 776.0,82.3"`,
	} {
		if !strings.Contains(plot, want) {
			t.Errorf("no %q:\n%s", want, plot)
		}
	}
	if planted().Plots()["growth.svg"] != "" {
		t.Error("there is a plot without growth")
	}
}

// Each step of a series has another event for each of what grows, and the function answers it.
func TestGrowing(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	built := map[string]string{}
	for _, s := range growing() {
		n := 30
		w, err := newWorld(t.Context(), t.TempDir(), time.Now(), s.of(n))
		if err != nil {
			t.Fatal(err)
		}
		if got := map[string]int{"routes": w.routes, "tokens": len(w.tokens), "users": len(w.tokens), "products": w.products}[s.what]; got != n {
			t.Errorf("%s: %d, want %d", s.what, got, n)
		}
		events, err := s.event(w)
		if err != nil {
			t.Fatal(err)
		}
		if got := distinct(t, events)[s.what]; got != n && s.what != "products" {
			t.Errorf("%s: events have %d, want %d", s.what, got, n)
		}
		if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
			continue // this machine cannot start it
		}
		path := built[s.program()]
		if path == "" {
			path = filepath.Join(out, s.program())
			built[s.program()] = path
			if err := dist.Program(t.Context(), dist.Options{Root: "../../..", GOOS: runtime.GOOS, GOARCH: runtime.GOARCH}, folders()[s.program()], path); err != nil {
				t.Fatal(err)
			}
		}
		backends, err := w.backends(t.Context(), 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		subject, err := s.subject(w, path, backends, trust{})
		if err != nil {
			t.Fatal(err)
		}
		for _, concurrency := range []int{1, parallelism} {
			subject.Concurrency, subject.MemoryMB = concurrency, instanceMB
			warm, err := harness.RunWarm(t.Context(), subject, harness.WarmConfig{Folder: t.TempDir(), Count: len(events)})
			if err != nil || len(warm.Latencies) != len(events) {
				t.Errorf("%s, %d at a time: %d invocations, %v", s.name, concurrency, len(warm.Latencies), err)
			}
		}
		if _, err := backends.Take(); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
		backends.Close()
	}
}

// distinct counts how many different routes, tokens and users there are in events.
func distinct(t *testing.T, events [][]byte) map[string]int {
	t.Helper()
	seen := map[string]map[string]bool{"routes": {}, "tokens": {}, "users": {}}
	for _, text := range events {
		var event struct {
			RawPath string
			Headers map[string]string
		}
		if err := json.Unmarshal(text, &event); err != nil {
			t.Fatal(err)
		}
		seen["routes"][event.RawPath] = true
		token, ok := strings.CutPrefix(event.Headers["authorization"], "Bearer ")
		if !ok {
			continue
		}
		verifier, err := verifier()
		if err != nil {
			t.Fatal(err)
		}
		user, err := verifier.Verify(token)
		if err != nil {
			t.Fatal(err)
		}
		seen["tokens"][user.SessionID], seen["users"][user.Subject] = true, true
	}
	counts := map[string]int{}
	for what, all := range seen {
		counts[what] = len(all)
	}
	return counts
}

func TestNamesAreDistinct(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, name := range names() {
		if seen[name] {
			t.Errorf("two rows are called %q", name)
		}
		seen[name] = true
	}
	if want := fmt.Sprintf("full, %d tokens", 100*50); !seen[want] {
		t.Errorf("no %q", want)
	}
}
