// Package metrics adds up the metrics that the functions' processes send, and gives the sums to Prometheus.
//
// Each process counts from zero, and ends. A series here is the sum over all processes, those that have ended
// too. So it grows as one counter does, and rate and increase are right. A gauge has no sum: its series is the
// newest value of the processes that have reported lately.
package metrics

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/otlptranslator"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
)

// The default limits of a Store. A stream is what one process sends for one series.
const (
	DefaultMaxSeries    = 20_000
	DefaultMaxStreams   = 200_000
	DefaultMaxForgotten = 200_000
	// DefaultGaugeLife is how long a gauge is shown after its last value.
	DefaultGaugeLife = 5 * time.Minute
)

// Config limits a Store. The zero value has the defaults.
type Config struct {
	// MaxSeries is how many series are kept. Points of further ones are rejected.
	MaxSeries int
	// MaxStreams is how many streams are kept. Beyond it, the process that has been silent the longest is
	// forgotten: its values stay in the sums, and it can add nothing more.
	MaxStreams int
	// MaxForgotten is how many processes are remembered as forgotten.
	MaxForgotten int
	// GaugeLife is how long a gauge, or a sum that can fall, is shown after its last value.
	GaugeLife time.Duration
	// Now is the clock. Nil is time.Now.
	Now func() time.Time
}

// Store holds the sums. It is a prometheus.Collector, and safe for concurrent use.
type Store struct {
	cfg         Config
	metricNamer otlptranslator.MetricNamer
	labelNamer  otlptranslator.LabelNamer

	mu        sync.Mutex
	families  map[string]*family // by Prometheus name
	series    int                // of all families
	streams   int                // of all instances
	instances map[string]*instance
	silent    []*instance // the same
	forgotten map[string]bool
	order     []string // of forgotten
	rejected  float64
}

// family is what the series of one name have in common.
type family struct {
	name, help string
	kind       kind
	series     map[string]*series // by labels
}

// kind is how the values of processes become one.
type kind int

const (
	counter   kind = iota // the sum over all processes
	upDown                // the sum over the processes that are alive, because it can fall
	gauge                 // the newest value
	histogram             // a sum for each bucket
)

// instance is one process that sends metrics.
type instance struct {
	id      string
	seen    time.Time
	streams map[streamKey]*stream
}

// streamKey identifies a stream of one process. A stream with another start counts from zero again.
type streamKey struct {
	scope, metric, attributes string
	kind                      kind
	start                     uint64 // Unix time in ns
}

// stream is the last cumulative point of a streamKey.
type stream struct {
	series *series
	time   uint64 // Unix time in ns
	value  amount
}

// New returns an empty Store.
func New(cfg Config) *Store {
	cfg.MaxSeries = orDefault(cfg.MaxSeries, DefaultMaxSeries)
	cfg.MaxStreams = orDefault(cfg.MaxStreams, DefaultMaxStreams)
	cfg.MaxForgotten = orDefault(cfg.MaxForgotten, DefaultMaxForgotten)
	cfg.GaugeLife = orDefault(cfg.GaugeLife, DefaultGaugeLife)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Store{
		cfg:         cfg,
		metricNamer: otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes),
		families:    map[string]*family{},
		instances:   map[string]*instance{},
		forgotten:   map[string]bool{},
	}
}

func orDefault[T int | time.Duration](v, fallback T) T {
	if v <= 0 {
		return fallback
	}
	return v
}

// Add adds one export. It returns how many of its points it rejected, and the reason of the first.
func (s *Store) Add(data *metricspb.MetricsData) (rejected int64, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	reject := func(points int, err error) {
		if rejected == 0 {
			reason = err.Error()
		}
		rejected += int64(points)
	}
	for _, r := range data.GetResourceMetrics() {
		resource, id := identify(r.GetResource().GetAttributes())
		if s.forgotten[id] {
			reject(countResource(r), fmt.Errorf("service.instance.id: the process was silent while more than %d streams came, and is forgotten", s.cfg.MaxStreams))
			continue
		}
		from := s.touch(id)
		for _, scope := range r.GetScopeMetrics() {
			for _, m := range scope.GetMetrics() {
				s.addMetric(from, resource, scope.GetScope().GetName(), m, reject)
			}
		}
		s.limitStreams()
	}
	s.rejected += float64(rejected)
	return rejected, reason
}

// addMetric adds the points of one metric.
func (s *Store) addMetric(from *instance, resource []pair, scope string, m *metricspb.Metric, reject func(int, error)) {
	points, k, cumulative, err := read(m)
	if err != nil {
		reject(countPoints(m), fmt.Errorf("%s: %w", m.GetName(), err))
		return
	}
	for _, p := range points {
		if p.absent {
			continue
		}
		if err := s.addPoint(from, resource, scope, m, k, cumulative, p); err != nil {
			reject(1, fmt.Errorf("%s: %w", m.GetName(), err))
		}
	}
}

func (s *Store) addPoint(from *instance, resource []pair, scope string, m *metricspb.Metric, k kind, cumulative bool, p point) error {
	if k != gauge && math.IsNaN(p.value) {
		return errNaN
	}
	key := streamKey{scope: scope, metric: m.GetName(), attributes: rawKey(p.attributes), kind: k}
	if k != gauge && cumulative {
		key.start = p.start
	}
	known := from.streams[key]
	if known == nil {
		to, err := s.find(resource, m, k, p)
		if err != nil {
			return err
		}
		known = &stream{series: to}
		from.streams[key] = known
		s.streams++
	} else if p.time <= known.time {
		return nil // it was sent again
	}
	to := known.series
	if k == histogram && !slices.Equal(to.bounds, p.bounds) {
		return fmt.Errorf("histogram bounds: want %v, as at the first point of the series", to.bounds)
	}
	before := known.value
	known.time, known.value = p.time, p.amount
	switch {
	case k == gauge:
		to.set(p.value, p.time, s.cfg.Now())
	case k == upDown: // Collect adds the processes that are alive
	case !cumulative || p.less(before): // it began at zero
		to.add(p.amount, p.exemplars)
	default:
		to.add(p.minus(before), p.exemplars)
	}
	return nil
}

// touch returns the process, which is now the least silent.
func (s *Store) touch(id string) *instance {
	i := s.instances[id]
	if i == nil {
		i = &instance{id: id, streams: map[streamKey]*stream{}}
		s.instances[id] = i
		s.silent = append(s.silent, i)
	}
	i.seen = s.cfg.Now()
	return i
}

// limitStreams forgets the processes that have been silent the longest, until at most MaxStreams are
// kept. A process that sends more than that on its own is forgotten too.
func (s *Store) limitStreams() {
	if s.streams <= s.cfg.MaxStreams {
		return
	}
	slices.SortStableFunc(s.silent, func(a, b *instance) int { return a.seen.Compare(b.seen) })
	for s.streams > s.cfg.MaxStreams && len(s.silent) > 0 {
		oldest := s.silent[0]
		s.silent = s.silent[1:]
		s.streams -= len(oldest.streams)
		delete(s.instances, oldest.id)
		s.forgotten[oldest.id] = true
		s.order = append(s.order, oldest.id)
	}
	for len(s.order) > s.cfg.MaxForgotten {
		delete(s.forgotten, s.order[0])
		s.order = s.order[1:]
	}
}
