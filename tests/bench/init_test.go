package bench_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimitddb"
	"github.com/tienda-dev/tienda/tests/fleet"
	"github.com/tienda-dev/tienda/tools/dist"
)

// binary builds a package with the functions' flags. The files of the overlay take the place of others.
func binary(b *testing.B, folder, pkg string, overlay map[string]string) string {
	b.Helper()
	out := filepath.Join(b.TempDir(), "bootstrap")
	args := []string{"build", "-trimpath", "-buildvcs=false", "-tags", dist.Tags, "-ldflags", dist.LinkFlags, "-o", out}
	if overlay != nil {
		text, err := json.Marshal(map[string]any{"Replace": overlay})
		must(b, err)
		path := filepath.Join(b.TempDir(), "overlay.json")
		must(b, os.WriteFile(path, text, 0o600))
		args = append(args, "-overlay", path)
	}
	cmd := exec.CommandContext(b.Context(), "go", append(args, pkg)...)
	cmd.Dir, cmd.Env = folder, append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("go build %s: %v\n%s", pkg, err, text)
	}
	return out
}

// size reports the size of a binary in MB. Call it after b.Loop, which forgets earlier metrics.
func size(b *testing.B, unit, path string) {
	b.Helper()
	info, err := os.Stat(path)
	must(b, err)
	b.ReportMetric(float64(info.Size())/1e6, unit)
}

// plain is the overlay that leaves telemetry out of a function.
func plain(b *testing.B) map[string]string {
	b.Helper()
	process, err := filepath.Abs("../../internal/process")
	must(b, err)
	without, err := filepath.Abs("testdata/plain/telemetry.go")
	must(b, err)
	return map[string]string{
		filepath.Join(process, "telemetry.go"): without, filepath.Join(process, "headers.go"): "",
	}
}

// shop returns the variables of a function whose stores nobody serves.
func shop(b *testing.B, more ...string) []string {
	b.Helper()
	key := filepath.Join(b.TempDir(), "key.json")
	must(b, os.WriteFile(key, []byte(`{"key":"`+string(bytes.Repeat([]byte("k"), ratelimitddb.MinKey))+`"}`), 0o600))
	return append(more, "COMMERCE_TABLE=Commerce", "AUTH_TABLE=Auth", "RATELIMIT_TABLE=Limits", "LIMITER_KEY_SECRET=file:"+key,
		"AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:1")
}

// The INIT of a function with telemetry against the same one without it, and with the official exporters against ours:
// CPU time of whole processes, until they wait for the first event.
func BenchmarkInit(b *testing.B) {
	const unreached = "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1"
	b.Run("GetProduct", func(b *testing.B) {
		without := binary(b, "../..", "./functions/catalog/get-product", plain(b))
		with := binary(b, "../..", "./functions/catalog/get-product", nil)
		starts(b, []start{
			{"without", without, shop(b)}, {"without-endpoint", with, shop(b)}, {"with-endpoint", with, shop(b, unreached)},
		})
	})
	b.Run("OfficialExporters", func(b *testing.B) {
		none, ours := binary(b, "../exporters", "./none", nil), binary(b, "../exporters", "./ours", nil)
		official := binary(b, "../exporters", "./official", nil)
		starts(b, []start{{"none", none, nil}, {"ours", ours, []string{unreached}}, {"official", official, []string{unreached}}})
	})
}

// The size of the authorizer, which links least.
func BenchmarkSizeOfTheAuthorizer(b *testing.B) {
	without, with := binary(b, "../..", "./authorizer", plain(b)), binary(b, "../..", "./authorizer", nil)
	for b.Loop() {
		size(b, "MB", with)
	}
	b.ReportMetric(0, "ns/op")
	size(b, "MB-without", without)
	size(b, "MB", with)
}

// start is a process; name is that of its metrics.
type start struct {
	name, binary string
	env          []string
}

// starts reports how much CPU time, in ms, the INIT of each process takes more than that of the first. The processes
// take turns. Of each, the quickest start counts: load of the machine only ever adds to it.
func starts(b *testing.B, of []start) {
	b.Helper()
	took := make([][]time.Duration, len(of))
	for b.Loop() {
		for range 10 {
			for i, s := range of {
				before := children(b)
				_, err := fleet.Run(b.Context(), fleet.Config{Binary: s.binary, Env: s.env, Instances: 1})
				must(b, err)
				took[i] = append(took[i], children(b)-before)
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	least := slices.Min(took[0])
	b.ReportMetric(ms(least), "ms-"+of[0].name)
	size(b, "MB-"+of[0].name, of[0].binary)
	for i, s := range of[1:] {
		b.ReportMetric(ms(slices.Min(took[i+1])-least), "more-ms-"+s.name)
		size(b, "MB-"+s.name, s.binary)
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// children returns the CPU time of the processes that have ended.
func children(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_CHILDREN, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
