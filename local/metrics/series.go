package metrics

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/otlptranslator"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
)

// The labels of an exemplar, as OpenTelemetry's rules for Prometheus name them.
const (
	exemplarTrace = "trace_id"
	exemplarSpan  = "span_id"
)

// series is a sum over processes.
type series struct {
	amount
	kind      kind
	desc      *prometheus.Desc
	values    []string // of its labels
	bounds    []float64
	exemplars []prometheus.Exemplar // the newest of each bucket; no time is none
	time      uint64                // of the newest value of a gauge: Unix time in ns
	seen      time.Time             // when that value came
}

// find returns the series of a point, and makes it if there is room.
func (s *Store) find(resource []pair, m *metricspb.Metric, k kind, p point) (*series, error) {
	name, err := s.metricNamer.Build(otlptranslator.Metric{Name: m.GetName(), Unit: m.GetUnit(), Type: namingType(k)})
	if err != nil {
		return nil, err
	}
	labels, err := labelsOf(&s.labelNamer, resource, p.attributes)
	if err != nil {
		return nil, err
	}
	f := s.families[name]
	if f == nil {
		f = &family{name: name, help: m.GetDescription(), kind: k, series: map[string]*series{}}
	}
	if f.kind != k {
		return nil, fmt.Errorf("name: %s is the name of another kind of metric", name)
	}
	at := key(labels)
	if found := f.series[at]; found != nil {
		return found, nil
	}
	if s.series >= s.cfg.MaxSeries {
		return nil, fmt.Errorf("attributes: more than %d series", s.cfg.MaxSeries)
	}
	made := &series{kind: k, bounds: slices.Clone(p.bounds), exemplars: make([]prometheus.Exemplar, len(p.bounds)+1)}
	if k == histogram {
		made.buckets = make([]uint64, len(p.bounds)+1)
	}
	var names []string
	for _, l := range labels {
		names, made.values = append(names, l.name), append(made.values, l.value)
	}
	made.desc = prometheus.NewDesc(name, f.help, names, nil)
	if _, err := made.metric(made.amount); err != nil {
		return nil, err
	}
	s.families[name], f.series[at] = f, made
	s.series++
	return made, nil
}

// namingType returns what the name's suffix depends on.
func namingType(k kind) otlptranslator.MetricType {
	switch k {
	case counter:
		return otlptranslator.MetricTypeMonotonicCounter
	case upDown:
		return otlptranslator.MetricTypeNonMonotonicCounter
	case histogram:
		return otlptranslator.MetricTypeHistogram
	default:
		return otlptranslator.MetricTypeGauge
	}
}

// set takes the value of a gauge, if it is newer.
func (x *series) set(value float64, at uint64, now time.Time) {
	if at >= x.time {
		x.value, x.time, x.seen = value, at, now
	}
}

// add adds to a sum.
func (x *series) add(a amount, exemplars []*metricspb.Exemplar) {
	x.value += a.value
	x.count += a.count
	for i, n := range a.buckets {
		x.buckets[i] += n
	}
	for _, e := range exemplars {
		if taken, ok := exemplarOf(e); ok {
			bucket, _ := slices.BinarySearch(x.bounds, taken.Value)
			if !taken.Timestamp.Before(x.exemplars[bucket].Timestamp) {
				x.exemplars[bucket] = taken
			}
		}
	}
}

// exemplarOf returns an exemplar with the ids of its span only: its other attributes were left out of the
// series because they are too many.
func exemplarOf(e *metricspb.Exemplar) (prometheus.Exemplar, bool) {
	if len(e.GetTraceId()) != 16 || len(e.GetSpanId()) != 8 || e.GetTimeUnixNano() == 0 {
		return prometheus.Exemplar{}, false
	}
	value := e.GetAsDouble()
	if integer, ok := e.GetValue().(*metricspb.Exemplar_AsInt); ok {
		value = float64(integer.AsInt)
	}
	return prometheus.Exemplar{
		Value: value, Timestamp: time.Unix(0, int64(e.GetTimeUnixNano())),
		Labels: prometheus.Labels{exemplarTrace: hex.EncodeToString(e.GetTraceId()), exemplarSpan: hex.EncodeToString(e.GetSpanId())},
	}, true
}

// metric returns the series for Prometheus.
func (x *series) metric(a amount) (prometheus.Metric, error) {
	var metric prometheus.Metric
	var err error
	switch x.kind {
	case histogram:
		buckets := make(map[float64]uint64, len(x.bounds))
		below := uint64(0)
		for i, bound := range x.bounds {
			below += a.buckets[i]
			buckets[bound] = below
		}
		metric, err = prometheus.NewConstHistogram(x.desc, a.count, a.value, buckets, x.values...)
	case counter:
		metric, err = prometheus.NewConstMetric(x.desc, prometheus.CounterValue, a.value, x.values...)
	default:
		return prometheus.NewConstMetric(x.desc, prometheus.GaugeValue, a.value, x.values...)
	}
	if err != nil {
		return nil, err
	}
	exemplars := slices.DeleteFunc(slices.Clone(x.exemplars), func(e prometheus.Exemplar) bool { return e.Timestamp.IsZero() })
	if len(exemplars) == 0 {
		return metric, nil
	}
	return prometheus.NewMetricWithExemplars(metric, exemplars...)
}

// Describe implements prometheus.Collector. What is sent is not known before.
func (s *Store) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (s *Store) Collect(out chan<- prometheus.Metric) {
	for _, metric := range s.collect() {
		out <- metric
	}
}

func (s *Store) collect() []prometheus.Metric {
	s.mu.Lock()
	defer s.mu.Unlock()
	alive := s.cfg.Now().Add(-s.cfg.GaugeLife)
	sums := s.upDownSums(alive)
	var list []prometheus.Metric
	for _, f := range s.families {
		for _, x := range f.series {
			a := x.amount
			switch f.kind {
			case upDown:
				sum, found := sums[x]
				if !found {
					continue
				}
				a.value = sum
			case gauge:
				if x.seen.Before(alive) {
					continue
				}
			default:
			}
			metric, err := x.metric(a)
			if err != nil {
				metric = prometheus.NewInvalidMetric(x.desc, err)
			}
			list = append(list, metric)
		}
	}
	rejected := prometheus.NewDesc("local_otlp_rejected_points_total", "Metric points that the local gateway did not take.", nil, nil)
	return append(list, prometheus.MustNewConstMetric(rejected, prometheus.CounterValue, s.rejected))
}

// upDownSums returns the sums that can fall, over the processes that have reported since a time. Nobody
// reports the end of a process that was killed.
func (s *Store) upDownSums(since time.Time) map[*series]float64 {
	sums := map[*series]float64{}
	for _, i := range s.instances {
		if i.seen.Before(since) {
			continue
		}
		for _, known := range i.streams {
			if known.series.kind == upDown {
				sums[known.series] += known.value.value
			}
		}
	}
	return sums
}

// Handler serves the sums in Prometheus' text format or in OpenMetrics, as the request's Accept says.
func (s *Store) Handler() (http.Handler, error) {
	registry := prometheus.NewRegistry()
	if err := registry.Register(s); err != nil {
		return nil, err
	}
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		EnableOpenMetrics: true, ErrorHandling: promhttp.ContinueOnError,
	}), nil
}
