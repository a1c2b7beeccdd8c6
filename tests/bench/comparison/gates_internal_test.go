package comparison

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/tests/bench/harness"
	"github.com/tienda-dev/tienda/tools/dist"
)

// limits are the most that a binary may have: today's values and a small margin. None of them is a time, so they hold on a
// busy machine too. Raise one with the change that needs it, and say there why it is worth that.
func limits() map[string]limit {
	return map[string]limit{
		"get-liveness":          {bytes: 9_520_000, allocations: 660, requests: 0, sequence: 0},
		"get-product":           {bytes: 10_600_000, allocations: 2_420, requests: 1, sequence: 1},
		"get-product+telemetry": {bytes: 10_600_000, allocations: 2_420, requests: 1, sequence: 1},
		"get-product+all":       {bytes: 10_600_000, allocations: 2_420, requests: 2, sequence: 1},
		"list-products":         {bytes: 10_780_000, allocations: 2_420, requests: 1, sequence: 1},
		"get-order":             {bytes: 10_370_000, allocations: 2_290, requests: 1, sequence: 1},
		"authorizer":            {bytes: 9_630_000, allocations: 690, requests: 1, sequence: 1},
		"full":                  {bytes: 10_580_000, allocations: 1_450, requests: 2, sequence: 1},
		"full+product":          {bytes: 10_580_000, allocations: 1_450, requests: 3, sequence: 1},
	}
}

type limit struct {
	// bytes is the size of the binary for amd64, allocations is what its packages allocate when they are initialised.
	bytes       int64
	allocations int
	// requests are those to backends for one invocation. Exports are not among them: events come fast, so that most
	// invocations have none. sequence is how many are one after the other
	// before the response.
	requests, sequence float64
}

// TestGates holds every binary of Tienda's that the bench measures against its limits.
func TestGates(t *testing.T) {
	t.Parallel()
	w, err := newWorld(t.Context(), t.TempDir(), time.Now(), usual())
	if err != nil {
		t.Fatal(err)
	}
	backends, err := w.backends(t.Context(), 5*time.Millisecond, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(backends.Close)
	all, known := limits(), map[string]string{}
	out := t.TempDir()
	for _, d := range definitions() {
		if d.peer {
			continue
		}
		most, ok := all[d.name]
		if !ok {
			t.Errorf("%s has no limits", d.name)
		}
		delete(all, d.name)
		path := known[d.program()]
		if path == "" {
			path = filepath.Join(out, d.program())
			known[d.program()] = path
			if err := dist.Program(t.Context(), dist.Options{Root: "../../..", GOOS: runtime.GOOS, GOARCH: "amd64"}, folders()[d.program()], path); err != nil {
				t.Fatal(err)
			}
			for _, symbol := range linked(t, path, blockers) {
				t.Errorf("%s links %s: the linker keeps every method then", d.program(), symbol)
			}
			for _, symbol := range linked(t, path, unneeded) {
				t.Errorf("%s links %s, which it does not need", d.program(), symbol)
			}
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > most.bytes {
			t.Errorf("%s has %d bytes, at most %d are allowed", d.name, info.Size(), most.bytes)
		}
		if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
			continue // this machine cannot start it
		}
		s, err := d.subject(w, path, backends, trust{})
		if err != nil {
			t.Fatal(err)
		}
		most.check(t, s, backends)
	}
	for name := range all {
		t.Errorf("%s has limits, and no definition", name)
	}
}

// check starts a binary and counts.
func (most limit) check(t *testing.T, s harness.Subject, backends *harness.Backends) {
	t.Helper()
	work, err := harness.TraceInit(t.Context(), s, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if work.Allocations > most.allocations || work.Allocations < most.allocations/2 {
		t.Errorf("%s allocates %d times when its packages are initialised, at most %d are allowed, and fewer than half of that calls for a lower limit",
			s.Name, work.Allocations, most.allocations)
	}
	if work.Collections > 0 {
		t.Errorf("%s collects garbage %d times in INIT", s.Name, work.Collections)
	}
	warm, err := harness.RunWarm(t.Context(), s, harness.WarmConfig{Folder: t.TempDir(), Before: 3, Count: 15, Backends: backends})
	if err != nil {
		t.Fatal(err)
	}
	var requests, sequence, exports []float64
	for _, trips := range warm.Trips {
		requests, sequence = append(requests, float64(trips.All)), append(sequence, float64(trips.Sequence))
		exports = append(exports, float64(trips.Telemetry))
	}
	// A busy machine delays a request, so that it no longer overlaps with another or is later than an export, and it delays
	// the harness, which then takes a request for one of another invocation. The least of many invocations is at most what the
	// code makes necessary.
	got := limit{requests: harness.Median(requests), sequence: slices.Min(sequence)}
	if got.requests != most.requests || got.sequence > most.sequence {
		t.Errorf("%s sends %g requests, %g in sequence before the response; want %g, and at most %g", s.Name, got.requests, got.sequence, most.requests, most.sequence)
	}
	if n := slices.Min(exports); n != 0 {
		t.Errorf("%s exports %g times before the response", s.Name, n)
	}
	t.Logf("%-22s %5d allocations in INIT, %g requests, %g in sequence", s.Name, work.Allocations, got.requests, got.sequence)
}

// blockers are functions that switch the linker's pruning of methods off, or that come with what does.
var blockers = []string{
	"\x00reflect.Value.MethodByName\x00", "\x00reflect.Value.Method\x00", "\x00text/template.", "\x00html/template.", "\x00net/rpc.", "\x00golang.org/x/net/trace.",
}

// unneeded are functions of what these binaries do without: the SDK's client of DynamoDB (0.7 MB), OpenTelemetry's SDK of
// logs (0.2 MB), and zap's code for every kind of list (0.16 MB).
var unneeded = []string{
	"\x00github.com/aws/aws-sdk-go-v2/service/dynamodb.New\x00", "\x00go.opentelemetry.io/otel/sdk/log.", "\x00go.uber.org/zap.Any\x00",
}

// linked returns which of the functions a binary has. Their names are in a binary without symbols too: the runtime needs
// them.
func linked(t *testing.T, path string, functions []string) []string {
	t.Helper()
	binary, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(binary, []byte("\x00main.main\x00")) {
		t.Fatalf("%s has no names of functions", path)
	}
	var found []string
	for _, name := range functions {
		if bytes.Contains(binary, []byte(name)) {
			found = append(found, fmt.Sprintf("%q", name[1:]))
		}
	}
	return found
}

// A binary with a template is found.
func TestBlockersAreFound(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":  "module example.com/planted\n\ngo 1.26\n",
		"main.go": "package main\n\nimport (\n\t\"os\"\n\t\"text/template\"\n)\n\nfunc main() { _ = template.Must(template.New(\"\").Parse(os.Args[0])).Execute(os.Stdout, nil) }\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(folder, "bootstrap")
	if err := dist.Program(t.Context(), dist.Options{Root: folder, GOOS: "linux", GOARCH: "amd64"}, ".", path); err != nil {
		t.Fatal(err)
	}
	if found := linked(t, path, blockers); len(found) < 2 {
		t.Errorf("found %q", found)
	}
}
