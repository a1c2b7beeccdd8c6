package app

import (
	"math"
	"net/http"
	"runtime"
	"runtime/debug"
	"testing"
)

// TestTuneOfParallelInvocations does not run in parallel: it changes the default transport.
func TestTuneOfParallelInvocations(t *testing.T) { //nolint:paralleltest // see above
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		t.Fatalf("the default transport is %T", http.DefaultTransport)
	}
	idle, perHost := transport.MaxIdleConns, transport.MaxIdleConnsPerHost
	t.Cleanup(func() { transport.MaxIdleConns, transport.MaxIdleConnsPerHost = idle, perHost })
	for _, tc := range []struct {
		knobs         knobs
		idle, perHost int
	}{
		{knobs{Concurrency: 8}, idle, perHost}, // not Lambda
		{knobs{Memory: 2048}, idle, perHost},
		{knobs{Memory: 2048, Concurrency: 1}, idle, perHost},
		{knobs{Memory: 2048, Concurrency: 8}, idle, 8},
		{knobs{Memory: 2048, Concurrency: 200}, 200, 200},
	} {
		transport.MaxIdleConns, transport.MaxIdleConnsPerHost = idle, perHost
		tc.knobs.Threads, tc.knobs.GCPercent, tc.knobs.MemoryLimit = "2", "100", "1GiB" // and nothing else changes
		tc.knobs.tune()
		if transport.MaxIdleConns != tc.idle || transport.MaxIdleConnsPerHost != tc.perHost {
			t.Errorf("%+v: %d connections, %d to one host", tc.knobs, transport.MaxIdleConns, transport.MaxIdleConnsPerHost)
		}
	}
}

// TestTune does not run in parallel: it changes the runtime.
func TestTune(t *testing.T) { //nolint:paralleltest // see above
	type settings struct {
		threads, percent int
		limit            int64
	}
	before := settings{runtime.GOMAXPROCS(0), debug.SetGCPercent(100), debug.SetMemoryLimit(-1)}
	reset := func(k settings) {
		runtime.GOMAXPROCS(k.threads)
		debug.SetGCPercent(k.percent)
		debug.SetMemoryLimit(k.limit)
	}
	t.Cleanup(func() { reset(before) })
	untouched := settings{3, 100, math.MaxInt64}
	for name, tc := range map[string]struct {
		knobs knobs
		want  settings
	}{
		"NotLambda":     {knobs{}, untouched},
		"Small":         {knobs{Memory: 512}, settings{1, 400, 429_496_729}},
		"WholeCPU":      {knobs{Memory: 1769}, settings{1, 400, 1_483_944_755}},
		"MoreThanOne":   {knobs{Memory: 1770}, settings{3, 400, 1_484_783_616}},
		"Instance":      {knobs{Memory: 2048, Concurrency: 8}, settings{1, 400, 1_717_986_918}},
		"LargeInstance": {knobs{Memory: 4096, Concurrency: 8}, settings{3, 400, 3_435_973_836}},
		"NoInstance":    {knobs{Memory: 2048, Concurrency: 1}, settings{3, 400, 1_717_986_918}},
		"Chosen":        {knobs{Memory: 512, Threads: "3", GCPercent: "100", MemoryLimit: "1GiB"}, untouched},
	} {
		t.Run(name, func(t *testing.T) {
			reset(untouched)
			tc.knobs.tune()
			got := settings{runtime.GOMAXPROCS(0), debug.SetGCPercent(100), debug.SetMemoryLimit(-1)}
			if got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}
