package telemetry

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"

	"go.opentelemetry.io/contrib/detectors/aws/lambda"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// newResource describes the process. service.instance.id tells apart the processes whose counters are added up.
func newResource(ctx context.Context, cfg Config) (*resource.Resource, error) {
	given, err := pairs("OTEL_RESOURCE_ATTRIBUTES", cfg.ResourceAttributes)
	if err != nil {
		return nil, err
	}
	set := func(key attribute.Key, value string) {
		if _, ok := given[string(key)]; !ok || value != "" {
			given[string(key)] = value
		}
	}
	if cfg.ServiceName != "" {
		set(semconv.ServiceNameKey, cfg.ServiceName)
	} else if given[string(semconv.ServiceNameKey)] == "" {
		set(semconv.ServiceNameKey, cfg.FunctionName)
	}
	if given[string(semconv.ServiceNameKey)] == "" {
		set(semconv.ServiceNameKey, "unknown_service:go")
	}
	instance := cfg.LogStream
	if instance == "" {
		instance = rand.Text()
	}
	set(semconv.ServiceInstanceIDKey, instance)

	attributes := make([]attribute.KeyValue, 0, len(given))
	for key, value := range given {
		attributes = append(attributes, attribute.String(key, value))
	}
	slices.SortFunc(attributes, func(a, b attribute.KeyValue) int {
		if a.Key < b.Key {
			return -1
		}
		return 1
	})
	own := resource.NewWithAttributes(semconv.SchemaURL, attributes...)
	sdk, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithDetectors(lambda.NewResourceDetector()))
	if err != nil {
		return nil, fmt.Errorf("telemetry: detect the resource: %w", err)
	}
	return resource.Merge(sdk, own)
}
