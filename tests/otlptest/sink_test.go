package otlptest_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/tienda-dev/tienda/tests/otlptest"
)

// client counts with OpenTelemetry's SDK.
func client(t *testing.T, sink *otlptest.Sink, unit string) (add, flush func() error) {
	t.Helper()
	exporter, err := otlpmetrichttp.New(t.Context(), otlpmetrichttp.WithEndpointURL(sink.URL()+"/v1/metrics"),
		otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{}), otlpmetrichttp.WithTimeout(2*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	provider := sdkmetric.NewMeterProvider(
		sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter, sdkmetric.WithInterval(time.Hour))),
		sdkmetric.WithResource(resource.NewSchemaless(attribute.String("service.name", "shop"), attribute.String("service.instance.id", "one"))))
	t.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
	orders, err := provider.Meter("test").Int64Counter("shop.orders", metric.WithUnit(unit))
	if err != nil {
		t.Fatal(err)
	}
	add = func() error {
		orders.Add(t.Context(), 1, metric.WithAttributes(attribute.String("currency", "EUR")))
		return nil
	}
	flush = func() error { return provider.ForceFlush(t.Context()) }
	return add, flush
}

func TestBehaviours(t *testing.T) {
	t.Parallel()
	sink := otlptest.Start(t)
	add, flush := client(t, sink, "{order}")
	for _, c := range []struct {
		name   string
		behave otlptest.Behaviour
		fails  bool
	}{
		{"Answer200", otlptest.Answer(http.StatusOK), false},
		{"Answer400", otlptest.Answer(http.StatusBadRequest), true},
		{"Delay", otlptest.Delay(20 * time.Millisecond), false},
		{"Once503", otlptest.Once(http.StatusServiceUnavailable), true},
		{"AfterOnce503", nil, false},
	} {
		if c.behave != nil {
			sink.Behave(c.behave)
		}
		_ = add()
		if err := flush(); (err != nil) != c.fails {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
	if got := sink.Merged()["shop.orders"]["currency=EUR"]; got != 5 || sink.Requests() != 5 {
		t.Errorf("got %v of 5 orders in %d requests", got, sink.Requests())
	}
	sink.Check(t)

	sink.Refuse()
	_ = add()
	if flush() == nil {
		t.Error("a sink that refuses took an export")
	}
	sink.Restart(t)
	if err := flush(); err != nil {
		t.Errorf("after the restart: %v", err)
	}
	sink.Await(t, func() bool { return sink.Merged()["shop.orders"]["currency=EUR"] == 6 })

	sink.Behave(otlptest.Hang())
	began := time.Now()
	if flush() == nil || time.Since(began) < time.Second {
		t.Error("a sink that hangs answered")
	}
	sink.Behave(otlptest.Answer(http.StatusOK)) // the provider sends when it ends
}

// recorder is a testing.TB that keeps what fails.
type recorder struct {
	testing.TB
	faults []string
}

func (r *recorder) Error(args ...any) { r.faults = append(r.faults, args[0].(string)) }
func (r *recorder) Helper()           {}

func TestCheckFindsFaults(t *testing.T) {
	t.Parallel()
	sink := otlptest.Start(t)
	add, flush := client(t, sink, "")
	_ = add()
	if err := flush(); err != nil {
		t.Fatal(err)
	}
	const span = `{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"0000000000000000","name":"zero","startTimeUnixNano":"5","endTimeUnixNano":"4"}`
	body := `{"resourceSpans":[{"schemaUrl":"https://a.example/1","scopeSpans":[{"schemaUrl":"https://a.example/2","spans":[` + span + "," + span + `]}]}]}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, sink.URL()+"/v1/traces", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	// Not the default client: a server of another test that closes breaks its connections.
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	found := &recorder{TB: t}
	sink.Check(found)
	all := strings.Join(found.faults, "\n")
	for _, want := range []string{
		`metric shop.orders: the unit is ""`, `span "zero": ids of 16 and 8 bytes, want 16 and 8 that are not zero`,
		`span "zero": it ends before it starts`, `span "zero": it came twice`, `span "zero": the resource has no service.name`,
		`span "zero": the resource has no service.instance.id`, `the schema URLs are ["https://a.example/1" "https://a.example/2"], want one`,
	} {
		if !strings.Contains(all, want) {
			t.Errorf("want %s in\n%s", want, all)
		}
	}
	if len(sink.Spans()) != 2 || sink.Spans()[0].SchemaURLs[1] != "https://a.example/2" || len(sink.Names()) != 1 {
		t.Errorf("got %v and %v", sink.Spans(), sink.Names())
	}
}
