//go:build observability

package observability_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/protobuf/proto"

	"github.com/tienda-dev/tienda/local/observe"
	"github.com/tienda-dev/tienda/shared/metrics"
)

// TestSamplingKeepsErrorsAndSlowTraces sends fast, slow and failed traces, of which no share is kept.
func TestSamplingKeepsErrorsAndSlowTraces(t *testing.T) {
	t.Parallel()
	r := start(t, observe.Options{NoPrometheus: true, Env: map[string]string{
		"COLLECTOR_SHARE_PERCENT": "0", "COLLECTOR_SLOW_MS": "500", "COLLECTOR_DECISION_WAIT": "1s",
	}})
	const each = 20
	for range each {
		send(t, r, "/v1/traces", trace(20*time.Millisecond, false, text("kind", "fast")))
		send(t, r, "/v1/traces", trace(900*time.Millisecond, false, text("kind", "slow")))
		send(t, r, "/v1/traces", trace(20*time.Millisecond, true, text("kind", "failed")))
	}
	eventually(t, func() error {
		written := file(t, r, tracesFile)
		for kind, want := range map[string]int{"slow": each, "failed": each} {
			if got := strings.Count(written, `"stringValue":"`+kind+`"`); got != want {
				return fmt.Errorf("%d %s traces, want %d", got, kind, want)
			}
		}
		return nil
	})
	if strings.Contains(file(t, r, tracesFile), `"stringValue":"fast"`) {
		t.Error("it keeps a fast trace without an error")
	}
}

// TestNothingSecretLeavesTheCollector sends canaries in every signal.
func TestNothingSecretLeavesTheCollector(t *testing.T) {
	t.Parallel()
	r := start(t, observe.Options{NoPrometheus: true})
	canaries := map[string]string{
		"user.note":            "write to maria.canary@shop.example please",
		"card":                 "paid with 4111 1111 1111 1111",
		"header":               "Bearer canary-token-123456",
		"assertion":            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl",
		"user.password":        "canary-of-a-key",
		"http.authorization":   "canary-of-a-header",
		"aws.access":           "AKIACANARYCANARY0000",
		"payment.card_number":  "canary-of-a-number",
		"session.refreshToken": "canary-of-a-session",
	}
	attributes := []*commonpb.KeyValue{text("http.route", "/v1/products"), text("product.id", "01J9ZQ4Y5T8V2X6W3R7N1M0KPA")}
	for key, value := range canaries {
		attributes = append(attributes, text(key, value))
	}
	send(t, r, "/v1/traces", trace(time.Second, false, attributes...))
	send(t, r, "/v1/logs", logLine("the mail of maria.canary@shop.example bounced", attributes...))
	message := everything(time.Now(), 1)
	sum := metric(message, metrics.FaaSColdstarts).GetSum()
	sum.DataPoints[0].Attributes = append(sum.DataPoints[0].Attributes, attributes...)
	send(t, r, "/v1/metrics", message)

	var written map[string]string
	eventually(t, func() error {
		written = map[string]string{
			"traces": file(t, r, tracesFile), "logs": file(t, r, logsFile), "metrics": get(t, r.Merged+"/metrics"),
		}
		for signal, text := range written {
			if !strings.Contains(text, "01J9ZQ4Y5T8V2X6W3R7N1M0KPA") {
				return errors.New(signal + ": the product's id has not arrived")
			}
		}
		return nil
	})
	for signal, text := range written {
		for _, secret := range []string{"canary", "4111", "AKIA", "eyJ"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s: %q leaves the collector", signal, secret)
			}
		}
	}
}

func send(t *testing.T, r *observe.Running, path string, message proto.Message) {
	t.Helper()
	if code, err := post(t.Context(), newClient(), r.Endpoint+path, message); err != nil || code != http.StatusOK {
		t.Fatalf("%s: status %d, %v", path, code, err)
	}
}

// file reads what the collector has written; a file that is not there is empty.
func file(t *testing.T, r *observe.Running, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(r.Folder, name))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(content)
}

// TestCollectorAcceptsItsConfigurations lets `collector validate` read each of them.
func TestCollectorAcceptsItsConfigurations(t *testing.T) {
	t.Parallel()
	binary, err := observe.Tools{Root: root}.Collector(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	base := "file:" + filepath.Join(root, "observability", "collector.yaml")
	fargate := "file:" + filepath.Join(root, "observability", "fargate", "collector.yaml")
	for name, args := range map[string][]string{
		"base":    {"validate", "--config", base},
		"fargate": {"validate", "--config", base, "--config", fargate},
	} {
		command := exec.CommandContext(t.Context(), binary, args...)
		command.Env = append(os.Environ(), "COLLECTOR_TOKEN=token")
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	planted := filepath.Join(t.TempDir(), "planted.yaml")
	if err := os.WriteFile(planted, []byte(strings.Replace(read(t, "observability/collector.yaml"), "max_stale:", "max_stail:", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := exec.CommandContext(t.Context(), binary, "validate", "--config", "file:"+planted).Run(); err == nil {
		t.Error("`collector validate` accepts a setting that does not exist")
	}
}

// TestFargateAsksForTheToken sends with and without it, to the collector as the Fargate stack configures it.
func TestFargateAsksForTheToken(t *testing.T) {
	t.Parallel()
	const token = "a-token-for-this-test"
	r := start(t, observe.Options{
		NoPrometheus: true, Env: map[string]string{"COLLECTOR_TOKEN": token},
		CollectorConfigs: []string{filepath.Join(root, "observability", "collector.yaml"), filepath.Join(root, "observability", "fargate", "collector.yaml")},
	})
	for given, want := range map[string]int{"": http.StatusUnauthorized, "another": http.StatusUnauthorized, token: http.StatusOK} {
		client := &http.Client{Transport: bearer(given)}
		code, err := post(t.Context(), client, r.Endpoint+"/v1/traces", trace(time.Second, false))
		if err != nil || code != want {
			t.Errorf("with the token %q: got %d, %v, want %d", given, code, err, want)
		}
	}
}

// bearer sends its value as the token of each request.
type bearer string

// RoundTrip implements http.RoundTripper.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	if b != "" {
		r.Header.Set("Authorization", "Bearer "+string(b))
	}
	return newClient().Transport.RoundTrip(r)
}
