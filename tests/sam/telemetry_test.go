//go:build sam

package sam_test

import (
	"encoding/hex"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/local/sam"
	"github.com/tienda-dev/tienda/tests/otlptest"
)

// TestTelemetryArrives has a collector on this machine, at the name by which containers know it.
func TestTelemetryArrives(t *testing.T) {
	t.Parallel()
	sink := otlptest.StartAt(t, "0.0.0.0:0") // Docker's bridge is not the loopback
	address, err := url.Parse(sink.URL())
	if err != nil {
		t.Fatal(err)
	}
	environment, err := tables(t.Context(), "-telemetry")
	if err != nil {
		t.Fatal(err)
	}
	environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://" + net.JoinHostPort("host.docker.internal", address.Port())
	server, err := shared.cli.StartAPI(t.Context(), sam.ServeOptions{Environment: environment})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	minted, err := tokens(time.Now(), "user-telemetry", policy.RoleCatalog)
	if err != nil {
		t.Fatal(err)
	}

	const requests, clientSpan = 3, "b7ad6b7169203331"
	for i := range requests {
		body := fmt.Sprintf(`{"sku":"CUP-%d","name":"Cup","category":"kitchen","price":{"amount_minor":900,"currency":"EUR"}}`, i)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/products", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+minted)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Traceparent", fmt.Sprintf("00-%s-%s-01", traceOf(i), clientSpan))
		res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusCreated {
			t.Fatalf("got %d, want 201", res.StatusCode)
		}
	}

	want := map[string]float64{"http.server.request.duration": requests, "auth.authorizer.decisions": requests, "shop.product.changes": requests}
	counts := func() map[string]float64 {
		found := map[string]float64{}
		for name, series := range sink.Merged() {
			for _, value := range series {
				if _, asked := want[name]; asked {
					found[name] += value
				}
			}
		}
		return found
	}
	sink.Await(t, func() bool { return maps.Equal(counts(), want) && len(traces(sink)) == requests })
	sink.Check(t)
	for i := range requests {
		got := traces(sink)[traceOf(i)]
		slices.Sort(got)
		want := []string{
			"AuthorizerFunction: AuthorizerFunction below the client",
			"AuthorizerFunction: DynamoDB.BatchGetItem below AuthorizerFunction",
			"CreateProductFunction: DynamoDB.TransactWriteItems below POST /v1/products",
			"CreateProductFunction: DynamoDB.UpdateItem below POST /v1/products",
			"CreateProductFunction: POST /v1/products below the client",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("request %d (-want +got):\n%s", i, diff)
		}
	}
}

// traceOf is the id of a request's trace, which the client chooses.
func traceOf(i int) string { return fmt.Sprintf("0af7651916cd43dd8448eb211c80319%x", i) }

// traces returns the spans of each trace: function, name and parent. Spans of INIT are left out.
func traces(sink *otlptest.Sink) map[string][]string {
	spans, names := sink.Spans(), map[string]string{}
	for _, s := range spans {
		names[string(s.GetSpanId())] = s.GetName()
	}
	found := map[string][]string{}
	for _, s := range spans {
		id := hex.EncodeToString(s.GetTraceId())
		if !strings.HasPrefix(id, traceOf(0)[:31]) {
			continue
		}
		parent, known := names[string(s.GetParentSpanId())]
		if !known {
			parent = "the client"
		}
		found[id] = append(found[id], fmt.Sprintf("%v: %s below %s", s.Resource["faas.name"], s.GetName(), parent))
	}
	return found
}
