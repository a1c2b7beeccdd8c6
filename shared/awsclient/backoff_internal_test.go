package awsclient

import "testing"

func TestJitterStaysWithinItsBound(t *testing.T) {
	t.Parallel()
	for n := range 80 {
		bound := maxDelay
		if n < 6 {
			bound = baseDelay << n
		}
		for range 100 {
			if d := Jitter(n); d < 0 || d >= bound {
				t.Fatalf("Jitter(%d) is %s, bound %s", n, d, bound)
			}
		}
	}
}
