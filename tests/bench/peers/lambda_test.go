package peers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// limit bounds an invocation, which takes milliseconds.
const limit = 30 * time.Second

// runtimeAPI is as much of Lambda's Runtime API as an invocation needs.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
type runtimeAPI struct {
	events  chan []byte
	answers chan []byte
	faults  chan error
	// asks receives one value for each request for an event.
	asks chan struct{}
	// done ends the requests that wait for an event.
	done context.Context
}

func newRuntimeAPI(ctx context.Context) *runtimeAPI {
	return &runtimeAPI{
		events: make(chan []byte), answers: make(chan []byte), faults: make(chan error, 8), asks: make(chan struct{}, 8), done: ctx,
	}
}

// ServeHTTP implements http.Handler.
func (a *runtimeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch call := strings.TrimPrefix(r.URL.Path, "/2018-06-01/runtime/"); {
	case call == "invocation/next":
		a.asks <- struct{}{}
		select {
		case event := <-a.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(limit).UnixMilli(), 10))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:123456789012:function:peer")
			_, _ = w.Write(event)
		case <-a.done.Done():
		case <-r.Context().Done():
		}
	case strings.HasSuffix(call, "/response"):
		body, err := io.ReadAll(r.Body)
		if err != nil {
			a.faults <- err
		}
		w.WriteHeader(http.StatusAccepted)
		a.answers <- body
	default:
		body, _ := io.ReadAll(r.Body)
		a.faults <- fmt.Errorf("%s: %s", call, body)
		w.WriteHeader(http.StatusAccepted)
	}
}

// process is a running peer.
type process struct {
	runtime *runtimeAPI
	backend *backend
	output  *output
	ended   chan error
}

// start runs the binary with the variables that Lambda sets and those in environ ("name=value"), until the test ends. It
// returns when INIT is over.
func start(t *testing.T, name string, services *backend, environ ...string) *process {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	p := &process{runtime: newRuntimeAPI(ctx), backend: services, output: &output{}, ended: make(chan error, 1)}
	runtime, backends := httptest.NewServer(p.runtime), httptest.NewServer(services)

	command := exec.CommandContext(ctx, filepath.Join(os.Getenv(built), name))
	command.Env = []string{
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(runtime.URL, "http://"),
		"AWS_LAMBDA_FUNCTION_NAME=peer", "AWS_LAMBDA_FUNCTION_VERSION=1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512",
		"AWS_LAMBDA_LOG_GROUP_NAME=peers", "AWS_LAMBDA_LOG_STREAM_NAME=stream", "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=session",
		"AWS_ENDPOINT_URL_DYNAMODB=" + backends.URL, "OTEL_EXPORTER_OTLP_ENDPOINT=" + backends.URL,
		"OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "COMMERCE_TABLE=commerce", "AUTH_TABLE=auth", "RATELIMIT_TABLE=limits",
		"JWT_SECRET=" + secret, "TOKEN_ISSUER=" + issuer, "TOKEN_AUDIENCE=" + audience,
	}
	command.Env = append(command.Env, environ...)
	command.Stdout, command.Stderr = p.output, p.output
	if err := command.Start(); err != nil {
		stop()
		t.Fatal(err)
	}
	go func() { p.ended <- command.Wait() }()
	t.Cleanup(func() {
		stop()
		<-p.ended
		runtime.Close()
		backends.Close()
	})
	p.wait(t)
	if early := services.seen(); len(early) > 0 {
		t.Errorf("requests in INIT: %q", early)
	}
	return p
}

// invoke sends an event and returns the answer and the requests that the peer has sent to its backends before the
// answer. Requests after the answer fail the test.
func (p *process) invoke(t *testing.T, event []byte) ([]byte, []string) {
	t.Helper()
	before := len(p.backend.seen())
	p.runtime.events <- event
	var answer []byte
	select {
	case answer = <-p.runtime.answers:
	case err := <-p.runtime.faults:
		t.Fatalf("%v\n%s", err, p.output)
	case err := <-p.ended:
		p.ended <- err
		t.Fatalf("the process ended: %v\n%s", err, p.output)
	case <-time.After(limit):
		t.Fatalf("no answer in %v\n%s", limit, p.output)
	}
	requests := p.backend.seen()[before:]
	p.wait(t)
	if late := p.backend.seen()[before+len(requests):]; len(late) > 0 {
		t.Errorf("requests after the answer: %q", late)
	}
	return answer, requests
}

// wait returns when the peer asks for the next event.
func (p *process) wait(t *testing.T) {
	t.Helper()
	select {
	case <-p.runtime.asks:
	case err := <-p.runtime.faults:
		t.Fatalf("%v\n%s", err, p.output)
	case err := <-p.ended:
		p.ended <- err
		t.Fatalf("the process ended: %v\n%s", err, p.output)
	case <-time.After(limit):
		t.Fatalf("no request for an event in %v\n%s", limit, p.output)
	}
}

// output is what a process prints. It is safe for concurrent use.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// String implements fmt.Stringer.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// response is an answer in payload format 2.0.
type response struct {
	Status  int                 `json:"statusCode"`
	Headers map[string]string   `json:"headers"`
	Lists   map[string][]string `json:"multiValueHeaders"`
	Body    string              `json:"body"`
	Base64  bool                `json:"isBase64Encoded"`
}

// decode reads an answer. Its headers are lower case, one value each.
func decode(t *testing.T, answer []byte) response {
	t.Helper()
	var r response
	if err := json.Unmarshal(answer, &r); err != nil {
		t.Fatalf("decode %s: %v", answer, err)
	}
	headers := map[string]string{}
	for name, value := range r.Headers {
		headers[strings.ToLower(name)] = value
	}
	for name, values := range r.Lists {
		headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	r.Headers, r.Lists = headers, nil
	return r
}

// sample returns an event of the product's own.
func sample(t *testing.T, operation string) []byte {
	t.Helper()
	event, err := os.ReadFile(filepath.Join("..", "..", "..", "events", operation+".json"))
	if err != nil {
		t.Fatal(errors.Join(errors.New("read a sample event"), err))
	}
	return event
}
