package otlptest

import (
	"fmt"
	"slices"
	"strings"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
)

// newestPoint is the last cumulative value of one stream of one process.
type newestPoint struct {
	metric, attributes string
	time               uint64
	value              float64
}

func keep(newest map[string]*newestPoint, metric, process string, attributes []*commonpb.KeyValue, start, at uint64, value float64) {
	series := seriesKey(attributes)
	id := fmt.Sprintf("%q %q %s %d", metric, process, series, start)
	if before := newest[id]; before == nil || before.time <= at {
		newest[id] = &newestPoint{metric: metric, attributes: series, time: at, value: value}
	}
}

// seriesKey returns "name=value,name=value", sorted.
func seriesKey(attributes []*commonpb.KeyValue) string {
	var list []string
	for name, value := range attributesOf(attributes) {
		list = append(list, fmt.Sprintf("%s=%v", name, value))
	}
	slices.Sort(list)
	return strings.Join(list, ",")
}
