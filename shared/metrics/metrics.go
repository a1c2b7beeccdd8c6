package metrics

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
)

// Scope is the instrumentation scope of the catalogue's instruments.
const Scope = "github.com/tienda-dev/tienda/shared/metrics"

// Metrics records the catalogue's instruments. A nil Metrics records nothing. It is safe for concurrent use.
type Metrics struct {
	instruments instruments
	active      metric.Int64UpDownCounter
}

// New returns the catalogue's instruments. Each is made when it is first used: a function uses few of them, and to make
// all would be the longest part of INIT's telemetry. The provider's refusal of one goes to otel.Handle.
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
			*counterField = &counter{lazy: lazy{meter: meter, definition: d, metrics: m}}
		case d.Kind == Histogram && isHistogram:
			*histogramField = &histogram{lazy: lazy{meter: meter, definition: d, metrics: m}}
		case d.Kind == Gauge && isGauge:
			*gaugeField = &gauge{lazy: lazy{meter: meter, definition: d, metrics: m}}
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

// lazy is what an instrument has before it is used.
type lazy struct {
	meter      metric.Meter
	definition Definition
	metrics    *Metrics

	made atomic.Bool
	once sync.Once
	sets *sets
}

// open makes the instrument and its sets. It is for the first use: made says whether it was called.
func (l *lazy) open(create func(d Definition, unit, description metric.InstrumentOption) error) {
	l.once.Do(func() {
		d := l.definition
		l.sets = newSets(l.metrics, d)
		if err := create(d, metric.WithUnit(d.Unit), metric.WithDescription(d.Description)); err != nil {
			otel.Handle(fmt.Errorf("metrics: %s: %w", d.Name, err))
		}
		l.made.Store(true)
	})
}

// counter counts in whole numbers, or in parts of them.
type counter struct {
	lazy

	whole metric.Int64Counter
	parts metric.Float64Counter
}

func (c *counter) create(d Definition, unit, description metric.InstrumentOption) (err error) {
	if d.Unit == "{unit}" { // DynamoDB counts in halves
		c.parts, err = c.meter.Float64Counter(d.Name, unit, description)
	} else {
		c.whole, err = c.meter.Int64Counter(d.Name, unit, description)
	}
	return err
}

// add counts n. v are the values of its attributes, in the catalogue's order.
func (c *counter) add(ctx context.Context, n int64, v values) {
	if c == nil || n <= 0 {
		return
	}
	if !c.made.Load() {
		c.open(c.create)
	}
	c.whole.Add(ctx, n, c.sets.of(ctx, &v).add...)
}

// begin makes the series of a set of values, at zero.
func (c *counter) begin(ctx context.Context, v values) {
	if c == nil {
		return
	}
	if !c.made.Load() {
		c.open(c.create)
	}
	c.whole.Add(ctx, 0, c.sets.of(ctx, &v).add...)
}

// addPart counts a part, as add does.
func (c *counter) addPart(ctx context.Context, n float64, v values) {
	if c == nil || n <= 0 {
		return
	}
	if !c.made.Load() {
		c.open(c.create)
	}
	c.parts.Add(ctx, n, c.sets.of(ctx, &v).add...)
}

type histogram struct {
	lazy

	value metric.Float64Histogram
}

func (h *histogram) create(d Definition, unit, description metric.InstrumentOption) (err error) {
	h.value, err = h.meter.Float64Histogram(d.Name, unit, description, metric.WithExplicitBucketBoundaries(d.Buckets...))
	return err
}

// record records value. v are the values of its attributes, in the catalogue's order.
func (h *histogram) record(ctx context.Context, value float64, v values) {
	if h == nil {
		return
	}
	if !h.made.Load() {
		h.open(h.create)
	}
	h.value.Record(ctx, max(0, value), h.sets.of(ctx, &v).record...)
}

type gauge struct {
	lazy

	value metric.Int64Gauge
}

func (g *gauge) create(d Definition, unit, description metric.InstrumentOption) (err error) {
	g.value, err = g.meter.Int64Gauge(d.Name, unit, description)
	return err
}

// record records value. v are the values of its attributes, in the catalogue's order.
func (g *gauge) record(ctx context.Context, value int64, v values) {
	if g == nil {
		return
	}
	if !g.made.Load() {
		g.open(g.create)
	}
	g.value.Record(ctx, value, g.sets.of(ctx, &v).record...)
}

// seconds returns d in seconds; 0 when the clock was set back meanwhile.
func seconds(d time.Duration) float64 { return max(0, d).Seconds() }

type contextKey struct{}

// With returns a context that carries m.
func With(ctx context.Context, m *Metrics) context.Context {
	if m != nil && From(ctx) == m {
		return ctx
	}
	return context.WithValue(ctx, contextKey{}, m)
}

// From returns the context's Metrics, or nil, which records nothing.
func From(ctx context.Context) *Metrics {
	m, _ := ctx.Value(contextKey{}).(*Metrics)
	return m
}
