package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/clock"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/telemetry/internal/otlp"
	"github.com/tienda-dev/tienda/shared/tracing"
)

// Host is what Start needs of app.Setup.
type Host interface {
	// Env fills a struct from the environment.
	Env(dst any) error
	// Route is the route that the process serves; the zero Route if it serves another event.
	Route() api.Route
	// Chain has the process's logger and the places that Start fills.
	Chain() *middleware.Config
	SetLogger(logger *zap.Logger)
	// Wrap puts a handler around Lambda's; OnShutdown adds what runs at SIGTERM, and OnInit what runs in INIT.
	Wrap(wrap func(lambda.Handler) lambda.Handler)
	OnShutdown(f func())
	OnInit(warm func(context.Context) error)
	// SetExtended notes that the process has registered an extension, so that Lambda sends it SIGTERM.
	SetExtended()
}

// Option changes what Start does.
type Option func(*options)

type options struct {
	readers []sdkmetric.Reader
	stdout  io.Writer
	headers func(context.Context) (string, error)
}

// WithReader adds a reader of metrics, such as prom.New's.
func WithReader(r sdkmetric.Reader) Option {
	return func(o *options) { o.readers = append(o.readers, r) }
}

// WithStdout replaces stdout for the exporters that write lines.
func WithStdout(w io.Writer) Option { return func(o *options) { o.stdout = w } }

// WithHeaders adds headers to every export, besides those of Config.Headers and in the same form. read returns them, and
// is asked by every export, so it should remember them; an export whose headers cannot be read is tried again later.
func WithHeaders(read func(context.Context) (string, error)) Option {
	return func(o *options) { o.headers = read }
}

// Telemetry is what Start has built.
type Telemetry struct {
	// Tracer makes the spans of requests and invocations; it is never nil.
	Tracer *tracing.Tracer
	// Metrics records. It is nil, and records nothing, if nothing reads it.
	Metrics *metrics.Metrics

	cfg       Config
	logger    *zap.Logger
	now       func() time.Time
	started   time.Time
	trigger   string
	encoder   otlp.Encoder
	resource  *resource.Resource
	spans     *spans
	records   *records
	reader    *sdkmetric.ManualReader
	sinks     map[string]sink
	emf       *emf
	extension *extension

	client *http.Client // of the exports; nil without one to a collector
	turn   *turn
	// pauses, metricsAt and exportedAt belong to the export whose turn it is.
	pauses     map[string]*pause
	metricsAt  time.Time
	exportedAt time.Time

	reported    sync.Map // what was logged once
	initialised time.Duration
	served      atomic.Bool
}

