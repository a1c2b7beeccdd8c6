package ddb

import "testing"

func TestJitterStaysWithinItsBound(t *testing.T) {
	t.Parallel()
	for n := range 80 {
		bound := maxDelay
		if n < 6 {
			bound = baseDelay << n
		}
		for range 100 {
			if d := jitter(n); d < 0 || d >= bound {
				t.Fatalf("jitter(%d) is %s, bound %s", n, d, bound)
			}
		}
	}
}
