package runtime_test

import (
	"context"
	"errors"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/runtime"
)

func TestEnvironmentIsColdOnceThenWarm(t *testing.T) {
	t.Parallel()
	r, _ := one(t, function("f", "slow-init"))

	first, cold := invoke(t, r, `{"text":"a"}`)
	second, warm := invoke(t, r, `{"text":"b"}`)

	if !cold.Cold || cold.InitDuration < 300*time.Millisecond {
		t.Errorf("first: cold %t, init %s", cold.Cold, cold.InitDuration)
	}
	if warm.Cold || warm.InitDuration != 0 {
		t.Errorf("second: cold %t, init %s", warm.Cold, warm.InitDuration)
	}
	if first.PID != second.PID || second.Count != 2 || second.Text != "b" {
		t.Errorf("second answer %+v does not come from process %d", second, first.PID)
	}
	if cold.RequestID == warm.RequestID || first.RequestID != cold.RequestID {
		t.Errorf("request ids %s, %s, the function saw %s", cold.RequestID, warm.RequestID, first.RequestID)
	}
	if cold.Duration <= 0 {
		t.Errorf("duration %s", cold.Duration)
	}
	if cold.MaxMemoryMB <= 0 || cold.MaxMemoryMB > 200 {
		t.Errorf("memory %d MB", cold.MaxMemoryMB)
	}
}

func TestSequentialRequestsShareOneEnvironment(t *testing.T) {
	t.Parallel()
	r, _ := one(t, function("f", ""))
	pids := map[int]bool{}
	for range 200 {
		a, _ := invoke(t, r, `{}`)
		pids[a.PID] = true
	}
	if len(pids) != 1 {
		t.Errorf("%d processes served sequential requests", len(pids))
	}
}

func TestConcurrentRequestsGetTheirOwnEnvironment(t *testing.T) {
	t.Parallel()
	r, _ := one(t, function("f", ""))
	var mu sync.Mutex
	pids := map[int]int{}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			a, _ := invoke(t, r, `{"do":"sleep","n":1500}`)
			mu.Lock()
			pids[a.PID]++
			mu.Unlock()
		})
	}
	group.Wait()
	if len(pids) != 4 {
		t.Errorf("4 concurrent requests ran in %d processes", len(pids))
	}
}

func TestReservedConcurrencyThrottles(t *testing.T) {
	t.Parallel()
	limit := 1
	fn := function("f", "")
	fn.ReservedConcurrency = &limit
	r, l := one(t, fn)
	var group sync.WaitGroup
	group.Go(func() { invoke(t, r, `{"do":"sleep","n":1000,"text":"running\n"}`) })
	l.wait(t, "running")
	failure(t, r, `{}`, runtime.Throttled)
	group.Wait()
	invoke(t, r, `{}`)
}

func TestReservedConcurrencyOfZeroAlwaysThrottles(t *testing.T) {
	t.Parallel()
	limit := 0
	fn := function("f", "")
	fn.ReservedConcurrency = &limit
	r, _ := one(t, fn)
	failure(t, r, `{}`, runtime.Throttled)
}

func TestAccountConcurrencyThrottles(t *testing.T) {
	t.Parallel()
	r, l := start(t, runtime.Config{
		Functions:   []runtime.Function{function("f", ""), function("g", "")},
		Concurrency: 1,
	})
	var group sync.WaitGroup
	group.Go(func() {
		if _, err := r.Invoke(t.Context(), "g", []byte(`{"do":"sleep","n":1000,"text":"running\n"}`)); err != nil {
			t.Errorf("g: %v", err)
		}
	})
	l.wait(t, "running")
	failure(t, r, `{}`, runtime.Throttled)
	group.Wait()
	invoke(t, r, `{}`)
}

func TestFunctionSeesLambdasEnvironment(t *testing.T) {
	t.Parallel()
	fn := function("f", "")
	fn.MemoryMB, fn.Env["OWN"] = 512, "fn"
	r, _ := one(t, fn)

	a, _ := invoke(t, r, `{"do":"env"}`)

	api, stream := a.Env["AWS_LAMBDA_RUNTIME_API"], a.Env["AWS_LAMBDA_LOG_STREAM_NAME"]
	if !regexp.MustCompile(`^127\.0\.0\.1:\d+$`).MatchString(api) {
		t.Errorf("AWS_LAMBDA_RUNTIME_API=%q", api)
	}
	if !regexp.MustCompile(`^\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}$`).MatchString(stream) {
		t.Errorf("AWS_LAMBDA_LOG_STREAM_NAME=%q", stream)
	}
	for _, name := range []string{"AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_LOG_STREAM_NAME", "_X_AMZN_TRACE_ID"} {
		delete(a.Env, name)
	}
	want := map[string]string{
		"_HANDLER": "bootstrap", "TZ": ":UTC", "LANG": "en_US.UTF-8",
		"PATH":                            "/usr/local/bin:/usr/bin:/bin:/opt/bin",
		"AWS_REGION":                      "us-east-1",
		"AWS_DEFAULT_REGION":              "us-east-1",
		"AWS_ACCESS_KEY_ID":               "local",
		"AWS_SECRET_ACCESS_KEY":           "local",
		"AWS_SESSION_TOKEN":               "local",
		"AWS_LAMBDA_FUNCTION_NAME":        "f",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/f",
		"LAMBDA_TASK_ROOT":                binaries,
		"LAMBDA_RUNTIME_DIR":              "/var/runtime",
		"MODE":                            "", "OWN": "fn",
	}
	if diff := cmp.Diff(want, a.Env); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	if a.Dir != binaries {
		t.Errorf("working directory %q, want %q", a.Dir, binaries)
	}
}

