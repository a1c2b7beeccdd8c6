//go:build sam

package sam_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/sam"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/tests/sam/differences"
)

// TestEvents sends the same requests through both gateways to a function that answers with its event,
// and checks that the two events differ as listed in differences.yaml.
func TestEvents(t *testing.T) {
	t.Parallel()
	known, err := differences.Read("differences.yaml")
	if err != nil {
		t.Fatal(err)
	}
	tried := []string{aboutUnknownFunction, "event of POST /echo/{id}", "event of the authorizer at GET /guarded/{id}"}
	if diff := cmp.Diff(tried, known.Abouts()); diff != "" {
		t.Errorf("differences.yaml is about other things than these tests (-tests +file):\n%s", diff)
	}
	gateway, viaSAM := echoes(t)

	t.Run("ErrorAfterTheAnswerBegan", func(t *testing.T) {
		checkFails(t, gateway)
		checkFails(t, viaSAM)
	})
	for name, tc := range map[string]struct {
		method, path, body string
		header             map[string]string
		// authorizer says to look at the event that the authorizer had.
		authorizer bool
	}{
		"POST /echo/{id}": {
			method: http.MethodPost, path: "/echo/a%20b?b=2&a=1&b=3", body: `{"a":1}`,
			header: map[string]string{"Content-Type": "application/json", "Cookie": "a=1; b=2", "X_Under": "lost", "X-Custom": "kept"},
		},
		"the authorizer at GET /guarded/{id}": {
			method: http.MethodGet, path: "/guarded/x", header: map[string]string{"Authorization": "Bearer token"}, authorizer: true,
		},
	} {
		t.Run(strings.ReplaceAll(name, "/", " "), func(t *testing.T) {
			read := func(url string) map[string]string {
				t.Helper()
				first, second := echo(t, url, tc.method, tc.path, tc.body, tc.header), echo(t, url, tc.method, tc.path, tc.body, tc.header)
				if tc.authorizer {
					first, second = authorizerEvent(t, first), authorizerEvent(t, second)
				}
				return settled(t, first, second, url)
			}
			if err := known.Compare("event of "+name, read(gateway), read(viaSAM)); err != nil {
				t.Error(err)
			}
		})
	}
}

// checkFails checks that a handler which fails after it has begun its answer gives a 500 with one
// problem document.
func checkFails(t *testing.T, url string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/echo/fail", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Status int    `json:"status"`
		Code   string `json:"code"`
	}
	if err := json.Unmarshal(body, &document); err != nil || res.StatusCode != http.StatusInternalServerError ||
		document.Status != res.StatusCode || document.Code != "internal" {
		t.Errorf("%s: got %d %s, want 500 and one problem document", url, res.StatusCode, body)
	}
}

// echoes builds the echo function and serves it behind both gateways.
func echoes(t *testing.T) (gateway, viaSAM string) {
	t.Helper()
	folder, err := filepath.Abs(filepath.Join(root, ".cache", "sam"))
	if err != nil {
		t.Fatal(err)
	}
	buildEcho(t, filepath.Join(folder, "echo"), "1")
	template, err := filepath.Abs(filepath.Join("testdata", "echo.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	server, err := shared.cli.StartAPI(t.Context(), sam.ServeOptions{Template: template})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	local, err := stack.Start(t.Context(), stack.Options{
		Root: root, Template: template, BinDir: folder, DynamoDBEndpoint: shared.data.Endpoint,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(local.Stop)
	return strings.Replace(local.URL, "127.0.0.1", "localhost", 1), server.URL
}

// buildEcho compiles the echo function for SAM's containers into a folder. Its answers name the version.
func buildEcho(t *testing.T, folder, version string) {
	t.Helper()
	build := exec.Command("go", "build", "-trimpath", "-tags", "lambda.norpc", "-ldflags", "-X main.version="+version,
		"-o", filepath.Join(folder, "bootstrap"), "./testdata/echo")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the echo function: %v: %s", err, out)
	}
}

// echo sends the request and returns the event that the function received.
func echo(t *testing.T, url, method, path, body string, header map[string]string) map[string]any {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("User-Agent", "tests/1")
	req.Header.Set("Accept-Encoding", "identity")
	for name, value := range header {
		req.Header.Set(name, value)
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	event := map[string]any{}
	if err := json.Unmarshal(data, &event); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("got %d %s (%v)", res.StatusCode, data, err)
	}
	return event
}

// authorizerEvent returns the event that the authorizer has put into its context.
func authorizerEvent(t *testing.T, event map[string]any) map[string]any {
	t.Helper()
	var outer struct {
		RequestContext struct {
			Authorizer struct {
				Lambda struct {
					Event string `json:"event"`
				} `json:"lambda"`
			} `json:"authorizer"`
		} `json:"requestContext"`
	}
	data, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &outer); err != nil {
		t.Fatal(err)
	}
	inner := map[string]any{}
	if err := json.Unmarshal([]byte(outer.RequestContext.Authorizer.Lambda.Event), &inner); err != nil {
		t.Fatalf("the authorizer's event: %v", err)
	}
	return inner
}

// settled flattens an event to its fields. A value that is new in every event is replaced by its kind, with
// the help of a second event: "unique", "milliseconds", a port without its number.
func settled(t *testing.T, event, second map[string]any, url string) map[string]string {
	t.Helper()
	fields, again := map[string]string{}, map[string]string{}
	flatten("", event, fields)
	flatten("", second, again)
	port := url[strings.LastIndexByte(url, ':')+1:]
	for name, value := range fields {
		if value == "" || value == "null" {
			continue
		}
		value = strings.ReplaceAll(value, port, "<port>")
		switch {
		case name == "requestContext.requestId" && fields[name] == again[name]:
			value = "the same for every request"
		case name == "requestContext.requestId", strings.EqualFold(name, "headers.x-amzn-trace-id") && fields[name] != again[name]:
			value = "unique"
		case name == "requestContext.time":
			if _, err := time.Parse("02/Jan/2006:15:04:05 -0700", fields[name]); err == nil {
				value = "<time>"
			}
		case name == "requestContext.timeEpoch":
			value = "<seconds>"
			if n, err := strconv.ParseFloat(fields[name], 64); err == nil && n > 1e11 {
				value = "<milliseconds>"
			}
		}
		fields[name] = value
	}
	return fields
}

// flatten returns the leaves by their paths: texts unchanged, everything else as JSON.
func flatten(path string, v any, into map[string]string) {
	object, ok := v.(map[string]any)
	if ok && len(object) > 0 {
		for name, member := range object {
			flatten(strings.TrimPrefix(path+"."+name, "."), member, into)
		}
		return
	}
	if text, ok := v.(string); ok {
		into[path] = text
		return
	}
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // it was JSON
	}
	into[path] = string(data)
}
