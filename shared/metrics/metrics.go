package metrics

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/metric"
)

// Scope is the instrumentation scope of the catalogue's instruments.
const Scope = "github.com/tienda-dev/tienda/shared/metrics"

// Metrics records the catalogue's instruments. A nil Metrics records nothing. It is safe for concurrent use.
type Metrics struct {
	counters   map[string]*counter
	histograms map[string]*histogram
	gauges     map[string]*gauge
	active     metric.Int64UpDownCounter

	// The instruments of every request are fields: a look-up by name costs as much as the record.
	httpDuration, httpRequestSize, httpResponseSize *histogram
	dbDuration                                      *histogram
	overflow                                        metric.Int64Counter
}

// New makes the catalogue's instruments. Its error names those that the provider refuses.
func New(provider metric.MeterProvider) (*Metrics, error) {
	if provider == nil {
		return nil, errors.New("metrics: no provider")
	}
	m := &Metrics{counters: map[string]*counter{}, histograms: map[string]*histogram{}, gauges: map[string]*gauge{}}
	meter := provider.Meter(Scope)
	var errs []error
	for _, d := range Catalogue() {
		if err := m.add(meter, d); err != nil {
			errs = append(errs, fmt.Errorf("metrics: %s: %w", d.Name, err))
		}
	}
	m.httpDuration = m.histograms[HTTPServerRequestDuration]
	m.httpRequestSize = m.histograms[HTTPServerRequestBodySize]
	m.httpResponseSize = m.histograms[HTTPServerResponseBodySize]
	m.dbDuration = m.histograms[DBClientOperationDuration]
	return m, errors.Join(errs...)
}

func (m *Metrics) add(meter metric.Meter, d Definition) error {
	unit, about := metric.WithUnit(d.Unit), metric.WithDescription(d.Description)
	switch d.Kind {
	case Counter:
		c := &counter{sets: newSets(m, d)}
		m.counters[d.Name] = c
		var err error
		if d.Unit == "{unit}" { // DynamoDB counts in halves
			c.parts, err = meter.Float64Counter(d.Name, unit, about)
			return err
		}
		c.whole, err = meter.Int64Counter(d.Name, unit, about)
		if d.Name == TelemetryCardinalityOverflow {
			m.overflow = c.whole
		}
		return err
	case UpDownCounter:
		i, err := meter.Int64UpDownCounter(d.Name, unit, about)
		m.active = i
		return err
	case Gauge:
		i, err := meter.Int64Gauge(d.Name, unit, about)
		m.gauges[d.Name] = &gauge{value: i, sets: newSets(m, d)}
		return err
	case Histogram:
		i, err := meter.Float64Histogram(d.Name, unit, about, metric.WithExplicitBucketBoundaries(d.Buckets...))
		m.histograms[d.Name] = &histogram{value: i, sets: newSets(m, d)}
		return err
	default:
		return fmt.Errorf("unknown kind %q", d.Kind)
	}
}

type counter struct {
	whole metric.Int64Counter
	parts metric.Float64Counter
	sets  *sets
}

type histogram struct {
	value metric.Float64Histogram
	sets  *sets
}

type gauge struct {
	value metric.Int64Gauge
	sets  *sets
}

// count adds n to the counter called name. v are the values of its attributes, in the catalogue's order.
func (m *Metrics) count(ctx context.Context, name string, n int64, v values) {
	if m == nil || n <= 0 {
		return
	}
	c := m.counters[name]
	c.whole.Add(ctx, n, c.sets.of(ctx, v).add...)
}

// observe records value in the histogram called name.
func (m *Metrics) observe(ctx context.Context, name string, value float64, v values) {
	if m == nil {
		return
	}
	m.histograms[name].observe(ctx, value, v)
}

func (h *histogram) observe(ctx context.Context, value float64, v values) {
	h.value.Record(ctx, max(0, value), h.sets.of(ctx, v).record...)
}

// set records value in the gauge called name.
func (m *Metrics) set(ctx context.Context, name string, value int64, v values) {
	if m == nil {
		return
	}
	g := m.gauges[name]
	g.value.Record(ctx, value, g.sets.of(ctx, v).record...)
}

// seconds returns d in seconds; 0 when the clock was set back meanwhile.
func seconds(d time.Duration) float64 { return max(0, d).Seconds() }

type contextKey struct{}

// With returns a context that carries m.
func With(ctx context.Context, m *Metrics) context.Context {
	return context.WithValue(ctx, contextKey{}, m)
}

// From returns the context's Metrics, or nil, which records nothing.
func From(ctx context.Context) *Metrics {
	m, _ := ctx.Value(contextKey{}).(*Metrics)
	return m
}
