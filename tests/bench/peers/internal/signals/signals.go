// Package signals sets OpenTelemetry's SDK up for traces, metrics and logs as its documentation does. The metrics are
// those of a registry of Prometheus, and the logs are the lines of zap.
package signals

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/contrib/bridges/otelzap"
	bridge "go.opentelemetry.io/contrib/bridges/prometheus"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"example.com/peers/internal/traces"
)

// Signals sends what its providers hold. It is an otellambda.Flusher.
type Signals []func(context.Context) error

// ForceFlush sends one signal after the other, as the documentation's example shuts its providers down.
// https://opentelemetry.io/docs/languages/go/getting-started/#initialize-the-opentelemetry-sdk
func (s Signals) ForceFlush(ctx context.Context) error {
	var err error
	for _, flush := range s {
		err = errors.Join(err, flush(ctx))
	}
	return err
}

// New sets up traces, the metrics of the registry and the lines of the logger, each unless its variable
// (OTEL_TRACES_EXPORTER, OTEL_METRICS_EXPORTER, OTEL_LOGS_EXPORTER) is none. It returns the logger to use. It fails
// outside Lambda and for malformed variables.
// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#exporter-selection
func New(ctx context.Context, registry *prometheus.Registry, logger *zap.Logger) (Signals, *zap.Logger, error) {
	described, err := traces.Resource(ctx)
	if err != nil {
		return nil, nil, err
	}
	var signals Signals
	if on("OTEL_TRACES_EXPORTER") {
		provider, err := traces.With(ctx, described)
		if err != nil {
			return nil, nil, err
		}
		signals = append(signals, provider.ForceFlush)
	}
	if on("OTEL_METRICS_EXPORTER") {
		provider, err := metrics(ctx, described, registry)
		if err != nil {
			return nil, nil, err
		}
		signals = append(signals, provider.ForceFlush)
	}
	if on("OTEL_LOGS_EXPORTER") {
		provider, err := logs(ctx, described)
		if err != nil {
			return nil, nil, err
		}
		signals = append(signals, provider.ForceFlush)
		// https://pkg.go.dev/go.opentelemetry.io/contrib/bridges/otelzap#example-package-Multiple
		logger = logger.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core {
			return zapcore.NewTee(core, otelzap.NewCore("example.com/peers", otelzap.WithLoggerProvider(provider)))
		}))
	}
	return signals, logger, nil
}

func on(variable string) bool { return os.Getenv(variable) != "none" }

// metrics sends what the registry holds, because nothing can scrape a Lambda function.
func metrics(ctx context.Context, described *resource.Resource, registry *prometheus.Registry) (*metric.MeterProvider, error) {
	// https://pkg.go.dev/go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp#example-package
	exporter, err := otlpmetrichttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("make the exporter of metrics: %w", err)
	}
	// https://pkg.go.dev/go.opentelemetry.io/contrib/bridges/prometheus#example-NewMetricProducer
	reader := metric.NewPeriodicReader(exporter, metric.WithProducer(bridge.NewMetricProducer(bridge.WithGatherer(registry))))
	return metric.NewMeterProvider(metric.WithReader(reader), metric.WithResource(described)), nil
}

func logs(ctx context.Context, described *resource.Resource) (*log.LoggerProvider, error) {
	// https://pkg.go.dev/go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp#example-package
	exporter, err := otlploghttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("make the exporter of logs: %w", err)
	}
	// https://opentelemetry.io/docs/languages/go/getting-started/#initialize-the-opentelemetry-sdk
	return log.NewLoggerProvider(log.WithProcessor(log.NewBatchProcessor(exporter)), log.WithResource(described)), nil
}
