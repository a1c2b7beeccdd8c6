package telemetry_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/tienda-dev/tienda/local/runtime"
	"github.com/tienda-dev/tienda/tests/otlptest"
	"github.com/tienda-dev/tienda/tools/dist"
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
	build := exec.Command("go", "build", "-tags", dist.Tags, "-o", binary, "./testdata/function")
	if output, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, output)
		return 1
	}
	return m.Run()
}

// total adds up a metric of all processes: a counter's value, or how many values a histogram has.
func total(sink *otlptest.Sink, name string) float64 {
	sum := 0.0
	for _, value := range sink.Merged()[name] {
		sum += value
	}
	return sum
}

// failed reports whether a span with the status Error and the error type has arrived.
func failed(sink *otlptest.Sink, errorType string) bool {
	for _, s := range sink.Spans() {
		if s.Attributes["error.type"] == errorType && s.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR {
			return true
		}
	}
	return false
}

// event returns a request for GET /do/{what}.
func event(what string) []byte {
	return fmt.Appendf(nil, `{"version":"2.0","routeKey":"GET /do/{what}","rawPath":"/do/%[1]s","headers":{},
		"requestContext":{"requestId":"r","stage":"$default","http":{"method":"GET","path":"/do/%[1]s","protocol":"HTTP/1.1","sourceIp":"192.0.2.1"}},
		"pathParameters":{"what":"%[1]s"},"isBase64Encoded":false}`, what)
}

// lambda runs functions of the one binary.
type lambda struct {
	*runtime.Runtime

	mu       sync.Mutex
	complete map[string]chan struct{}
}

func newLambda(t *testing.T, functions int, environ map[string]string, timeout time.Duration) *lambda {
	t.Helper()
	if environ["TELEMETRY_BUSY_INTERVAL"] == "" {
		environ["TELEMETRY_BUSY_INTERVAL"] = "0" // every invocation is exported, however fast the next one comes
	}
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

// of returns a channel that is closed when the environment is ready for the event after the one with the id.
func (l *lambda) of(id string) chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.complete[id] == nil {
		l.complete[id] = make(chan struct{})
	}
	return l.complete[id]
}

// answer is a response of the function.
type answer struct {
	id     string // of the invocation
	status int
	body   string
	took   time.Duration
}

// ask sends a request and returns its answer as soon as it arrives.
func (l *lambda) ask(t *testing.T, function int, what string) (answer, error) {
	t.Helper()
	start := time.Now()
	result, err := l.Invoke(t.Context(), "f"+strconv.Itoa(function), event(what))
	a := answer{took: time.Since(start)}
	if err != nil {
		return a, err
	}
	var response struct {
		StatusCode int    `json:"statusCode"`
		Body       string `json:"body"`
	}
	err = json.Unmarshal(result.Payload, &response)
	a.id, a.status, a.body = result.RequestID, response.StatusCode, response.Body
	return a, err
}

// call sends a request and waits until the environment is ready for the next.
func (l *lambda) call(t *testing.T, function int, what string) (answer, error) {
	t.Helper()
	a, err := l.ask(t, function, what)
	if a.id != "" {
		<-l.of(a.id)
	}
	return a, err
}
