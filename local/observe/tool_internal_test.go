package observe

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestInstallKeepsNothingOfAFailure(t *testing.T) {
	t.Parallel()
	tools := Tools{Root: t.TempDir()}
	failure := errors.New("no network")
	fill := func(_ context.Context, folder string) error {
		if err := os.WriteFile(filepath.Join(folder, "half"), nil, 0o600); err != nil {
			return err
		}
		return failure
	}
	if _, err := tools.install(t.Context(), "tool-1", fill); !errors.Is(err, failure) {
		t.Errorf("got %v, want %v", err, failure)
	}
	left, err := os.ReadDir(filepath.Join(tools.Root, ".cache", "bin"))
	if err != nil || len(left) > 0 {
		t.Errorf("it leaves %v (%v)", left, err)
	}
}

func TestInstallFillsOnce(t *testing.T) {
	t.Parallel()
	tools := Tools{Root: t.TempDir()}
	filled := 0
	fill := func(_ context.Context, folder string) error {
		filled++
		// Another process is faster.
		home := filepath.Join(tools.Root, ".cache", "bin", "tool-1")
		if err := os.Mkdir(home, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(home, "theirs"), nil, 0o600); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(folder, "ours"), nil, 0o600)
	}
	for range 2 {
		home, err := tools.install(t.Context(), "tool-1", fill)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(home, "theirs")); err != nil {
			t.Error(err)
		}
	}
	if filled != 1 {
		t.Errorf("it installs %d times, want once", filled)
	}
}

func TestRunKillsWhatTheCommandStarted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	folder := t.TempDir()
	go func() {
		for {
			if _, err := os.Stat(filepath.Join(folder, "started")); err == nil {
				cancel()
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	began := time.Now()
	if _, err := run(ctx, folder, nil, "sh", "-c", "sleep 60 & touch started; wait"); err == nil {
		t.Error("it succeeds")
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it takes %s to end", took)
	}
}

func TestPrometheusConfigHasThisMachinesAddresses(t *testing.T) {
	t.Parallel()
	ports := targets{"COLLECTOR_MERGED_PORT": 1001, "COLLECTOR_INSTANCES_PORT": 1002, "COLLECTOR_SELF_PORT": 1003}
	text, err := prometheusConfig("../..", ports, "127.0.0.1:1004", 3*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"['127.0.0.1:1001']", "['127.0.0.1:1002']", "['127.0.0.1:1003']", "['127.0.0.1:1004']",
		"scrape_interval: 3s", "evaluation_interval: 3s", "../../observability/rules/*.yaml",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "observability"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "observability", "prometheus.yaml"), []byte("global: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := prometheusConfig(root, ports, "127.0.0.1:1004", 0); err == nil || !strings.Contains(err.Error(), "collector:8889") {
		t.Errorf("got %v, want an error that names the address that is not there", err)
	}
}

// Jaeger's page shows what clients sent, and works without a network.
func TestJaegersPageIsSafe(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "observability", "jaeger", "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, unwanted := range []string{"://", "src=", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write"} {
		if strings.Contains(string(page), unwanted) {
			t.Errorf("it has %s", unwanted)
		}
	}
}
