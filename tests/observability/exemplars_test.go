//go:build observability

package observability_test

import (
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"

	"github.com/tienda-dev/tienda/local/observe"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/tools/dashboards/board"
)

// TestExemplarsAreOfRecentTraces counts two requests with a trace each: what the dashboards ask returns the second
// one's too, and the trace itself is kept.
func TestExemplarsAreOfRecentTraces(t *testing.T) {
	t.Parallel()
	r := start(t, observe.Options{ScrapeInterval: time.Second})
	began := time.Now()
	asked := ""
	for _, d := range board.All() {
		for _, expr := range d.Expressions() {
			if strings.Contains(expr, "_exemplars_") {
				asked = concrete(expr)
			}
		}
	}
	for n := range uint64(2) {
		traced := trace(200*time.Millisecond, false)
		span := traced.GetResourceSpans()[0].GetScopeSpans()[0].GetSpans()[0]
		message := everything(began, n+1)
		point := metric(message, metrics.HTTPServerRequestDuration).GetHistogram().GetDataPoints()[0]
		point.Exemplars = []*metricspb.Exemplar{{
			TimeUnixNano: uint64(time.Now().UnixNano()), Value: &metricspb.Exemplar_AsDouble{AsDouble: 0.2},
			TraceId: span.GetTraceId(), SpanId: span.GetSpanId(),
		}}
		send(t, r, "/v1/traces", traced)
		send(t, r, "/v1/metrics", message)
		id := hex.EncodeToString(span.GetTraceId())
		eventually(t, func() error {
			page := fmt.Sprintf("%s/api/v1/query_exemplars?start=%d&end=%d&query=%s",
				r.Prometheus, began.Unix()-60, time.Now().Unix()+60, url.QueryEscape(asked))
			if found := get(t, page); !strings.Contains(found, `"trace_id":"`+id+`"`) {
				return fmt.Errorf("request %d: no exemplar of the trace %s in %s", n, id, found)
			}
			if !strings.Contains(file(t, r, tracesFile), `"traceId":"`+id+`"`) {
				return fmt.Errorf("request %d: the trace %s is not kept", n, id)
			}
			return nil
		})
	}
	series, err := query(t, r, `count({__name__=~"http_server_request_exemplars_seconds_.*"})`)
	want := float64(3 * len(metric(everything(began, 1), metrics.HTTPServerRequestDuration).GetHistogram().GetDataPoints())) // bucket, sum and count of each attribute set
	if err != nil || len(series) != 1 || series[0].value != want {
		t.Errorf("got %v series (%v), want %v: more would cost", series, err, want)
	}
}
