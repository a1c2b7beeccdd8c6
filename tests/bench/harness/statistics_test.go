package harness_test

import (
	"math"
	"slices"
	"testing"

	"github.com/tienda-dev/tienda/tests/bench/harness"
)

func TestStatistics(t *testing.T) {
	t.Parallel()
	values := []float64{9, 1, 5, 3}
	for name, test := range map[string]struct{ got, want float64 }{
		"MedianOfEven":      {harness.Median(values), 4},
		"MedianOfOdd":       {harness.Median([]float64{7, 1, 2}), 2},
		"MedianOfOne":       {harness.Median([]float64{7}), 7},
		"QuantileLowest":    {harness.Quantile(values, 0), 1},
		"QuantileHighest":   {harness.Quantile(values, 1), 9},
		"QuantileBetween":   {harness.Quantile([]float64{0, 10}, 0.9), 9},
		"Ratio":             {harness.Ratio([]float64{2, 4, 90}, []float64{1, 1, 9}), 4}, // of 2, 4, 10: a slow round disturbs both sides
		"RatioOfMoreRounds": {harness.Ratio([]float64{2, 4}, []float64{1}), 2},
		"RatioToNothing":    {harness.Ratio([]float64{2, 6}, []float64{0, 2}), 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if math.Abs(test.got-test.want) > 1e-9 {
				t.Errorf("got %v, want %v", test.got, test.want)
			}
		})
	}
	if got := harness.Median(nil); !math.IsNaN(got) {
		t.Errorf("the median of nothing is %v", got)
	}
	if !slices.Equal(values, []float64{9, 1, 5, 3}) {
		t.Errorf("the values are in another order: %v", values)
	}
}

func TestOrderChanges(t *testing.T) {
	t.Parallel()
	const n = 6
	seen := map[int]bool{} // who was first
	for round := range 40 {
		order := harness.Order(n, round)
		sorted := slices.Sorted(slices.Values(order))
		if !slices.Equal(sorted, []int{0, 1, 2, 3, 4, 5}) {
			t.Fatalf("round %d: %v", round, order)
		}
		seen[order[0]] = true
	}
	if len(seen) != n {
		t.Errorf("in 40 rounds only %d of %d were first", len(seen), n)
	}
}
