// Command official is the function with OpenTelemetry's own exporters in the place of shared/telemetry. It has neither
// the extension nor the redaction, the allow-list and the bounds of ours.
package main

import (
	"context"
	"errors"
	"time"

	"example.com/exporters/route"
	"go.opentelemetry.io/contrib/bridges/otelzap"
	"go.opentelemetry.io/contrib/detectors/aws/lambda"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/tracing"
)

func main() { route.Main(start) }

func start(ctx context.Context, s *app.Setup) error {
	described, resourceErr := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithDetectors(lambda.NewResourceDetector()))
	spans, spansErr := otlptracehttp.New(ctx)
	points, pointsErr := otlpmetrichttp.New(ctx)
	records, recordsErr := otlploghttp.New(ctx)
	if err := errors.Join(resourceErr, spansErr, pointsErr, recordsErr); err != nil {
		return err
	}
	traces := sdktrace.NewTracerProvider(sdktrace.WithResource(described), sdktrace.WithBatcher(spans))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithResource(described),
		sdkmetric.WithReader(sdkmetric.NewPeriodicReader(points, sdkmetric.WithInterval(time.Hour))))
	logs := sdklog.NewLoggerProvider(sdklog.WithResource(described), sdklog.WithProcessor(sdklog.NewBatchProcessor(records)))
	s.SetLogger(logging.Split(s.Logger(), otelzap.NewCore(tracing.Scope, otelzap.WithLoggerProvider(logs))))

	tracer, tracerErr := tracing.New(traces, tracing.Config{})
	recorder, recorderErr := metrics.New(meters)
	if err := errors.Join(tracerErr, recorderErr); err != nil {
		return err
	}
	s.Chain().Tracing, s.Chain().Metrics = tracer.HTTP(s.Route().Path), metrics.HTTP(recorder, s.Route().Path, time.Now)
	return nil
}
