package metrics

import (
	"context"
	"maps"
	"strconv"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// values are the values of a measurement's attributes, in the order of the catalogue. An empty one is left out.
type values [5]string

// maxSets bounds the attribute sets of one instrument. The SDK has a limit of its own, 2000.
const maxSets = 500

// sets builds each attribute set of an instrument once. Reading takes no lock.
type sets struct {
	keys    []string
	metrics *Metrics

	last   atomic.Pointer[entry]             // the set that was asked for last: most instruments have few
	known  atomic.Pointer[map[values]*entry] // replaced by a larger copy for a new set
	adding sync.Mutex

	overflow options
}

// entry is a set that is built.
type entry struct {
	values  values
	options options
}

// options are a measurement's options, ready to be passed on.
type options struct {
	add    []metric.AddOption
	record []metric.RecordOption
}

func newSets(m *Metrics, d Definition) *sets {
	s := &sets{keys: d.Attributes, metrics: m}
	s.known.Store(&map[values]*entry{})
	// OpenTelemetry's own name for what exceeds a limit.
	s.overflow = newOptions(attribute.Bool("otel.metric.overflow", true))
	return s
}

func newOptions(attributes ...attribute.KeyValue) options {
	with := metric.WithAttributeSet(attribute.NewSet(attributes...))
	return options{add: []metric.AddOption{with}, record: []metric.RecordOption{with}}
}

// of returns the options of v. Beyond maxSets all values share one set, and the overflow is counted.
func (s *sets) of(ctx context.Context, v *values) *options {
	if last := s.last.Load(); last != nil && last.values == *v {
		return &last.options
	}
	found, ok := (*s.known.Load())[*v]
	if !ok {
		found = s.build(*v)
	}
	if found == nil {
		s.metrics.in().telemetryCardinalityOverflow.add(ctx, 1, values{})
		return &s.overflow
	}
	s.last.Store(found)
	return &found.options
}

// build returns the entry of v, or nil if the instrument has maxSets already.
func (s *sets) build(v values) *entry {
	s.adding.Lock()
	defer s.adding.Unlock()
	known := *s.known.Load()
	if found, ok := known[v]; ok || len(known) >= maxSets {
		return found
	}
	made := &entry{v, newOptions(s.attributes(v)...)}
	larger := make(map[values]*entry, len(known)+1)
	maps.Copy(larger, known)
	larger[v] = made
	s.known.Store(&larger)
	return made
}

func (s *sets) attributes(v values) []attribute.KeyValue {
	attributes := make([]attribute.KeyValue, 0, len(s.keys))
	for i, key := range s.keys {
		if v[i] == "" {
			continue
		}
		if key == KeyStatus { // the convention has it as a number
			if status, err := strconv.Atoi(v[i]); err == nil {
				attributes = append(attributes, attribute.Int(key, status))
				continue
			}
		}
		attributes = append(attributes, attribute.String(key, v[i]))
	}
	return attributes
}
