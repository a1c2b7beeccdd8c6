package stack_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/tests/otlptest"
)

// serveCounts is a function that counts its requests with OpenTelemetry's SDK, and sends the counts before it
// answers. It reads where to from its environment, as every exporter does.
func serveCounts() {
	ctx := context.Background()
	exporter, err := otlpmetrichttp.New(ctx)
	if err != nil {
		panic(err)
	}
	provider := sdkmetric.NewMeterProvider(
		sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter, sdkmetric.WithInterval(time.Hour))),
		sdkmetric.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "stand-in"), attribute.String("service.instance.id", strconv.Itoa(os.Getpid())),
		)),
	)
	meter := provider.Meter("test")
	orders, _ := meter.Int64Counter("shop.orders", metric.WithUnit("{order}"), metric.WithDescription("Orders."))
	seconds, _ := meter.Float64Histogram("http.server.request.duration", metric.WithUnit("s"),
		metric.WithDescription("Requests."), metric.WithExplicitBucketBoundaries(0.1, 1, 10))
	lambda.Start(func(ctx context.Context, event struct {
		RawPath string            `json:"rawPath"`
		Query   map[string]string `json:"queryStringParameters"`
	},
	) (any, error) {
		orders.Add(ctx, 1, metric.WithAttributes(attribute.String("currency", event.Query["currency"])))
		seconds.Record(ctx, 0.5, metric.WithAttributes(attribute.String("http.route", event.RawPath)))
		if err := provider.ForceFlush(ctx); err != nil {
			return nil, err
		}
		switch event.Query["then"] {
		case "die":
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		case "wait": // so that the next request needs another process
			time.Sleep(300 * time.Millisecond)
		}
		return map[string]any{"statusCode": http.StatusOK, "body": strconv.Itoa(os.Getpid())}, nil
	})
}

