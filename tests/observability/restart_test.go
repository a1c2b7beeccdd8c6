//go:build observability

package observability_test

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/local/observe"
	"github.com/tienda-dev/tienda/tests/fleet"
)

// The requests of an instance before which the collector is stopped, started again, and seen to count again.
const (
	stopBefore    = 3
	startBefore   = 5
	countedBefore = 7
	restartEach   = 9
)

// TestRestartLosesWhatTheDocumentationSays restarts the collector while ten instances are alive. Ten others start
// after it. docs/monitoring.md says what is lost: of an instance that lives through it, what it counts from its last
// export before the restart to its first one afterwards. What happens to it for the first time later, such as a HEAD
// request, counts. Spans and log lines wait in the instances.
func TestRestartLosesWhatTheDocumentationSays(t *testing.T) {
	t.Parallel()
	const older, newer = 10, 10
	r := start(t, observe.Options{ScrapeInterval: time.Second})
	const requests, cold = `faas_invocations_total{faas_trigger="http"}`, `faas_coldstarts_total{faas_trigger="http"}`

	gates := map[int]*gate{
		stopBefore: newGate(older, func() {
			eventually(t, func() error { return oneSeries(t, r, requests, older*stopBefore) })
			eventually(t, func() error { return oneSeries(t, r, cold, older) })
			stopCollector(t, r)
		}),
		startBefore: newGate(older, func() {
			startCollectorAgain(t, r)
			time.Sleep(pauseAfterFailures)
		}),
		countedBefore: newGate(older, func() {
			eventually(t, func() error { return oneSeries(t, r, requests, older) })
		}),
	}
	var wrong atomic.Int64
	cfg := fleetConfig(t, r.Endpoint, older+newer, restartEach)
	cfg.Alive = older
	event := cfg.Event
	head := bytes.ReplaceAll(event(0, 0), []byte(`"method": "GET"`), []byte(`"method": "HEAD"`))
	cfg.Event = func(instance, request int) []byte {
		if g := gates[request]; g != nil && instance < older {
			g.pass()
		}
		if instance < older && request == restartEach-1 {
			return head
		}
		return event(instance, request)
	}
	cfg.Answered = func(_, _ int, payload []byte, _ time.Duration) {
		if !strings.Contains(string(payload), `"statusCode":200`) {
			wrong.Add(1)
		}
	}
	result, err := fleet.Run(t.Context(), cfg)
	if err != nil || result != (fleet.Result{Responses: (older + newer) * restartEach}) || wrong.Load() != 0 {
		t.Fatalf("got %+v, %v and %d wrong answers, want %d responses", result, err, wrong.Load(), (older+newer)*restartEach)
	}

	// The first total of an older instance, with the request after the start, is where its count begins.
	const lost = startBefore - stopBefore + 1
	eventually(t, func() error {
		return oneSeries(t, r, requests, older*(restartEach-stopBefore-lost)+newer*restartEach)
	})
	eventually(t, func() error { return oneSeries(t, r, cold, newer) })
	eventually(t, func() error {
		return oneSeries(t, r, `http_server_request_duration_seconds_count{http_request_method="HEAD"}`, older)
	})
	eventually(t, func() error { return oneSeries(t, r, "resets("+requests+"[10m])", 1) })
	for _, signal := range signals {
		eventually(t, func() error { return signal.complete(t, r, older+newer, restartEach, 0, false) })
	}
}

// pauseAfterFailures is longer than a function leaves a collector alone that has failed twice.
const pauseAfterFailures = 2 * time.Second

// gate holds instances back until all of them have come and something is done.
type gate struct {
	missing atomic.Int64
	do      func()
	open    chan struct{}
}

func newGate(instances int64, do func()) *gate {
	g := &gate{do: do, open: make(chan struct{})}
	g.missing.Store(instances)
	return g
}

// pass is called once by each instance.
func (g *gate) pass() {
	if g.missing.Add(-1) == 0 {
		defer close(g.open)
		g.do()
		return
	}
	<-g.open
}

// stopCollector ends the collector as an orchestrator does, and waits for its end.
func stopCollector(t *testing.T, r *observe.Running) {
	t.Helper()
	for id := range strings.FieldsSeq(processes(t, "COLLECTOR_HTTP_PORT="+port(t, r.Endpoint))) {
		pid, err := strconv.Atoi(id)
		if err != nil {
			t.Error(err)
			return
		}
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	}
	select {
	case <-r.Failed():
	case <-time.After(watchdog):
		t.Error("the collector does not end after SIGTERM")
	}
}

// startCollectorAgain starts it where the stopped one was, with the same files.
func startCollectorAgain(t *testing.T, r *observe.Running) {
	t.Helper()
	again, err := observe.Start(t.Context(), observe.Options{
		Root: root, Folder: r.Folder, NoPrometheus: true, Env: map[string]string{
			"COLLECTOR_HTTP_PORT": port(t, r.Endpoint), "COLLECTOR_MERGED_PORT": port(t, r.Merged),
			"COLLECTOR_INSTANCES_PORT": port(t, r.Instances), "COLLECTOR_SELF_PORT": port(t, r.Self),
		},
	})
	if err != nil {
		log, _ := os.ReadFile(r.Folder + "/collector.log")
		t.Error(fmt.Errorf("start the collector again: %w\n%s", err, log))
		return
	}
	t.Cleanup(again.Stop)
}

func port(t *testing.T, address string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Error(err)
		return ""
	}
	return parsed.Port()
}
