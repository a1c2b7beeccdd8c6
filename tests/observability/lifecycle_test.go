//go:build observability

package observability_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/local/observe"
)

// TestStopLeavesNothing starts everything, stops it, and looks for what still listens or runs.
func TestStopLeavesNothing(t *testing.T) {
	t.Parallel()
	r := start(t, observe.Options{})
	addresses := []string{r.Endpoint, r.Merged, r.Instances, r.Self, r.Prometheus}
	for _, address := range addresses {
		if !listens(t, address) {
			t.Errorf("%s does not listen", address)
		}
	}
	r.Stop()
	r.Stop() // does nothing
	for _, address := range addresses {
		if listens(t, address) {
			t.Errorf("%s still listens", address)
		}
	}
	if left := processes(t, r.Folder); left != "" {
		t.Errorf("left running:\n%s", left)
	}
	select {
	case err := <-r.Failed():
		t.Errorf("Stop is reported as a failure: %v", err)
	default:
	}
}

// TestFailedReportsAProgramThatEnds kills the collector.
func TestFailedReportsAProgramThatEnds(t *testing.T) {
	t.Parallel()
	r := start(t, observe.Options{NoPrometheus: true})
	port := r.Endpoint[strings.LastIndexByte(r.Endpoint, ':')+1:]
	for pid := range strings.FieldsSeq(processes(t, "COLLECTOR_HTTP_PORT="+port)) {
		if err := exec.CommandContext(t.Context(), "kill", "-KILL", pid).Run(); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case err := <-r.Failed():
		if !strings.Contains(err.Error(), "collector ended by itself") {
			t.Errorf("got %v", err)
		}
	case <-time.After(watchdog):
		t.Error("the end of the collector is not reported")
	}
}

// TestStartSaysWhyAProgramDoesNotStart gives the collector a configuration that it refuses.
func TestStartSaysWhyAProgramDoesNotStart(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "collector.yaml")
	if err := os.WriteFile(config, []byte("receivers: {carrier_pigeon: {}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	_, err := observe.Start(t.Context(), observe.Options{Root: root, Folder: folder, CollectorConfigs: []string{config}})
	if err == nil || !strings.Contains(err.Error(), "carrier_pigeon") {
		t.Errorf("got %v, want the collector's own words", err)
	}
	if left := processes(t, folder); left != "" {
		t.Errorf("left running:\n%s", left)
	}
}

func listens(t *testing.T, url string) bool {
	t.Helper()
	c, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

// processes returns the ids of the processes with a text in their command line or environment, without this one.
func processes(t *testing.T, text string) string {
	t.Helper()
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, folder := range folders {
		var all []byte
		for _, name := range []string{"cmdline", "environ"} {
			content, _ := os.ReadFile(filepath.Join(folder, name)) // the process may have ended
			all = append(all, content...)
		}
		if strings.Contains(string(all), text) {
			found = append(found, filepath.Base(folder))
		}
	}
	return strings.Join(found, " ")
}
