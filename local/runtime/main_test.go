package runtime_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tienda-dev/tienda/local/runtime"
)

// binaries is the folder of the programs that TestMain builds.
var binaries string

func TestMain(m *testing.M) {
	if folder := os.Getenv("RUNTIME_TEST_PARENT"); folder != "" {
		binaries = folder
		parent()
		return
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	folder, err := os.MkdirTemp("", "runtime")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	binaries = folder
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", folder, "./testdata/function")
	if output, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, output)
		return 1
	}

	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// parent invokes a function, prints its answer, sends it an event that takes long, prints the function's
// output, and waits to be killed.
func parent() {
	r, err := runtime.New(runtime.Config{
		Functions: []runtime.Function{function("f", "")},
		Log:       func(line runtime.Line) { fmt.Println(line.Text) },
	})
	if err != nil {
		panic(err)
	}
	result, err := r.Invoke(context.Background(), "f", []byte(`{}`))
	if err != nil {
		panic(err)
	}
	fmt.Println(string(result.Payload))
	if os.Getenv("RUNTIME_TEST_BUSY") != "" {
		_, _ = r.Invoke(context.Background(), "f", []byte(`{"do":"sleep","n":15000,"text":"busy\n"}`))
	}
	time.Sleep(time.Hour)
}

// function returns a function that runs testdata/function in a mode.
func function(name, mode string) runtime.Function {
	return runtime.Function{
		Name: name, Binary: filepath.Join(binaries, "function"), Timeout: 20 * time.Second,
		Env: map[string]string{"MODE": mode},
	}
}

// answer is what testdata/function answers.
type answer struct {
	PID       int               `json:"pid"`
	Child     int               `json:"child"`
	RequestID string            `json:"request_id"`
	ARN       string            `json:"arn"`
	Trace     string            `json:"trace"`
	LeftMS    int64             `json:"left_ms"`
	Dir       string            `json:"dir"`
	Env       map[string]string `json:"env"`
	Text      string            `json:"text"`
	Count     int               `json:"count"`
}

// logs collects lines.
type logs struct {
	mu    sync.Mutex
	lines []string
}

func (l *logs) add(line runtime.Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line.Function+": "+line.Text)
}

// all returns the lines so far.
func (l *logs) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.lines...)
}

// wait waits until a line contains text.
func (l *logs) wait(t *testing.T, text string) {
	t.Helper()
	for range 1000 {
		for _, line := range l.all() {
			if strings.Contains(line, text) {
				return
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("no line contains %q; lines: %q", text, l.all())
}

// start returns a runtime of the functions, closed at the end of the test, and its log.
func start(t *testing.T, cfg runtime.Config) (*runtime.Runtime, *logs) {
	t.Helper()
	l := &logs{}
	cfg.Log = l.add
	r, err := runtime.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r, l
}

// one returns a runtime of one function.
func one(t *testing.T, fn runtime.Function) (*runtime.Runtime, *logs) {
	t.Helper()
	return start(t, runtime.Config{Functions: []runtime.Function{fn}})
}

// invoke invokes f and decodes its answer; it fails the test on an error.
func invoke(t *testing.T, r *runtime.Runtime, event string) (answer, runtime.Result) {
	t.Helper()
	result, err := r.Invoke(t.Context(), "f", []byte(event))
	if err != nil {
		t.Fatalf("invoke %s: %v", event, err)
	}
	if result.FunctionError {
		t.Fatalf("invoke %s: function error %s", event, result.Payload)
	}
	var a answer
	if err := json.NewDecoder(bytes.NewReader(result.Payload)).Decode(&a); err != nil {
		t.Fatalf("answer %.100s: %v", result.Payload, err)
	}
	return a, result
}

// failure invokes f and checks that it fails with kind; it returns the error.
func failure(t *testing.T, r *runtime.Runtime, event string, kind runtime.Kind) *runtime.Error {
	t.Helper()
	_, err := r.Invoke(t.Context(), "f", []byte(event))
	var failed *runtime.Error
	if !errors.Is(err, kind) || !errors.As(err, &failed) {
		t.Fatalf("got error %v, want kind %q", err, kind)
	}
	return failed
}
