package harness

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// Median returns the middle of the values, or the mean of the two in the middle. Without values it is NaN.
func Median(values []float64) float64 { return Quantile(values, 0.5) }

// Quantile returns the value below which the fraction q of the values is, between two of them by linear interpolation.
// Without values it is NaN.
func Quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Clone(values)
	slices.SortFunc(sorted, cmp.Compare)
	at := q * float64(len(sorted)-1)
	below := int(math.Floor(at))
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (at-float64(below))*(sorted[above]-sorted[below])
}

// Ratio returns the median of the quotients of each round. Both have one value per round: what disturbs a round disturbs
// both sides of its quotient. It is NaN without a round that both have.
func Ratio(subject, reference []float64) float64 {
	quotients := make([]float64, 0, len(subject))
	for i := range min(len(subject), len(reference)) {
		if reference[i] > 0 {
			quotients = append(quotients, subject[i]/reference[i])
		}
	}
	return Median(quotients)
}

// Order returns the numbers below n in an order that changes with the round: each neighbour of a subject disturbs it once
// and not always.
func Order(n, round int) []int { return rand.New(rand.NewPCG(uint64(round), 1)).Perm(n) }
