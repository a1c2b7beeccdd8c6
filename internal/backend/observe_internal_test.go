package backend

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimitmem"
)

// outage is a store that answers only while it is up.
type outage struct {
	ratelimit.Limiter

	down bool
}

func (o *outage) Take(ctx context.Context, s ratelimit.Subject, cost int64) (ratelimit.Decision, error) {
	if o.down {
		return ratelimit.Decision{}, errors.New("down")
	}
	return o.Limiter.Take(ctx, s, cost)
}

func TestDecisionsAreCounted(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	m, err := metrics.New(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	if err != nil {
		t.Fatal(err)
	}
	ctx := metrics.With(t.Context(), m)
	policies := []ratelimit.Policy{
		{Name: "wide", Algorithm: ratelimit.FixedWindow, Limit: 100, Window: 24 * time.Hour},
		{Name: "narrow", Algorithm: ratelimit.FixedWindow, Limit: 2, Window: 24 * time.Hour},
	}
	for mode, kind := range map[ratelimit.Mode]string{ratelimit.Open: "ip", ratelimit.Closed: "user"} {
		memory, err := ratelimitmem.New(policies, ratelimitmem.Config{})
		if err != nil {
			t.Fatal(err)
		}
		store := &outage{Limiter: memory}
		guard, err := ratelimit.NewGuard(store, ratelimit.GuardConfig{OnError: mode, Observe: observe(policies)})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 { // the third is denied
			if _, err := guard.Take(ctx, ratelimit.NewSubject(kind, "192.0.2.1"), 1); err != nil {
				t.Fatal(err)
			}
		}
		store.down = true
		if _, err := guard.Take(ctx, ratelimit.NewSubject(kind, "192.0.2.2"), 1); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]int64{
		"ip narrow allow": 2, "ip narrow deny": 1, "ip wide error_open": 1,
		"user narrow allow": 2, "user narrow deny": 1, "user wide error_closed": 1,
	}
	counted, timed := decisions(t, reader)
	if !maps.Equal(counted, want) {
		t.Errorf("got %v, want %v", counted, want)
	}
	if timed != 8 {
		t.Errorf("got %d durations, want 8", timed)
	}
}

// decisions returns the counts by kind, policy and decision, and how many durations were recorded.
func decisions(t *testing.T, reader *sdkmetric.ManualReader) (counted map[string]int64, timed uint64) {
	t.Helper()
	var got metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &got); err != nil {
		t.Fatal(err)
	}
	counted = map[string]int64{}
	for _, instrument := range got.ScopeMetrics[0].Metrics {
		switch data := instrument.Data.(type) {
		case metricdata.Sum[int64]:
			for _, p := range data.DataPoints {
				text := func(key string) string { v, _ := p.Attributes.Value(attribute.Key(key)); return v.AsString() }
				if instrument.Name == metrics.RateLimitDecisions {
					counted[text(metrics.KeyScope)+" "+text(metrics.KeyPolicy)+" "+text(metrics.KeyDecision)] = p.Value
				}
			}
		case metricdata.Histogram[float64]:
			if instrument.Name == metrics.RateLimitCheckDuration {
				for _, p := range data.DataPoints {
					timed += p.Count
				}
			}
		}
	}
	return counted, timed
}
