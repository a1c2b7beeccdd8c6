package telemetry_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	colmetricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/telemetry"
)

// collector is an OTLP receiver that decodes with the official messages.
type collector struct {
	*httptest.Server

	// before runs before an export is answered; it may answer itself and return true.
	before func(w http.ResponseWriter, r *http.Request) bool
	json   bool // decodes OTLP's JSON instead of protobuf

	mu      sync.Mutex
	traces  []*coltracepb.ExportTraceServiceRequest
	metrics []*colmetricspb.ExportMetricsServiceRequest
	logs    []*collogspb.ExportLogsServiceRequest
	raw     []string
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "body", http.StatusBadRequest)
		return
	}
	if c.before != nil && c.before(w, r) {
		return
	}
	var message proto.Message
	c.mu.Lock()
	defer c.mu.Unlock()
	switch r.URL.Path {
	case "/v1/traces":
		m := &coltracepb.ExportTraceServiceRequest{}
		message, c.traces = m, append(c.traces, m)
	case "/v1/metrics":
		m := &colmetricspb.ExportMetricsServiceRequest{}
		message, c.metrics = m, append(c.metrics, m)
	case "/v1/logs":
		m := &collogspb.ExportLogsServiceRequest{}
		message, c.logs = m, append(c.logs, m)
	}
	decode := proto.Unmarshal
	if c.json {
		decode = func(body []byte, m proto.Message) error { return protojson.Unmarshal(idsInBase64(body), m) }
	}
	if err := decode(body, message); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	text, _ := protojson.Marshal(message)
	c.raw = append(c.raw, string(text))
}

// idsInBase64 makes protojson's encoding of ids from OTLP's, which is hex.
func idsInBase64(body []byte) []byte {
	return regexp.MustCompile(`"(?:trace|span|parentSpan)Id":"[0-9a-f]+"`).ReplaceAllFunc(body, func(member []byte) []byte {
		name, id, _ := bytes.Cut(member[:len(member)-1], []byte(`:"`))
		raw, _ := hex.DecodeString(string(id)) // the expression has matched it
		return fmt.Appendf(nil, `%s:"%s"`, name, base64.StdEncoding.EncodeToString(raw))
	})
}

func (c *collector) spans() []*tracepb.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []*tracepb.Span
	for _, request := range c.traces {
		for _, r := range request.GetResourceSpans() {
			for _, s := range r.GetScopeSpans() {
				all = append(all, s.GetSpans()...)
			}
		}
	}
	return all
}

// lines returns the log records whose text begins with prefix.
func (c *collector) lines(prefix string) []*logspb.LogRecord {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []*logspb.LogRecord
	for _, request := range c.logs {
		for _, r := range request.GetResourceLogs() {
			for _, s := range r.GetScopeLogs() {
				for _, l := range s.GetLogRecords() {
					if strings.HasPrefix(l.GetBody().GetStringValue(), prefix) {
						found = append(found, l)
					}
				}
			}
		}
	}
	return found
}

// last returns the metric of the last export that has it.
func (c *collector) last(name string) *metricspb.Metric {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found *metricspb.Metric
	for _, request := range c.metrics {
		for _, r := range request.GetResourceMetrics() {
			for _, s := range r.GetScopeMetrics() {
				for _, m := range s.GetMetrics() {
					if m.GetName() == name {
						found = m
					}
				}
			}
		}
	}
	return found
}

func (c *collector) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.raw, "\n")
}

// function is a function under telemetry, without a Lambda process.
type function struct {
	http.Handler

	telemetry *telemetry.Telemetry
}

func newFunction(t *testing.T, environ map[string]string, handler api.Handler) function {
	t.Helper()
	f := function{}
	route := api.Route{Name: "get-thing", Method: http.MethodGet, Path: "/v1/things/{id}", Auth: api.Public, Rate: api.Unlimited}
	h, err := app.Handler(t.Context(), route, func(ctx context.Context, s *app.Setup) (api.Handler, error) {
		var err error
		f.telemetry, err = telemetry.Start(ctx, s)
		return handler, err
	}, environ)
	if err != nil {
		t.Fatal(err)
	}
	f.Handler = h
	return f
}

func (f function) get(t *testing.T, method, path string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody)
	maps.Copy(r.Header, header)
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w
}

// flushUntil exports until the collector has what the test waits for: after a failure, exports pause.
func (f function) flushUntil(t *testing.T, done func() bool) {
	t.Helper()
	for range 500 {
		f.telemetry.Flush(t.Context())
		if done() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("the collector does not have what was recorded")
}

func attributes(list []*commonpb.KeyValue) map[string]string {
	m := map[string]string{}
	for _, kv := range list {
		switch v := kv.GetValue().GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			m[kv.GetKey()] = v.StringValue
		default:
			m[kv.GetKey()] = strings.Trim(protojson.Format(kv.GetValue()), "{}")
		}
	}
	return m
}
