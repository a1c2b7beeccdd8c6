package idempotency

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/shared/api"
)

func TestDigestKnowsWhereAPartEnds(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, parts := range [][]string{{"ab", "c"}, {"a", "bc"}, {"abc"}, {"abc", ""}, {"", "abc"}, {"a", "b", "c"}} {
		seen[digest(parts)] = true
	}
	if len(seen) != 6 {
		t.Errorf("6 lists of parts have %d digests", len(seen))
	}
}

// Stored records are found by these digests only.
func TestDigestsStayAsTheyAre(t *testing.T) {
	t.Parallel()
	const want = "8cc3a6fef4038fdba15811568fc6e05298dececeebdf9c565057bf0ec52030d3"
	if got := digest([]string{"user-1", "adjust-inventory", "k"}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Each level copies the levels within, so a body costs its size times its depth.
func TestNoDeeperThanTheDecoderReads(t *testing.T) {
	t.Parallel()
	for _, ends := range [][2]string{{`{"a": `, `}`}, {`[ `, `]`}} {
		nested := func(depth int) string { return strings.Repeat(ends[0], depth) + `"<"` + strings.Repeat(ends[1], depth) }
		if body := nested(api.MaxDepth); string(canonical([]byte(body))) == body {
			t.Errorf("%d levels of %s%s are not brought into one spelling", api.MaxDepth, ends[0], ends[1])
		}
		if body := nested(api.MaxDepth + 1); string(canonical([]byte(body))) != body {
			t.Errorf("%d levels of %s%s are brought into one spelling", api.MaxDepth+1, ends[0], ends[1])
		}
	}
}

// The canonical text is the same value, and its own canonical text.
func FuzzCanonical(f *testing.F) {
	for _, text := range []string{`{"b":[1,2.50,{"d":null}],"a":"\u00fc<"}`, `{"a":1,"a":2}`, `[]`, `{}`, `1 2`, `{"a"}`, "\xff", "", `"\ud800"`, `{"\u0061":1e5}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		once := canonical(body)
		if twice := canonical(once); string(twice) != string(once) {
			t.Errorf("%q becomes %q and then %q", body, once, twice)
		}
		var before, after any
		if err := json.Unmarshal(body, &before); err != nil {
			return
		}
		if err := json.Unmarshal(once, &after); err != nil {
			t.Fatalf("%q becomes %q: %v", body, once, err)
		}
		if !reflect.DeepEqual(before, after) {
			t.Errorf("%q becomes %q, another value", body, once)
		}
	})
}
