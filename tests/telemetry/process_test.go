package telemetry_test

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Environments are frozen after each invocation and killed at the end without a signal; every seventh export is
// refused once.
func TestNothingIsLostByFreezeAndKill(t *testing.T) {
	t.Parallel()
	const instances, requests = 5, 8
	var exports atomic.Int64
	c := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) bool {
		if exports.Add(1)%7 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		return false
	})
	l := newLambda(t, instances, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL}, 10*time.Second)
	var group sync.WaitGroup
	for i := range instances {
		group.Go(func() {
			pid := 0
			for range requests {
				if pid != 0 {
					_ = syscall.Kill(pid, syscall.SIGCONT)
				}
				status, body, _, err := l.call(t, i, "ok")
				if err != nil || status != http.StatusOK {
					t.Errorf("got %d, %v", status, err)
					return
				}
				pid, _ = strconv.Atoi(body)
				_ = syscall.Kill(pid, syscall.SIGSTOP)
			}
			_ = syscall.Kill(pid, syscall.SIGKILL)
		})
	}
	group.Wait()

	for _, counter := range []string{"faas.invocations", "shop.order.placed"} {
		if got := c.total(counter); got != instances*requests {
			t.Errorf("%s is %v, want %d", counter, got, instances*requests)
		}
	}
	if got := c.total("faas.coldstarts"); got != instances {
		t.Errorf("faas.coldstarts is %v, want %d", got, instances)
	}
	if all, different := c.unique(); all != instances*requests || different != all {
		t.Errorf("got %d spans, %d different ones, want %d", all, different, instances*requests)
	}
}

func TestATimeoutArrivesBeforeTheKill(t *testing.T) {
	t.Parallel()
	c := newReceiver(t, nil)
	l := newLambda(t, 1, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL}, 2*time.Second)
	if _, _, _, err := l.call(t, 0, "sleep"); err == nil {
		t.Fatal("the function answered")
	}
	if got := c.total("faas.timeouts"); got != 1 {
		t.Errorf("faas.timeouts is %v, want 1", got)
	}
	if !c.failed("timeout") {
		t.Error("no span has error.type timeout")
	}
}

func TestAPanicIsRecorded(t *testing.T) {
	t.Parallel()
	c := newReceiver(t, nil)
	l := newLambda(t, 1, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL}, 5*time.Second)
	if status, _, _, err := l.call(t, 0, "panic"); status != http.StatusInternalServerError || err != nil {
		t.Errorf("got %d, %v", status, err)
	}
	if !c.failed("panic") {
		t.Error("no span has error.type panic")
	}
}

// The response must not wait for the collector. The medians are compared in one run, because the machine decides
// what a millisecond is worth.
func TestACollectorDoesNotSlowResponses(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done()
		return true
	}
	slow := func(http.ResponseWriter, *http.Request) bool {
		time.Sleep(100 * time.Millisecond)
		return false
	}
	refusing := newReceiver(t, nil)
	refusing.Close()
	environs := map[string]map[string]string{
		"Off":      nil,
		"Fast":     {"OTEL_EXPORTER_OTLP_ENDPOINT": newReceiver(t, nil).URL},
		"Slow":     {"OTEL_EXPORTER_OTLP_ENDPOINT": newReceiver(t, slow).URL},
		"Hanging":  {"OTEL_EXPORTER_OTLP_ENDPOINT": newReceiver(t, hang).URL, "OTEL_EXPORTER_OTLP_TIMEOUT": "200"},
		"Refusing": {"OTEL_EXPORTER_OTLP_ENDPOINT": refusing.URL},
	}
	functions := map[string]*lambda{}
	for name, environ := range environs {
		functions[name] = newLambda(t, 1, environ, 10*time.Second)
	}
	took := map[string][]time.Duration{}
	for range 21 { // in turns, so that the machine's load is the same for all
		for name, l := range functions {
			status, _, d, err := l.call(t, 0, "ok")
			if err != nil || status != http.StatusOK {
				t.Fatalf("%s: got %d, %v", name, status, err)
			}
			took[name] = append(took[name], d)
		}
	}
	for name, all := range took {
		slices.Sort(all)
		median := all[len(all)/2]
		t.Logf("%s: median %v", name, median)
		if off := took["Off"]; name != "Off" && median > 2*off[len(off)/2]+20*time.Millisecond {
			t.Errorf("%s: the median is %v", name, median)
		}
	}
}
