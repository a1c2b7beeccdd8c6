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
	instruments instruments
	active      metric.Int64UpDownCounter
}

// New makes the catalogue's instruments. Its error names those that the provider refuses.
func New(provider metric.MeterProvider) (*Metrics, error) {
	if provider == nil {
		return nil, errors.New("metrics: no provider")
	}
	m := new(Metrics)
	meter := provider.Meter(Scope)
	counters, histograms, gauges := m.instruments.counters(), m.instruments.histograms(), m.instruments.gauges()
	var errs []error
	for _, d := range Catalogue() {
		var err error
		counterField, isCounter := counters[d.Name]
		histogramField, isHistogram := histograms[d.Name]
		gaugeField, isGauge := gauges[d.Name]
		switch {
		case d.Kind == Counter && isCounter:
			*counterField, err = m.newCounter(meter, d)
		case d.Kind == Histogram && isHistogram:
			*histogramField, err = m.newHistogram(meter, d)
		case d.Kind == Gauge && isGauge:
			*gaugeField, err = m.newGauge(meter, d)
		case d.Name == HTTPServerActiveRequests:
			m.active, err = meter.Int64UpDownCounter(d.Name, metric.WithUnit(d.Unit), metric.WithDescription(d.Description))
		default:
			err = fmt.Errorf("no field for a %s", d.Kind)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("metrics: %s: %w", d.Name, err))
		}
	}
	return m, errors.Join(errs...)
}

// none has no instruments. Nothing writes it.
var none instruments //nolint:gochecknoglobals // one zero value for every nil Metrics

// in returns the instruments. Those of a nil Metrics are nil and record nothing.
func (m *Metrics) in() *instruments {
	if m == nil {
		return &none
	}
	return &m.instruments
}

// counter counts in whole numbers, or in parts of them.
type counter struct {
	whole metric.Int64Counter
	parts metric.Float64Counter
	sets  *sets
}

func (m *Metrics) newCounter(meter metric.Meter, d Definition) (*counter, error) {
	unit, about := metric.WithUnit(d.Unit), metric.WithDescription(d.Description)
	c := &counter{sets: newSets(m, d)}
	var err error
	if d.Unit == "{unit}" { // DynamoDB counts in halves
		c.parts, err = meter.Float64Counter(d.Name, unit, about)
	} else {
		c.whole, err = meter.Int64Counter(d.Name, unit, about)
	}
	return c, err
}

// add counts n. v are the values of its attributes, in the catalogue's order.
func (c *counter) add(ctx context.Context, n int64, v values) {
	if c != nil && n > 0 {
		c.whole.Add(ctx, n, c.sets.of(ctx, &v).add...)
	}
}

// addPart counts a part, as add does.
func (c *counter) addPart(ctx context.Context, n float64, v values) {
	if c != nil && n > 0 {
		c.parts.Add(ctx, n, c.sets.of(ctx, &v).add...)
	}
}

type histogram struct {
	value metric.Float64Histogram
	sets  *sets
}

func (m *Metrics) newHistogram(meter metric.Meter, d Definition) (*histogram, error) {
	value, err := meter.Float64Histogram(d.Name, metric.WithUnit(d.Unit), metric.WithDescription(d.Description),
		metric.WithExplicitBucketBoundaries(d.Buckets...))
	return &histogram{value: value, sets: newSets(m, d)}, err
}

// record records value. v are the values of its attributes, in the catalogue's order.
func (h *histogram) record(ctx context.Context, value float64, v values) {
	if h != nil {
		h.value.Record(ctx, max(0, value), h.sets.of(ctx, &v).record...)
	}
}

type gauge struct {
	value metric.Int64Gauge
	sets  *sets
}

func (m *Metrics) newGauge(meter metric.Meter, d Definition) (*gauge, error) {
	value, err := meter.Int64Gauge(d.Name, metric.WithUnit(d.Unit), metric.WithDescription(d.Description))
	return &gauge{value: value, sets: newSets(m, d)}, err
}

// record records value. v are the values of its attributes, in the catalogue's order.
func (g *gauge) record(ctx context.Context, value int64, v values) {
	if g != nil {
		g.value.Record(ctx, value, g.sets.of(ctx, &v).record...)
	}
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
