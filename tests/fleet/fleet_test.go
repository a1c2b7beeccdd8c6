package fleet_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/tienda-dev/tienda/tests/fleet"
	"github.com/tienda-dev/tienda/tests/otlptest"
)

// envFunction makes this test binary a function that counts.
const envFunction = "FLEET_TEST_FUNCTION"

func TestMain(m *testing.M) {
	if os.Getenv(envFunction) == "" {
		os.Exit(m.Run())
	}
	serve()
}

// serve counts each request, and sends the counts after the response, by an internal extension.
func serve() {
	exporter, err := otlpmetrichttp.New(context.Background())
	if err != nil {
		panic(err)
	}
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter, sdkmetric.WithInterval(time.Hour))),
		sdkmetric.WithResource(resource.NewSchemaless(attribute.String("service.name", "shop"),
			attribute.String("service.instance.id", os.Getenv("AWS_LAMBDA_LOG_STREAM_NAME")))))
	orders, err := provider.Meter("test").Int64Counter("shop.orders", metric.WithUnit("{order}"))
	if err != nil {
		panic(err)
	}
	served := make(chan struct{}, 1)
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2020-01-01/extension/"
	call := func(method, path, id, body string) http.Header {
		r, err := http.NewRequestWithContext(context.Background(), method, base+path, strings.NewReader(body))
		if err != nil {
			panic(err)
		}
		r.Header.Set("Lambda-Extension-Name", "flush")
		r.Header.Set("Lambda-Extension-Identifier", id)
		response, err := (&http.Client{}).Do(r)
		if err != nil {
			panic(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		return response.Header
	}
	id := call(http.MethodPost, "register", "", `{"events":["INVOKE"]}`).Get("Lambda-Extension-Identifier")
	go func() {
		for {
			call(http.MethodGet, "event/next", id, "")
			<-served
			_ = provider.ForceFlush(context.Background()) // a failed one is made up for by the next
		}
	}()
	lambda.Start(func(ctx context.Context, payload string) (string, error) {
		orders.Add(ctx, 1)
		served <- struct{}{}
		return payload + " is answered", nil
	})
}

func run(t *testing.T, sink *otlptest.Sink, early bool) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var wrong atomic.Int64
	result, err := fleet.Run(t.Context(), fleet.Config{
		Binary: self, Env: []string{envFunction + "=1", "OTEL_EXPORTER_OTLP_ENDPOINT=" + sink.URL()},
		Instances: 6, Requests: 5, Alive: 3, Frozen: 5 * time.Millisecond, Early: early,
		Event: func(int, int) []byte { return []byte(`"order"`) },
		Answered: func(_, _ int, payload []byte, _ time.Duration) {
			if string(payload) != `"order is answered"` {
				wrong.Add(1)
			}
		},
	})
	if err != nil || result != (fleet.Result{Responses: 30}) || wrong.Load() != 0 {
		t.Fatalf("got %+v, %v, and %d wrong answers", result, err, wrong.Load())
	}
}

// TestNothingIsLostAfterNext kills environments that wait. The collector fails now and then, and the exporter
// tries again.
func TestNothingIsLostAfterNext(t *testing.T) {
	t.Parallel()
	sink := otlptest.Start(t)
	sink.Behave(otlptest.Every(7, http.StatusServiceUnavailable))
	run(t, sink, false)
	if got := sink.Merged()["shop.orders"][""]; got != 30 {
		t.Errorf("the collector has %v of 30", got)
	}
}

// TestEarlyDeathLosesItsOwnInvocation kills environments at their last response.
func TestEarlyDeathLosesItsOwnInvocation(t *testing.T) {
	t.Parallel()
	sink := otlptest.Start(t)
	run(t, sink, true)
	if got := sink.Merged()["shop.orders"][""]; got < 24 || got > 30 {
		t.Errorf("the collector has %v, want 24 to 30", got)
	}
}