// counting serves serveCounts.
func counting(t *testing.T, change func(*stack.Options)) *stack.Stack {
	t.Helper()
	opts := options(t, strings.ReplaceAll(templateText, "STACK_TEST_MODE: echo", "STACK_TEST_MODE: count"))
	if change != nil {
		change(&opts)
	}
	s, err := stack.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// sums returns the values of the series "name{labels}" at /metrics.
func sums(t *testing.T, s *stack.Stack) map[string]float64 {
	t.Helper()
	status, text := get(t, s.URL+"/metrics", "")
	if status != http.StatusOK {
		t.Fatalf("got %d: %s", status, text)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	if _, err := parser.TextToMetricFamilies(strings.NewReader(text)); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	found := map[string]float64{}
	for line := range strings.Lines(text) {
		series, value, ok := strings.Cut(strings.TrimSpace(line), "} ")
		if n, err := strconv.ParseFloat(value, 64); ok && err == nil && !strings.HasPrefix(line, "#") {
			found[series+"}"] = n
		}
	}
	return found
}

// TestMetricsOfManyProcessesAreOne drives at least three processes at a time. Some are killed, and others take
// their place.
func TestMetricsOfManyProcessesAreOne(t *testing.T) {
	t.Parallel()
	s := counting(t, nil)
	var mu sync.Mutex
	want := map[string]float64{}
	processes := map[string]bool{}
	request := func(currency, then string) {
		status, body := get(t, s.URL+"/open?currency="+currency+"&then="+then, "")
		mu.Lock()
		defer mu.Unlock()
		want[currency]++
		switch {
		case then == "die":
			if status != http.StatusInternalServerError {
				t.Errorf("of a process that died: got %d %s", status, body)
			}
		case status != http.StatusOK:
			t.Errorf("got %d %s", status, body)
		default:
			processes[body] = true
		}
	}
	for round := range 4 {
		var group sync.WaitGroup
		for i := range 4 {
			group.Go(func() { request([]string{"EUR", "USD"}[i%2], "wait") })
		}
		group.Wait()
		for range 6 {
			group.Go(func() { request("EUR", "") })
		}
		group.Wait()
		if round%2 == 0 {
			request("USD", "die")
		}
	}
	if len(processes) < 3 {
		t.Fatalf("only %d processes served", len(processes))
	}
	total := want["EUR"] + want["USD"]
	got := sums(t, s)
	for series, want := range map[string]float64{
		`shop_orders_total{currency="EUR",job="stand-in"}`:                                         want["EUR"],
		`shop_orders_total{currency="USD",job="stand-in"}`:                                         want["USD"],
		`http_server_request_duration_seconds_count{http_route="/open",job="stand-in"}`:            total,
		`http_server_request_duration_seconds_bucket{http_route="/open",job="stand-in",le="0.1"}`:  0,
		`http_server_request_duration_seconds_bucket{http_route="/open",job="stand-in",le="1"}`:    total,
		`http_server_request_duration_seconds_bucket{http_route="/open",job="stand-in",le="+Inf"}`: total,
		`http_server_request_duration_seconds_sum{http_route="/open",job="stand-in"}`:              total / 2,
	} {
		if value, ok := got[series]; !ok || value != want {
			t.Errorf("%s is %v, want %v of %d processes", series, value, want, len(processes))
		}
	}
	for series := range got {
		if strings.Contains(series, "instance") {
			t.Errorf("the series %s is of one process", series)
		}
	}
}

func TestMetricsAreBesideTheAPI(t *testing.T) {
	t.Parallel()
	s := counting(t, nil)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if kind := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || !strings.HasPrefix(kind, "application/openmetrics-text") {
		t.Errorf("got %d %s", response.StatusCode, kind)
	}
	if status, _ := get(t, s.URL+"/metrics/", ""); status != http.StatusNotFound {
		t.Errorf("another path: got %d", status)
	}

	for _, method := range []string{"GET", "ANY"} {
		text := strings.Replace(templateText, "Method: GET, Path: /open", "Method: "+method+", Path: /metrics", 1)
		opts := options(t, text)
		refused(t, opts, "the route "+method+" /metrics of EchoFunction cannot be served: ")
	}
}

// TestTelemetryIsForwarded has a collector that fails now and then.
func TestTelemetryIsForwarded(t *testing.T) {
	t.Parallel()
	sink := otlptest.Start(t)
	sink.Behave(otlptest.Every(3, http.StatusServiceUnavailable))
	s := counting(t, func(opts *stack.Options) { opts.Telemetry = stack.Telemetry{Endpoint: sink.URL()} })
	const requests = 10
	for range requests {
		if status, body := get(t, s.URL+"/open?currency=EUR", ""); status != http.StatusOK {
			t.Fatalf("got %d %s", status, body)
		}
	}
	sink.Await(t, func() bool { return sink.Merged()["shop.orders"]["currency=EUR"] == requests })
	sink.Check(t)
	if got := sums(t, s)[`shop_orders_total{currency="EUR",job="stand-in"}`]; got != requests {
		t.Errorf("/metrics has %v, want %d", got, requests)
	}
}

// TestDeadCollectorHarmsNothing has one that hangs, and one that is not there.
func TestDeadCollectorHarmsNothing(t *testing.T) {
	t.Parallel()
	for name, kill := range map[string]func(*otlptest.Sink){
		"Hangs":   func(s *otlptest.Sink) { s.Behave(otlptest.Hang()) },
		"Refuses": func(s *otlptest.Sink) { s.Refuse() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sink := otlptest.Start(t)
			kill(sink)
			s := counting(t, func(opts *stack.Options) { opts.Telemetry = stack.Telemetry{Endpoint: sink.URL()} })
			for range 3 {
				if status, body := get(t, s.URL+"/open?currency=EUR", ""); status != http.StatusOK {
					t.Fatalf("got %d %s", status, body)
				}
			}
			if got := sums(t, s)[`shop_orders_total{currency="EUR",job="stand-in"}`]; got != 3 {
				t.Errorf("/metrics has %v, want 3", got)
			}
		})
	}
}

func TestEndpointMustBeAURL(t *testing.T) {
	t.Parallel()
	for _, telemetry := range []stack.Telemetry{
		{Endpoint: "localhost:4318"}, {Endpoint: "http://user:secret@localhost:4318"}, {Endpoint: "http://localhost:4318", Headers: "secret"},
	} {
		opts := options(t, templateText)
		opts.Telemetry = telemetry
		s, err := stack.Start(t.Context(), opts)
		if err == nil || !strings.HasPrefix(err.Error(), "OTEL_EXPORTER_OTLP_") || strings.Contains(fmt.Sprint(err), "secret") {
			t.Errorf("%+v: got %v and %v", telemetry, s, err)
		}
	}
}
