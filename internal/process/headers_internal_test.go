package process

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/telemetry"
)

// A secret that cannot be read fails no INIT; its headers are in the exports as soon as it can.
func TestExportsHaveTheHeadersOfASecret(t *testing.T) { //nolint:paralleltest // telemetry sets OTel's globals
	got := make(chan string, 16)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got <- r.Header.Get("Authorization")
	}))
	t.Cleanup(collector.Close)
	path := filepath.Join(t.TempDir(), "headers")
	environ := map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL, "OTEL_EXPORTER_OTLP_HEADERS_SECRET": "file:" + path,
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key",
	}
	var started *telemetry.Telemetry
	route := api.Route{Name: "test", Method: http.MethodGet, Path: "/test", Auth: api.Public, Rate: api.Unlimited}
	build := With(func(ctx context.Context, s *app.Setup) (api.Handler, error) {
		var err error
		started, err = startTelemetry(ctx, s)
		return func(http.ResponseWriter, *http.Request) error { return nil }, err
	})
	handler, err := app.Handler(t.Context(), route, build, environ)
	if err != nil {
		t.Fatal(err)
	}
	call := func() {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/test", http.NoBody))
		started.Flush(t.Context())
	}
	call()
	if len(got) > 0 {
		t.Fatal("an export without its headers was sent")
	}
	if err := os.WriteFile(path, []byte("Authorization=Bearer%20abc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond) // exports pause after a failure
	call()
	select {
	case header := <-got:
		if header != "Bearer abc" {
			t.Errorf("got %q", header)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("no export")
	}
	environ["OTEL_EXPORTER_OTLP_HEADERS_SECRET"] = "s3cret"
	_, err = app.Handler(t.Context(), route, build, environ)
	if err == nil || !strings.Contains(err.Error(), "OTEL_EXPORTER_OTLP_HEADERS_SECRET") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v", err)
	}
}
