package metrics

import (
	"context"
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

// sets builds each attribute set of an instrument once.
type sets struct {
	keys    []string
	metrics *Metrics

	last atomic.Pointer[entry] // the set that was asked for last: most instruments have few

	mu       sync.RWMutex
	known    map[values]*entry
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
	s := &sets{keys: d.Attributes, metrics: m, known: map[values]*entry{}}
	// OpenTelemetry's own name for what exceeds a limit.
	s.overflow = newOptions(attribute.Bool("otel.metric.overflow", true))
	return s
}

func newOptions(attributes ...attribute.KeyValue) options {
	with := metric.WithAttributeSet(attribute.NewSet(attributes...))
	return options{add: []metric.AddOption{with}, record: []metric.RecordOption{with}}
}

// of returns the options of v. Beyond maxSets all values share one set, and the overflow is counted.
func (s *sets) of(ctx context.Context, v values) options {
	if last := s.last.Load(); last != nil && last.values == v {
		return last.options
	}
	s.mu.RLock()
	found, ok := s.known[v]
	s.mu.RUnlock()
	if ok {
		s.last.Store(found)
		return found.options
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if found, ok := s.known[v]; ok {
		return found.options
	}
	if len(s.known) >= maxSets {
		if s.metrics.overflow != nil {
			s.metrics.overflow.Add(ctx, 1)
		}
		return s.overflow
	}
	made := &entry{v, newOptions(s.attributes(v)...)}
	s.known[v] = made
	return made.options
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
