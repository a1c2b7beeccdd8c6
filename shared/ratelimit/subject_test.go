package ratelimit_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// Short strings of the encoding's own characters are what an ambiguous encoding confuses.
func TestNewSubjectIsUnambiguous(t *testing.T) {
	t.Parallel()
	parts := rapid.SliceOfN(rapid.StringMatching(`[0-2:a]{0,4}`), 1, 3)
	rapid.Check(t, func(t *rapid.T) {
		a, b := parts.Draw(t, "a"), parts.Draw(t, "b")
		if (of(a) == of(b)) != slices.Equal(a, b) {
			t.Fatalf("%q and %q: %q and %q", a, b, of(a), of(b))
		}
	})
}

func FuzzNewSubject(f *testing.F) {
	f.Add("a", "b:c", "a:b", "c")
	f.Add("ip", "", "", "ip")
	f.Add("1:a", "1:b", "1:a1:b", "")
	f.Fuzz(func(t *testing.T, kindA, partA, kindB, partB string) {
		a, b := ratelimit.NewSubject(kindA, partA), ratelimit.NewSubject(kindB, partB)
		if (a == b) != (kindA == kindB && partA == partB) {
			t.Fatalf("(%q, %q) is %q, (%q, %q) is %q", kindA, partA, a, kindB, partB, b)
		}
		if whole := ratelimit.NewSubject(kindA, partA, partB); whole == a || whole == ratelimit.NewSubject(kindA, partA+partB) {
			t.Fatalf("two parts are as one: %q", whole)
		}
	})
}

func of(parts []string) ratelimit.Subject { return ratelimit.NewSubject(parts[0], parts[1:]...) }
