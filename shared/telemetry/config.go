package telemetry

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/tienda-dev/tienda/shared/tracing"
)

// The values of OTEL_TRACES_EXPORTER, OTEL_METRICS_EXPORTER and OTEL_LOGS_EXPORTER.
const (
	// ExporterOTLP sends OTLP over HTTP. It is the default of traces and metrics if there is an endpoint.
	ExporterOTLP = "otlp"
	// ExporterStdout writes OTLP's JSON to stdout, one line for each export: for accounts without a collector.
	ExporterStdout = "otlp/stdout"
	// ExporterEMF writes metrics to stdout in CloudWatch's Embedded Metric Format.
	ExporterEMF = "emf"
	// ExporterNone exports nothing. It is the default of logs, and of everything without an endpoint.
	ExporterNone = "none"
)

// Config is OpenTelemetry's own environment (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
// The zero value exports nothing.
type Config struct {
	// Disabled switches everything off. The other variables are not checked then, so that it also helps against a value
	// that is refused.
	Disabled bool `env:"OTEL_SDK_DISABLED"`
	// Endpoint is the base URL of a collector; "/v1/traces", "/v1/metrics" and "/v1/logs" are added. Empty: none.
	Endpoint string `env:"OTEL_EXPORTER_OTLP_ENDPOINT"`
	// TracesEndpoint, MetricsEndpoint and LogsEndpoint are whole URLs for one signal.
	TracesEndpoint  string `env:"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"`
	MetricsEndpoint string `env:"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"`
	LogsEndpoint    string `env:"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"`
	// Headers are added to every export: "name=value,name=value", percent-encoded. They may hold a secret.
	Headers string `env:"OTEL_EXPORTER_OTLP_HEADERS"`
	// Protocol is "http/protobuf" (default) or "http/json". gRPC is refused.
	Protocol string `env:"OTEL_EXPORTER_OTLP_PROTOCOL"`
	// TimeoutMS bounds an export, in milliseconds. Default 1000, at most 2000: the environment takes no new
	// invocation before it is over.
	TimeoutMS int `env:"OTEL_EXPORTER_OTLP_TIMEOUT"`
	// Compression is "gzip" or "none" (default).
	Compression string `env:"OTEL_EXPORTER_OTLP_COMPRESSION"`
	// Traces, Metrics and Logs choose the exporters.
	Traces  string `env:"OTEL_TRACES_EXPORTER"`
	Metrics string `env:"OTEL_METRICS_EXPORTER"`
	Logs    string `env:"OTEL_LOGS_EXPORTER"`
	// MetricIntervalMS is the least time between two exports of metrics, in milliseconds. 0, the default, exports
	// them whenever something is exported.
	MetricIntervalMS int `env:"OTEL_METRIC_EXPORT_INTERVAL"`
	// BusyIntervalMS is the least time in milliseconds between two exports of an environment that gets its events less than
	// 100 ms apart: there, exports after every invocation would cost more than the invocations. What waits when the events
	// end is exported with the next one, or at SIGTERM. 0 exports after every invocation.
	BusyIntervalMS int `env:"TELEMETRY_BUSY_INTERVAL" envDefault:"1000"`
	// Sampler is always_on, always_off, traceidratio, or one of them with the prefix parentbased_, which follows the
	// decision of a client that sends a trace context. Default always_on: at a public edge no client should be able to
	// switch off the traces of its requests.
	Sampler string `env:"OTEL_TRACES_SAMPLER"`
	// SamplerArg is the ratio of traceidratio, 0 to 1. Default 1.
	SamplerArg string `env:"OTEL_TRACES_SAMPLER_ARG"`
	// ServiceName is service.name. Default: the function's name.
	ServiceName string `env:"OTEL_SERVICE_NAME"`
	// ResourceAttributes are "key=value,key=value", percent-encoded: service.version and
	// deployment.environment.name belong here.
	ResourceAttributes string `env:"OTEL_RESOURCE_ATTRIBUTES"`
	// SpanAttributes are further keys of span attributes that may be exported.
	SpanAttributes []string `env:"TRACING_ATTRIBUTES"`

	Tracing tracing.Config

	// FunctionName, RuntimeAPI and MaxConcurrency are Lambda's.
	FunctionName   string `env:"AWS_LAMBDA_FUNCTION_NAME"`
	RuntimeAPI     string `env:"AWS_LAMBDA_RUNTIME_API"`
	MaxConcurrency int    `env:"AWS_LAMBDA_MAX_CONCURRENCY"`
}

const (
	defaultTimeout = time.Second
	maxTimeout     = 2 * time.Second
)

