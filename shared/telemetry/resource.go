package telemetry

import (
	"context"
	"crypto/rand"
	"fmt"

	"go.opentelemetry.io/contrib/detectors/aws/lambda"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// newResource describes the process. service.instance.id tells apart the processes whose counters are added up. It is
// not the name of the log stream (faas.instance): after a panic the environment has a new process with the same stream,
// whose counters begin at 0 again.
func newResource(ctx context.Context, cfg Config) (*resource.Resource, error) {
	given, err := pairs("OTEL_RESOURCE_ATTRIBUTES", cfg.ResourceAttributes)
	if err != nil {
		return nil, err
	}
	name := string(semconv.ServiceNameKey)
	switch {
	case cfg.ServiceName != "":
		given[name] = cfg.ServiceName
	case given[name] != "":
	case cfg.FunctionName != "":
		given[name] = cfg.FunctionName
	default:
		given[name] = "unknown_service:go"
	}
	given[string(semconv.ServiceInstanceIDKey)] = rand.Text()

	attributes := make([]attribute.KeyValue, 0, len(given))
	for key, value := range given {
		attributes = append(attributes, attribute.String(key, value))
	}
	own := resource.NewWithAttributes(semconv.SchemaURL, attributes...)
	sdk, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithDetectors(lambda.NewResourceDetector()))
	if err != nil {
		return nil, fmt.Errorf("telemetry: detect the resource: %w", err)
	}
	return resource.Merge(sdk, own)
}
