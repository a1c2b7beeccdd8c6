package lambdahttp_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/lambdahttp"
)

// seen is the request from the view of a handler. The *.want.json files are written by hand.
type seen struct {
	Method        string            `json:"method"`
	RequestURI    string            `json:"request_uri"`
	Path          string            `json:"path"`
	RawPath       string            `json:"raw_path"`
	RawQuery      string            `json:"raw_query"`
	Proto         string            `json:"proto"`
	Host          string            `json:"host"`
	RemoteAddr    string            `json:"remote_addr"`
	TLS           bool              `json:"tls"`
	Header        http.Header       `json:"header"`
	ContentLength int64             `json:"content_length"`
	Body          []byte            `json:"body"`
	PathValues    map[string]string `json:"path_values"`
	Authorizer    map[string]string `json:"authorizer"`
	Event         lambdahttp.Event  `json:"event"`
}

func see(t *testing.T, r *http.Request, pathValues map[string]string) seen {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	s := seen{
		Method: r.Method, RequestURI: r.RequestURI, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery,
		Proto: r.Proto, Host: r.Host, RemoteAddr: r.RemoteAddr, TLS: r.TLS != nil, Header: r.Header,
		ContentLength: r.ContentLength, Body: body, PathValues: map[string]string{},
	}
	for name := range pathValues {
		s.PathValues[name] = r.PathValue(name)
	}
	s.Authorizer, _ = identity.AuthorizerFrom(r.Context())
	s.Event, _ = lambdahttp.EventFrom(r.Context())
	return s
}

func TestGoldenEvents(t *testing.T) {
	t.Parallel()

	files, err := filepath.Glob("testdata/working_*.want.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden events: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".want.json")
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var want, got seen
			if err := json.Unmarshal(read(t, name+".want.json"), &want); err != nil {
				t.Fatal(err)
			}
			answer := invoke(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got = see(t, r, want.PathValues)
				w.WriteHeader(http.StatusTeapot)
			}), lambdahttp.Config{}, read(t, name+".json"))

			if answer.StatusCode != http.StatusTeapot {
				t.Errorf("status %d, want the handler's; body %s", answer.StatusCode, answer.Body)
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("the handler saw (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBustedEvents(t *testing.T) {
	t.Parallel()

	want := map[string]int{
		"busted_base64":          http.StatusBadRequest,
		"busted_path_escape":     http.StatusBadRequest,
		"busted_header_value":    http.StatusBadRequest,
		"busted_header_name":     http.StatusBadRequest,
		"busted_method":          http.StatusBadRequest,
		"busted_header_type":     http.StatusInternalServerError,
		"busted_authorizer_type": http.StatusInternalServerError,
		"busted_rest_v1":         http.StatusInternalServerError,
		"busted_load_balancer":   http.StatusInternalServerError,
		"busted_queue":           http.StatusInternalServerError,
		"busted_string":          http.StatusInternalServerError,
		"busted_truncated":       http.StatusInternalServerError,
	}
	files, err := filepath.Glob("testdata/busted_*.json")
	if err != nil || len(files) != len(want) {
		t.Fatalf("%d busted events, %d expectations, err %v", len(files), len(want), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			h := &refusing{Handler: unreachable(t)}
			answer := invoke(t, h, lambdahttp.Config{}, read(t, name+".json"))

			if answer.StatusCode != want[name] {
				t.Errorf("status %d, want %d", answer.StatusCode, want[name])
			}
			checkProblem(t, answer)
			if len(h.errs) != 1 {
				t.Errorf("refused with %v, want one error", h.errs)
			}
		})
	}
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
