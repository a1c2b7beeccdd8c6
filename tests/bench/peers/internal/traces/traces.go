// Package traces sets OpenTelemetry's SDK up for traces as its documentation does: an exporter for OTLP over HTTP, which
// reads its variables itself (OTEL_EXPORTER_OTLP_ENDPOINT and others), behind a batcher.
package traces

import (
	"context"
	"fmt"

	"go.opentelemetry.io/contrib/detectors/aws/lambda"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
)

// New makes the global provider of tracers and returns it. It sends nothing. It fails outside Lambda and for malformed
// variables.
func New(ctx context.Context) (*trace.TracerProvider, error) {
	described, err := Resource(ctx)
	if err != nil {
		return nil, err
	}
	return With(ctx, described)
}

// Resource describes the function. It fails outside Lambda.
func Resource(ctx context.Context) (*resource.Resource, error) {
	// https://github.com/open-telemetry/opentelemetry-go-contrib/blob/detectors/aws/lambda/v0.71.0/detectors/aws/lambda/README.md
	described, err := lambda.NewResourceDetector().Detect(ctx)
	if err != nil {
		return nil, fmt.Errorf("describe the function: %w", err)
	}
	return described, nil
}

// With is New with a resource that is known already.
func With(ctx context.Context, described *resource.Resource) (*trace.TracerProvider, error) {
	// https://pkg.go.dev/go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp#example-package
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("make the exporter of traces: %w", err)
	}
	// A batcher sends all spans of an invocation at once; a syncer would send each by itself.
	// https://opentelemetry.io/docs/languages/go/getting-started/#initialize-the-opentelemetry-sdk
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(described))
	otel.SetTracerProvider(provider)
	return provider, nil
}
