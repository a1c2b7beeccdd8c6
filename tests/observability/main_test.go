//go:build observability

// Package observability_test runs the collector, Prometheus and its rules for real.
package observability_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/local/observe"
)

// root is the repository, seen from this package's folder.
const root = "../.."

// watchdog bounds the wait for a condition.
const watchdog = 60 * time.Second

// start starts the programs for one test.
func start(t *testing.T, o observe.Options) *observe.Running {
	t.Helper()
	o.Root = root
	if o.Folder == "" {
		o.Folder = t.TempDir()
	}
	r, err := observe.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Stop)
	return r
}

// eventually repeats a check until it passes.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	within(t, watchdog, check)
}

// within is eventually with a time of its own.
func within(t *testing.T, limit time.Duration, check func() error) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Error(err)
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// newClient returns a client of its own connections: a server of another test that closes breaks those of the default one.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
}

func get(t *testing.T, page string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, page, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := newClient().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// sample is one element of an instant vector.
type sample struct {
	labels map[string]string
	value  float64
}

// query asks Prometheus.
func query(t *testing.T, r *observe.Running, promQL string) ([]sample, error) {
	t.Helper()
	var answer struct {
		Status, Error string
		Data          struct {
			ResultType string
			Result     json.RawMessage
		}
	}
	body := get(t, r.Prometheus+"/api/v1/query?query="+url.QueryEscape(promQL))
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		return nil, fmt.Errorf("%s: %w", body, err)
	}
	if answer.Status != "success" {
		return nil, fmt.Errorf("%s: %s", promQL, answer.Error)
	}
	if answer.Data.ResultType != "vector" {
		return []sample{{}}, nil // a number
	}
	var vector []struct {
		Metric map[string]string
		Value  [2]any
	}
	if err := json.Unmarshal(answer.Data.Result, &vector); err != nil {
		return nil, err
	}
	samples := make([]sample, 0, len(vector))
	for _, element := range vector {
		text, _ := element.Value[1].(string)
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, err
		}
		samples = append(samples, sample{labels: element.Metric, value: value})
	}
	return samples, nil
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