// disabled returns the configuration that exports nothing.
func (c *Config) disabled() Config {
	return Config{Disabled: true, Tracing: c.Tracing, FunctionName: c.FunctionName, Traces: ExporterNone, Metrics: ExporterNone, Logs: ExporterNone}
}

// check fills the defaults and names every variable that is wrong.
func (c *Config) check() error {
	var errs []error
	switch c.Protocol {
	case "", "http/protobuf", "http/json":
	case "grpc":
		errs = append(errs, errors.New("OTEL_EXPORTER_OTLP_PROTOCOL is grpc: only http/protobuf and http/json are supported; use the collector's port 4318 instead of 4317"))
	default:
		errs = append(errs, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL is %q: want http/protobuf or http/json", c.Protocol))
	}
	if c.Compression != "" && c.Compression != "none" && c.Compression != "gzip" {
		errs = append(errs, fmt.Errorf("OTEL_EXPORTER_OTLP_COMPRESSION is %q: want gzip or none", c.Compression))
	}
	if c.TimeoutMS < 0 || c.MetricIntervalMS < 0 || c.BusyIntervalMS < 0 {
		errs = append(errs, errors.New("OTEL_EXPORTER_OTLP_TIMEOUT, OTEL_METRIC_EXPORT_INTERVAL and TELEMETRY_BUSY_INTERVAL must not be negative"))
	}
	errs = append(errs,
		c.choose("OTEL_TRACES_EXPORTER", &c.Traces, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &c.TracesEndpoint, "/v1/traces", true, ExporterStdout),
		c.choose("OTEL_METRICS_EXPORTER", &c.Metrics, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", &c.MetricsEndpoint, "/v1/metrics", true, ExporterStdout, ExporterEMF),
		c.choose("OTEL_LOGS_EXPORTER", &c.Logs, "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", &c.LogsEndpoint, "/v1/logs", false),
	)
	return errors.Join(errs...)
}

// choose fills the exporter of a signal and its endpoint.
func (c *Config) choose(variable string, exporter *string, endpointVariable string, endpoint *string, path string, byDefault bool, others ...string) error {
	source := endpointVariable
	if *endpoint == "" && c.Endpoint != "" {
		source, *endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT", strings.TrimSuffix(c.Endpoint, "/")+path
	}
	switch *exporter {
	case "":
		*exporter = ExporterNone
		if byDefault && *endpoint != "" {
			*exporter = ExporterOTLP
		}
	case ExporterNone, ExporterOTLP:
	default:
		if slices.Contains(others, *exporter) {
			return nil
		}
		return fmt.Errorf("%s is %q: want %s", variable, *exporter, strings.Join(append([]string{ExporterOTLP, ExporterNone}, others...), ", "))
	}
	if *exporter != ExporterOTLP {
		return nil
	}
	if *endpoint == "" {
		*exporter = ExporterNone // nowhere to send to
		return nil
	}
	u, err := url.Parse(*endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%s is not an http or https URL", source)
	}
	return nil
}

func (c *Config) timeout() time.Duration {
	if c.TimeoutMS == 0 {
		return defaultTimeout
	}
	return min(maxTimeout, time.Duration(c.TimeoutMS)*time.Millisecond)
}

// pairs reads "key=value,key=value", percent-encoded. Its error has no value, which may be a secret.
func pairs(variable, text string) (map[string]string, error) {
	m := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		key, value, ok := strings.Cut(pair, "=")
		key = strings.TrimSpace(key)
		decoded, err := url.PathUnescape(strings.TrimSpace(value))
		if !ok || key == "" || err != nil {
			return nil, fmt.Errorf("%s is not a list of key=value", variable)
		}
		m[key] = decoded
	}
	return m, nil
}

func (c *Config) sampler() (sdktrace.Sampler, error) {
	ratio := 1.0
	if c.SamplerArg != "" {
		var err error
		if ratio, err = strconv.ParseFloat(c.SamplerArg, 64); err != nil || !(ratio >= 0 && ratio <= 1) {
			return nil, errors.New("OTEL_TRACES_SAMPLER_ARG is not a number from 0 to 1")
		}
	}
	name, parent := strings.CutPrefix(c.Sampler, "parentbased_")
	var root sdktrace.Sampler
	switch name {
	case "", "always_on":
		root = sdktrace.AlwaysSample()
	case "always_off":
		root = sdktrace.NeverSample()
	case "traceidratio":
		root = sdktrace.TraceIDRatioBased(ratio)
	default:
		return nil, fmt.Errorf("OTEL_TRACES_SAMPLER is %q: want always_on, always_off, traceidratio, or one of them with parentbased_ in front", c.Sampler)
	}
	if parent {
		return sdktrace.ParentBased(root), nil
	}
	return root, nil
}
