package tracing_test

import (
	"context"
	"errors"
	"maps"
	"testing"

	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/tracing"
)

// throttledError is like awsjson.Error.
type throttledError struct{}

func (throttledError) Error() string     { return "canary of an item" }
func (throttledError) ErrorCode() string { return "ThrottlingException" }

func TestACallOfDynamoDBIsASpanAndIsMeasured(t *testing.T) {
	t.Parallel()
	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	for name, c := range map[string]struct {
		ctx                 context.Context
		attempts, throttles int
		err                 error
		attributes          map[string]string // besides those of every call
	}{
		"OK":      {t.Context(), 1, 0, nil, nil},
		"Retried": {t.Context(), 3, 1, nil, map[string]string{"aws.dynamodb.attempts": "3"}},
		"Throttled": {t.Context(), 4, 4, throttledError{}, map[string]string{
			"aws.dynamodb.attempts": "4", "error.type": "ThrottlingException", "db.response.status_code": "ThrottlingException",
		}},
		"Broken": {t.Context(), 1, 0, errors.New("canary of a connection"), map[string]string{"error.type": metrics.Other}},
		"Late":   {late, 1, 0, context.DeadlineExceeded, map[string]string{"error.type": metrics.ErrorTimeout}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			recorder, reader := tracetest.NewSpanRecorder(), sdkmetric.NewManualReader()
			m, err := metrics.New(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
			if err != nil {
				t.Fatal(err)
			}
			ctx, parent := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)).Tracer("t").Start(metrics.With(c.ctx, m), "request")
			inner, done := tracing.DynamoDB("auth", "eu-central-1")(ctx, "BatchGetItem")
			_, child := tracing.StartSpan(inner, "connect")
			child.End()
			done(c.attempts, c.throttles, c.err)

			span := recorder.Ended()[1]
			if span.Name() != "DynamoDB.BatchGetItem" || span.SpanKind().String() != "client" || span.Parent().SpanID() != parent.SpanContext().SpanID() ||
				recorder.Ended()[0].Parent().SpanID() != span.SpanContext().SpanID() || (span.Status().Code == codes.Error) != (c.err != nil) {
				t.Errorf("got %+v", span)
			}
			want := map[string]string{
				"db.system.name": "aws.dynamodb", "db.operation.name": "BatchGetItem", "db.collection.name": "auth",
				"aws.dynamodb.table_names": `["auth"]`, "cloud.region": "eu-central-1", "rpc.system.name": "aws-api",
			}
			maps.Copy(want, c.attributes)
			got := map[string]string{}
			for _, kv := range span.Attributes() {
				got[string(kv.Key)] = kv.Value.String()
			}
			if !maps.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			if got := counted(t, reader); got[metrics.DBClientOperationDuration] != 1 || got[metrics.DynamoDBThrottles] != int64(c.throttles) ||
				got[metrics.DynamoDBRetries] != int64(c.attempts-1) {
				t.Errorf("got %v", got)
			}
		})
	}
}

// counted returns the values of counters and the counts of histograms.
func counted(t *testing.T, reader sdkmetric.Reader) map[string]int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	totals := map[string]int64{}
	for _, scope := range all.ScopeMetrics {
		for _, metric := range scope.Metrics {
			switch data := metric.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					totals[metric.Name] += p.Value
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					totals[metric.Name] += int64(p.Count)
				}
			}
		}
	}
	return totals
}
