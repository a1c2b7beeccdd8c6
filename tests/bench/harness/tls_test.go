package harness_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/tests/bench/harness"
)

// A function trusts the backends by the written store, and not without it.
func TestTLS(t *testing.T) {
	t.Parallel()
	authority, err := harness.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	b, err := harness.StartBackends(t.Context(), harness.BackendConfig{TLS: authority})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	bundle := filepath.Join(t.TempDir(), "bundle.pem")
	if _, err := authority.WriteBundle(bundle); err != nil {
		t.Fatal(err)
	}
	env := []string{"AWS_ENDPOINT_URL_DYNAMODB=" + b.DynamoDBEndpoint(), "OTEL_EXPORTER_OTLP_ENDPOINT=" + b.OTLPEndpoint()}
	if _, err := harness.StartCold(t.Context(), subject(t, "calls", env...), harness.ColdConfig{Folder: t.TempDir()}); err == nil {
		t.Error("a function trusts an unknown authority")
	}
	env = append(env, "SSL_CERT_FILE="+bundle)
	if _, err := harness.StartCold(t.Context(), subject(t, "calls", env...), harness.ColdConfig{Folder: t.TempDir()}); err != nil {
		t.Errorf("a function does not trust its authority: %v", err)
	}
	calls, err := b.Take()
	if err != nil || len(calls) != 5 {
		t.Errorf("%d calls, %v, want 5", len(calls), err)
	}
}

// A quota makes a function slower, or is not measured.
func TestQuota(t *testing.T) {
	t.Parallel()
	q, err := harness.NewQuota(0.05)
	if errors.Is(err, harness.ErrNotMeasured) {
		t.Logf("no quota here: %v", err)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	if _, err := harness.StartCold(t.Context(), subject(t, "echo"), harness.ColdConfig{Folder: t.TempDir(), Quota: q}); err != nil {
		t.Error(err)
	}
}

func TestEvict(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := harness.Evict(path); err != nil && !errors.Is(err, harness.ErrNotMeasured) {
		t.Error(err)
	}
	if err := harness.Evict(path + ".none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestDelay(t *testing.T) {
	t.Parallel()
	b, err := harness.StartBackends(t.Context(), harness.BackendConfig{Delay: 30 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	s := subject(t, "calls", "AWS_ENDPOINT_URL_DYNAMODB="+b.DynamoDBEndpoint(), "OTEL_EXPORTER_OTLP_ENDPOINT="+b.OTLPEndpoint())
	c, err := harness.StartCold(t.Context(), s, harness.ColdConfig{Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if c.First < 120*time.Millisecond {
		t.Errorf("four calls in sequence of 30 ms each took %v", c.First)
	}
}