// Start builds the providers, fills the chain's places Tracing and Metrics, and wraps the Lambda handler so that the
// export follows the response. Call it once, first thing in INIT. Its error names the variables that are wrong; a
// collector that does not answer is not an error.
func Start(ctx context.Context, host Host, opts ...Option) (*Telemetry, error) {
	o := options{stdout: os.Stdout}
	for _, opt := range opts {
		opt(&o)
	}
	var cfg Config
	if err := host.Env(&cfg); err != nil {
		return nil, err
	}
	if cfg.Disabled {
		cfg, o.readers = cfg.disabled(), nil
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	t := &Telemetry{
		cfg: cfg, logger: host.Chain().Logger, now: clock.Wall(time.Now), trigger: "other", sinks: map[string]sink{},
		encoder: otlp.Encoder{
			JSON: cfg.Protocol == "http/json", Allow: tracing.NewAllowList(cfg.SpanAttributes...).Allows, Redact: logging.Attribute(),
		},
		turn: newTurn(), pauses: map[string]*pause{signalTraces: {}, signalMetrics: {}, signalLogs: {}},
	}
	t.started = t.now()
	if host.Route().Name != "" {
		t.trigger = "http"
	}
	err := errors.Join(t.open(ctx, o), t.build(host, o))
	if err != nil {
		return nil, err
	}
	chain := host.Chain()
	chain.Tracing = t.Tracer.HTTP(host.Route().Path)
	if t.Metrics != nil {
		chain.Metrics = metrics.HTTP(t.Metrics, host.Route().Path, time.Now)
	}
	if len(t.sinks) == 0 && t.emf == nil && len(o.readers) == 0 {
		return t, nil
	}
	t.serve(ctx, host)
	return t, nil
}

// open makes the sinks.
func (t *Telemetry) open(ctx context.Context, o options) error {
	header, err := pairs("OTEL_EXPORTER_OTLP_HEADERS", t.cfg.Headers)
	if err != nil {
		return err
	}
	if t.resource, err = newResource(ctx, t.cfg); err != nil {
		return err
	}
	lines := &writerSink{mu: new(sync.Mutex), w: o.stdout}
	for signal, want := range map[string][2]string{
		signalTraces:  {t.cfg.Traces, t.cfg.TracesEndpoint},
		signalMetrics: {t.cfg.Metrics, t.cfg.MetricsEndpoint},
		signalLogs:    {t.cfg.Logs, t.cfg.LogsEndpoint},
	} {
		switch want[0] {
		case ExporterStdout:
			t.sinks[signal] = lines
		case ExporterEMF:
			t.emf = newEMF(lines, t.resource, t.encoder.Redact)
		case ExporterOTLP:
			if t.client == nil {
				t.client = newHTTPClient()
			}
			s := &httpSink{
				client: t.client, url: want[1], header: http.Header{}, more: o.headers, gzip: t.cfg.Compression == "gzip",
			}
			s.header.Set("Content-Type", "application/x-protobuf")
			if t.encoder.JSON {
				s.header.Set("Content-Type", "application/json")
			}
			if s.gzip {
				s.header.Set("Content-Encoding", "gzip")
			}
			s.header.Set("User-Agent", "tienda-telemetry")
			for name, value := range header {
				s.header.Set(name, value)
			}
			t.sinks[signal] = s
		}
	}
	return nil
}

// build makes the providers of the signals that go somewhere, and a tracer that only gives ids if spans do not.
func (t *Telemetry) build(host Host, o options) error {
	sampler, err := t.cfg.sampler()
	if err != nil {
		return err
	}
	if t.sinks[signalTraces] == nil {
		sampler = sdktrace.NeverSample()
	}
	limits := sdktrace.NewSpanLimits()
	limits.AttributeValueLengthLimit = -1 // the encoder cuts texts, after it has redacted them
	traces := []sdktrace.TracerProviderOption{
		sdktrace.WithResource(t.resource), sdktrace.WithSampler(sampler), sdktrace.WithRawSpanLimits(limits),
	}
	if t.sinks[signalTraces] != nil {
		t.spans = newSpans()
		traces = append(traces, sdktrace.WithSpanProcessor(t.spans))
	}
	provider := sdktrace.NewTracerProvider(traces...)
	if t.Tracer, err = tracing.New(provider, t.cfg.Tracing); err != nil {
		return err
	}
	otel.SetTracerProvider(provider)
	otel.SetErrorHandler(otel.ErrorHandlerFunc(t.fault))
	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}))

	if err := t.buildMetrics(o); err != nil {
		return err
	}
	if t.sinks[signalLogs] != nil {
		t.records = newRecords(time.Now)
		host.SetLogger(logging.Split(t.logger, t.records))
		t.logger = host.Chain().Logger
	}
	return nil
}

func (t *Telemetry) buildMetrics(o options) error {
	readers := o.readers
	if t.sinks[signalMetrics] != nil || t.emf != nil {
		temporality := sdkmetric.CumulativeTemporalitySelector
		if t.emf != nil { // CloudWatch adds up what it gets
			temporality = sdkmetric.DeltaTemporalitySelector
		}
		t.reader = sdkmetric.NewManualReader(sdkmetric.WithTemporalitySelector(temporality))
		readers = append(readers, t.reader)
	}
	if len(readers) == 0 {
		return nil
	}
	opts := []sdkmetric.Option{sdkmetric.WithResource(t.resource)}
	for _, r := range readers {
		opts = append(opts, sdkmetric.WithReader(r))
	}
	provider := sdkmetric.NewMeterProvider(opts...)
	var err error
	if t.Metrics, err = metrics.New(provider); err != nil {
		return err
	}
	otel.SetMeterProvider(provider)
	return nil
}

// fault logs an error of the SDK, by its type: the text may quote a header that a client sent.
func (t *Telemetry) fault(err error) { t.report("sdk", "error", fmt.Errorf("%T", err)) }

// report logs a problem once for each signal and reason.
func (t *Telemetry) report(signal, reason string, err error) {
	if _, known := t.reported.LoadOrStore(signal+reason, true); !known {
		t.logger.Warn("telemetry was not exported; this is logged once",
			zap.String("signal", signal), zap.String("reason", reason), logging.Error(err))
	}
}

// collect returns the metrics. It needs a reader.
func (t *Telemetry) collect(ctx context.Context) *metricdata.ResourceMetrics {
	var m metricdata.ResourceMetrics
	if err := t.reader.Collect(ctx, &m); err != nil {
		t.report(signalMetrics, "collect", err)
	}
	return &m
}