func TestInvocationCarriesArnDeadlineAndTrace(t *testing.T) {
	t.Parallel()
	r, _ := one(t, function("f", ""))
	trace := "Root=1-5759e988-bd862e3fe1be46a994272793"

	result, err := r.Invoke(runtime.WithTraceID(t.Context(), trace), "f", []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(result.Payload), trace) {
		t.Errorf("answer %s lacks trace %s", result.Payload, trace)
	}
	a, _ := invoke(t, r, `{}`)
	if a.ARN != "arn:aws:lambda:us-east-1:123456789012:function:f" {
		t.Errorf("arn %q", a.ARN)
	}
	if a.LeftMS <= 0 || a.LeftMS > 20_000 {
		t.Errorf("%d ms left of 20 s", a.LeftMS)
	}
	if !regexp.MustCompile(`^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$`).MatchString(a.Trace) {
		t.Errorf("trace %q", a.Trace)
	}
}

func TestHandlerErrorIsAFunctionError(t *testing.T) {
	t.Parallel()
	r, _ := one(t, function("f", ""))
	first, _ := invoke(t, r, `{}`)
	tests := map[string]struct {
		event, wantType, wantMessage string
		wantSameProcess              bool
	}{
		"ReturnedError":  {`{"do":"error","text":"sold out"}`, "errorString", "sold out", true},
		"BrokenResponse": {`{"do":"half"}`, "errorString", "the source broke off", true},
		"Panic":          {`{"do":"panic","text":"boom"}`, "string", "boom", false},
	}
	for _, name := range []string{"ReturnedError", "BrokenResponse", "Panic"} {
		test := tests[name]
		result, err := r.Invoke(t.Context(), "f", []byte(test.event))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !result.FunctionError || result.ErrorType != test.wantType ||
			!strings.Contains(string(result.Payload), test.wantMessage) {
			t.Errorf("%s: got %+v, payload %s", name, result, result.Payload)
		}
		if a, _ := invoke(t, r, `{}`); (a.PID == first.PID) != test.wantSameProcess {
			t.Errorf("%s: process %d after %d", name, a.PID, first.PID)
		}
	}
}

func TestContextEndsTheWaitNotTheInvocation(t *testing.T) {
	t.Parallel()
	fn := function("f", "")
	fn.ReservedConcurrency = new(1)
	r, _ := one(t, fn)
	before, _ := invoke(t, r, `{}`)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := r.Invoke(ctx, "f", []byte(`{"do":"sleep","n":400}`)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v", err)
	}
	if after := whenFree(t, r); after.PID != before.PID || after.Count != 3 {
		t.Errorf("the invocation did not go on: %+v", after)
	}
}

func TestUnknownFunctionIsNotFound(t *testing.T) {
	t.Parallel()
	r, _ := one(t, function("g", ""))
	failure(t, r, `{}`, runtime.NotFound)
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	limit := -1
	ok := function("f", "")
	change := func(change func(*runtime.Function)) []runtime.Function {
		fn := ok
		change(&fn)
		return []runtime.Function{fn}
	}
	tests := map[string]struct {
		functions []runtime.Function
		want      string
	}{
		"NoName":              {change(func(f *runtime.Function) { f.Name = "" }), "no name"},
		"TwoOfOneName":        {[]runtime.Function{ok, ok}, "defined twice"},
		"MissingBinary":       {change(func(f *runtime.Function) { f.Binary = "/nowhere" }), "no such file"},
		"BinaryIsADirectory":  {change(func(f *runtime.Function) { f.Binary = binaries }), "not an executable"},
		"BinaryNotExecutable": {change(func(f *runtime.Function) { f.Binary = "runtime.go" }), "not an executable"},
		"NegativeTimeout":     {change(func(f *runtime.Function) { f.Timeout = -1 }), "negative"},
		"NegativeReserve":     {change(func(f *runtime.Function) { f.ReservedConcurrency = &limit }), "negative reserved"},
		"ReservedVariable": {
			change(func(f *runtime.Function) { f.Env = map[string]string{"AWS_REGION": "x"} }),
			"AWS_REGION is reserved",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := runtime.New(runtime.Config{Functions: test.functions})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want %q", err, test.want)
			}
		})
	}
}

func TestRelativeBinaryRunsInItsFolder(t *testing.T) {
	t.Chdir(binaries)
	fn := function("f", "")
	fn.Binary = "." + string(filepath.Separator) + "function"
	r, _ := one(t, fn)
	if a, _ := invoke(t, r, `{}`); a.Dir != binaries {
		t.Errorf("working directory %q", a.Dir)
	}
}
