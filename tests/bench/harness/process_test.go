package harness_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/tests/bench/harness"
)

// subject is one of the functions of TestMain.
func subject(t *testing.T, function string, env ...string) harness.Subject {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return harness.Subject{Name: function, Binary: self, Env: append(env, "FUNCTION="+function), Events: [][]byte{[]byte(`{"n":1}`), []byte(`{"n":2}`)}}
}

func TestWarm(t *testing.T) {
	t.Parallel()
	s := subject(t, "echo")
	seen := map[string]int{}
	s.Check = func(response []byte) error { seen[string(response)]++; return nil }
	w, err := harness.RunWarm(t.Context(), s, harness.WarmConfig{Folder: t.TempDir(), Before: 3, Count: 7})
	if errors.Is(err, harness.ErrNotMeasured) {
		t.Logf("this machine has no /proc: %v", err)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if seen[`{"n":1}`] != 5 || seen[`{"n":2}`] != 5 {
		t.Errorf("the responses are %v, want each event five times", seen)
	}
	if len(w.Latencies) != 7 || len(w.Turns) != 7 {
		t.Errorf("%d latencies and %d turns, want 7", len(w.Latencies), len(w.Turns))
	}
	for _, d := range w.Latencies {
		if d <= 0 || d > 5*time.Second {
			t.Errorf("a latency is %v", d)
		}
	}
	if w.CPU <= 0 || w.CPU > time.Second || w.RSS < 1<<20 {
		t.Errorf("CPU is %v and RSS %d bytes for each invocation", w.CPU, w.RSS)
	}
}

func TestLatencyIsTheFunctionsOwn(t *testing.T) {
	t.Parallel()
	w, err := harness.RunWarm(t.Context(), subject(t, "late"), harness.WarmConfig{Folder: t.TempDir(), Count: 3})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range w.Latencies {
		if d < 20*time.Millisecond {
			t.Errorf("a function that sleeps for 20 ms answers after %v", d)
		}
	}
}

func TestWhatAnExtensionDoesIsAfterTheResponse(t *testing.T) {
	t.Parallel()
	w, err := harness.RunWarm(t.Context(), subject(t, "extends"), harness.WarmConfig{Folder: t.TempDir(), Before: 1, Count: 3})
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range w.Turns {
		if sum := w.Latencies[i] + d; sum < 30*time.Millisecond {
			t.Errorf("the next event came %v after this one, before the extension was done", sum)
		}
	}
}

func TestEventsAtTheSameTime(t *testing.T) {
	t.Parallel()
	s := subject(t, "meets")
	if _, err := harness.RunWarm(t.Context(), s, harness.WarmConfig{Folder: t.TempDir(), Count: 1}); err == nil || !strings.Contains(err.Error(), "no other event came") {
		t.Errorf("one event at a time: %v", err)
	}
	s.Concurrency = 4
	w, err := harness.RunWarm(t.Context(), s, harness.WarmConfig{Folder: t.TempDir(), Before: 4, Count: 12})
	if err != nil {
		t.Fatal(err)
	}
	if len(w.Latencies) != 12 || w.Took <= 0 {
		t.Errorf("%d invocations in %v", len(w.Latencies), w.Took)
	}
	for _, d := range w.Latencies {
		if d <= 0 || d > 5*time.Second {
			t.Errorf("a latency is %v", d)
		}
	}
	// An extension gets no events then, and the process is not idle before all its calls wait.
	s = subject(t, "extends")
	s.Concurrency = 3
	if _, err := harness.RunWarm(t.Context(), s, harness.WarmConfig{Folder: t.TempDir(), Before: 2, Count: 5}); err != nil {
		t.Error(err)
	}
	// An error of one event ends the others.
	s = subject(t, "returns")
	s.Concurrency = 3
	_, err = harness.RunWarm(t.Context(), s, harness.WarmConfig{Folder: t.TempDir(), Count: 50})
	if err == nil || !strings.Contains(err.Error(), "out of stock") {
		t.Errorf("the error is %v", err)
	}
}

func TestCold(t *testing.T) {
	t.Parallel()
	c, err := harness.StartCold(t.Context(), subject(t, "late"), harness.ColdConfig{Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if c.Init <= 0 || c.First < 20*time.Millisecond || c.InitUsage.CPU <= 0 {
		t.Errorf("got %+v", c)
	}
}

func TestImpossibleFunctions(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		function string
		count    int
		want     []string
	}{
		"Exits":      {"exits", 1, []string{"start exits", "ended before its first request", "exit status 3", "no such table"}},
		"InitError":  {"init error", 1, []string{"init error: Keys: no key"}},
		"ReturnsErr": {"returns", 2, []string{"the function returned", "out of stock"}},
		"Panics":     {"panics", 1, []string{"no mug"}},
		"Stops":      {"stops", 1, []string{"ended before the end of 1 invocations", "exit status 4"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := harness.RunWarm(t.Context(), subject(t, test.function), harness.WarmConfig{Folder: t.TempDir(), Count: test.count})
			if err == nil {
				t.Fatal("it was measured")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error is %q, want %q in it", err, want)
				}
			}
		})
	}

	t.Run("Hangs", func(t *testing.T) {
		t.Parallel()
		s := subject(t, "hangs")
		_, err := harness.StartCold(t.Context(), s, harness.ColdConfig{Folder: t.TempDir(), Limit: 200 * time.Millisecond})
		if err == nil || !strings.Contains(err.Error(), "its first request for an event did not come in 200ms") {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("Missing", func(t *testing.T) {
		t.Parallel()
		_, err := harness.StartCold(t.Context(), harness.Subject{Name: "none", Binary: "/nowhere/bootstrap"}, harness.ColdConfig{Folder: t.TempDir()})
		if err == nil || !strings.Contains(err.Error(), "start none") {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("WrongAnswer", func(t *testing.T) {
		t.Parallel()
		s := subject(t, "echo")
		s.Check = func(response []byte) error {
			if !bytes.Contains(response, []byte("200")) {
				return errors.New("not the answer")
			}
			return nil
		}
		_, err := harness.RunWarm(t.Context(), s, harness.WarmConfig{Folder: t.TempDir(), Count: 2})
		if err == nil || !strings.Contains(err.Error(), "not the answer") {
			t.Errorf("the error is %v", err)
		}
	})
}

func TestTrips(t *testing.T) {
	t.Parallel()
	b, err := harness.StartBackends(t.Context(), harness.BackendConfig{Delay: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	s := subject(t, "calls", "AWS_ENDPOINT_URL_DYNAMODB="+b.DynamoDBEndpoint(), "OTEL_EXPORTER_OTLP_ENDPOINT="+b.OTLPEndpoint())
	w, err := harness.RunWarm(t.Context(), s, harness.WarmConfig{Folder: t.TempDir(), Before: 1, Count: 3, Backends: b})
	if err != nil {
		t.Fatal(err)
	}
	for _, trips := range w.Trips {
		// Two calls, two at once, and an export.
		if want := (harness.Trips{Before: 5, Sequence: 4, Telemetry: 1, All: 5}); trips != want {
			t.Errorf("got %+v, want %+v", trips, want)
		}
	}
}

func TestRefusedCallIsAnError(t *testing.T) {
	t.Parallel()
	b, err := harness.StartBackends(t.Context(), harness.BackendConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	s := subject(t, "ignores", "AWS_ENDPOINT_URL_DYNAMODB="+b.DynamoDBEndpoint())
	_, err = harness.RunWarm(t.Context(), s, harness.WarmConfig{Folder: t.TempDir(), Count: 1, Backends: b})
	if err == nil || !strings.Contains(err.Error(), "Scan") {
		t.Errorf("DynamoDB refused a call, and the error is %v", err)
	}
}

func TestTraceInit(t *testing.T) {
	t.Parallel()
	w, err := harness.TraceInit(t.Context(), subject(t, "echo"), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if w.Packages < 20 || w.Allocations < 100 || w.Bytes < 1000 {
		t.Errorf("got %+v", w)
	}
}

func TestGrow(t *testing.T) {
	t.Parallel()
	g, err := harness.Grow(t.Context(), subject(t, "echo"), t.TempDir(), 10, 1500)
	if err != nil {
		t.Fatal(err)
	}
	if g.Early < 1<<20 || g.Late < 1<<20 {
		t.Errorf("got %+v", g)
	}
}
