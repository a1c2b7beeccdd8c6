//go:build observability

package observability_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/local/observe"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/tests/suite"
)

// shop is the whole API, which sends traces, metrics and log lines to a collector.
type shop struct {
	*stack.Stack
	*suite.Caller

	observed *observe.Running
	out      *suite.Buffer // what the gateway and the functions write
}

// TestShop runs the built functions on DynamoDB Local, beside the collector and Prometheus. The collector does not
// redact: what is clean here, the functions have cleaned.
func TestShop(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "collector.yaml")
	redacting := read(t, "observability/collector.yaml")
	write(t, config, strings.ReplaceAll(redacting, "redaction, ", ""), redacting)
	s := shop{out: &suite.Buffer{}, observed: start(t, observe.Options{
		ScrapeInterval: time.Second, CollectorConfigs: []string{config}, Env: map[string]string{"COLLECTOR_DECISION_WAIT": "1s"},
	})}
	s.serve(t)
	t.Run("RequestIsOneTrace", s.requestIsOneTrace)
	t.Run("NothingSecretIsSent", s.nothingSecretIsSent)
	t.Run("ExemplarsAreOfKeptTraces", s.exemplarsAreOfKeptTraces)
}

// serve starts the API. Its functions send their log lines too.
func (s *shop) serve(t *testing.T) {
	t.Helper()
	folder, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	s.Stack, err = stack.Start(t.Context(), stack.Options{
		Root: root, BinDir: folder, Out: s.out, Unlimited: true,
		Parameters: map[string]string{"LogLevel": "DEBUG", "LogsExporter": "otlp", stack.RateLimitsOff: "all"},
		Telemetry:  stack.Telemetry{Endpoint: s.observed.Endpoint},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	client := suite.NewClient()
	t.Cleanup(client.CloseIdleConnections)
	s.Caller = suite.New(suite.Target{URL: s.URL, Client: client})
}

// write writes a changed file, and fails if it is the original.
func write(t *testing.T, name, changed, original string) {
	t.Helper()
	if changed == original {
		t.Fatalf("%s is not changed", filepath.Base(name))
	}
	if err := os.WriteFile(name, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *shop) token(t *testing.T, subject string, roles ...string) string {
	t.Helper()
	token, err := s.Token(subject, roles...)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// requestIsOneTrace follows a client's traceparent through the authorizer and the function to their tables, in
// what the collector has written.
func (s *shop) requestIsOneTrace(t *testing.T) {
	const (
		trace, client       = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
		authorizer, session = "authorizer", "DynamoDB.BatchGetItem"
		function, products  = "GET /v1/staff/products", "DynamoDB.Query"
		functionName        = "list-staff-products"
	)
	answer := s.Do(t, suite.Request{
		Method: http.MethodGet, Path: "/v1/staff/products?limit=1", Token: s.token(t, "trace", policy.RoleCatalog),
		Header: map[string]string{"Traceparent": "00-" + trace + "-" + client + "-01"},
	})
	if answer.Status != http.StatusOK {
		t.Fatalf("got %d %s", answer.Status, answer.Body)
	}
	spans := map[string]span{}
	eventually(t, func() error {
		clear(spans)
		for _, found := range spansIn(t, s.observed) {
			if found.TraceID != trace {
				continue
			}
			if _, again := spans[found.Name]; again {
				return fmt.Errorf("the trace has two spans %s", found.Name)
			}
			spans[found.Name] = found
		}
		for _, name := range []string{authorizer, session, function, products} {
			if spans[name].SpanID == "" {
				return fmt.Errorf("the trace %s has no span %s: %v", trace, name, spans)
			}
		}
		return nil
	})
	for name, parent := range map[string]string{
		authorizer: client, function: client, session: spans[authorizer].SpanID, products: spans[function].SpanID,
	} {
		if got := spans[name].ParentSpanID; got != parent {
			t.Errorf("%s is below %s, want %s", name, got, parent)
		}
	}
	if links := spans[function].Links; !slices.ContainsFunc(links, func(l struct{ SpanID string }) bool { return l.SpanID == spans[authorizer].SpanID }) {
		t.Errorf("the function's span has the links %v, want the authorizer's span %s", links, spans[authorizer].SpanID)
	}
	for name, table := range map[string]string{session: s.Tables["AuthTable"], products: s.Tables["CommerceTable"]} {
		if got := spans[name].Attributes.text("db.collection.name"); got != table {
			t.Errorf("%s reads the table %q, want %q", name, got, table)
		}
	}
	for name, want := range map[string]string{authorizer: spans[authorizer].SpanID, functionName: spans[function].SpanID} {
		eventually(t, func() error { return s.lineHasIDs(t, name, trace, want) })
	}
}

// lineHasIDs checks that a function has written a line of a trace, below a span.
func (s *shop) lineHasIDs(t *testing.T, function, trace, span string) error {
	t.Helper()
	for _, l := range linesIn(t, s.observed) {
		if l.function == function && l.TraceID == trace && l.SpanID == span {
			return nil
		}
	}
	return fmt.Errorf("%s has sent no line with the trace %s and the span %s", function, trace, span)
}

// exemplarsAreOfKeptTraces asks Prometheus for the traces behind the durations of requests, and finds each in the
// collector's file.
func (s *shop) exemplarsAreOfKeptTraces(t *testing.T) {
	began := time.Now()
	eventually(t, func() error {
		ids := exemplarIDs(t, s.observed, began)
		if len(ids) == 0 {
			return errors.New("no exemplar in Prometheus")
		}
		kept := map[string]string{}
		for _, found := range spansIn(t, s.observed) {
			kept[found.SpanID] = found.TraceID
		}
		for span, trace := range ids {
			if kept[span] != trace {
				return fmt.Errorf("the exemplar's span %s of the trace %s is not kept", span, trace)
			}
		}
		return nil
	})
}

// exemplarIDs returns the trace ids of the exemplars in Prometheus, by span id.
func exemplarIDs(t *testing.T, r *observe.Running, at time.Time) map[string]string {
	t.Helper()
	var answer struct {
		Data []struct {
			Exemplars []struct{ Labels map[string]string }
		}
	}
	body := get(t, fmt.Sprintf("%s/api/v1/query_exemplars?start=%d&end=%d&query=%s",
		r.Prometheus, at.Unix()-600, at.Unix()+600, url.QueryEscape("http_server_request_exemplars_seconds_bucket")))
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	ids := map[string]string{}
	for _, series := range answer.Data {
		for _, e := range series.Exemplars {
			ids[e.Labels["span_id"]] = e.Labels["trace_id"]
		}
	}
	return ids
}
