package telemetry_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	colmetricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/tienda-dev/tienda/local/runtime"
)

// binary is the function that TestMain builds.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	folder, err := os.MkdirTemp("", "telemetry")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	binary = filepath.Join(folder, "function")
	build := exec.Command("go", "build", "-tags", "lambda.norpc,grpcnotrace", "-o", binary, "./testdata/function")
	if output, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, output)
		return 1
	}
	return m.Run()
}

// receiver decodes what functions export.
type receiver struct {
	*httptest.Server

	// before may answer an export itself, and returns true then.
	before func(w http.ResponseWriter, r *http.Request) bool

	mu    sync.Mutex
	spans []*tracepb.Span
	// sums holds the last total of each counter by instance.
	sums map[string]map[string]float64
}

func newReceiver(t *testing.T, before func(w http.ResponseWriter, r *http.Request) bool) *receiver {
	t.Helper()
	c := &receiver{before: before, sums: map[string]map[string]float64{}}
	c.Server = httptest.NewServer(c)
	t.Cleanup(func() {
		c.CloseClientConnections()
		c.Close()
	})
	return c
}

func (c *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || c.before != nil && c.before(w, r) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch r.URL.Path {
	case "/v1/traces":
		var m coltracepb.ExportTraceServiceRequest
		err = proto.Unmarshal(body, &m)
		for _, resource := range m.GetResourceSpans() {
			for _, scope := range resource.GetScopeSpans() {
				c.spans = append(c.spans, scope.GetSpans()...)
			}
		}
	case "/v1/metrics":
		var m colmetricspb.ExportMetricsServiceRequest
		err = proto.Unmarshal(body, &m)
		c.add(&m)
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
	}
}

func (c *receiver) add(m *colmetricspb.ExportMetricsServiceRequest) {
	for _, resource := range m.GetResourceMetrics() {
		instance := text(resource.GetResource().GetAttributes(), "service.instance.id")
		if c.sums[instance] == nil {
			c.sums[instance] = map[string]float64{}
		}
		for _, scope := range resource.GetScopeMetrics() {
			for _, metric := range scope.GetMetrics() {
				total := 0.0
				for _, p := range metric.GetSum().GetDataPoints() {
					total += p.GetAsDouble() + float64(p.GetAsInt())
				}
				c.sums[instance][metric.GetName()] = total
			}
		}
	}
}

// total adds up a counter over all instances.
func (c *receiver) total(name string) float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	sum := 0.0
	for _, of := range c.sums {
		sum += of[name]
	}
	return sum
}

// unique returns how many spans have arrived, and how many different ones.
func (c *receiver) unique() (all, different int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids := map[string]bool{}
	for _, s := range c.spans {
		ids[string(s.GetSpanId())] = true
	}
	return len(c.spans), len(ids)
}

func (c *receiver) failed(errorType string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if text(s.GetAttributes(), "error.type") == errorType && s.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR {
			return true
		}
	}
	return false
}

func text(attributes []*commonpb.KeyValue, key string) string {
	for _, kv := range attributes {
		if kv.GetKey() == key {
			return kv.GetValue().GetStringValue()
		}
	}
	return ""
}

// lambda runs functions of the one binary.
type lambda struct {
	*runtime.Runtime

	mu       sync.Mutex
	complete map[string]chan struct{}
}

func newLambda(t *testing.T, functions int, environ map[string]string, timeout time.Duration) *lambda {
	t.Helper()
	l := &lambda{complete: map[string]chan struct{}{}}
	cfg := runtime.Config{Complete: func(id string) { close(l.of(id)) }, InitTimeout: time.Minute}
	for i := range functions {
		cfg.Functions = append(cfg.Functions, runtime.Function{
			Name: "f" + strconv.Itoa(i), Binary: binary, Env: environ, Timeout: timeout, MemoryMB: 512,
		})
	}
	var err error
	if l.Runtime, err = runtime.New(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func (l *lambda) of(id string) chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.complete[id] == nil {
		l.complete[id] = make(chan struct{})
	}
	return l.complete[id]
}

// call sends a request and returns the answer's status, its body and how long it took to arrive. Then it waits
// until the environment is ready for the next.
func (l *lambda) call(t *testing.T, function int, what string) (status int, body string, took time.Duration, err error) {
	t.Helper()
	event := fmt.Sprintf(`{"version":"2.0","routeKey":"GET /do/{what}","rawPath":"/do/%[1]s","headers":{},
		"requestContext":{"requestId":"r","stage":"$default","http":{"method":"GET","path":"/do/%[1]s","protocol":"HTTP/1.1","sourceIp":"192.0.2.1"}},
		"pathParameters":{"what":"%[1]s"},"isBase64Encoded":false}`, what)
	start := time.Now()
	result, err := l.Invoke(t.Context(), "f"+strconv.Itoa(function), []byte(event))
	took = time.Since(start)
	if err != nil {
		return 0, "", took, err
	}
	<-l.of(result.RequestID)
	var answer struct {
		StatusCode int    `json:"statusCode"`
		Body       string `json:"body"`
	}
	err = json.Unmarshal(result.Payload, &answer)
	return answer.StatusCode, answer.Body, took, err
}
