package page_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tienda-dev/tienda/shared/page"
	"github.com/tienda-dev/tienda/shared/problem"
)

const (
	oldText = "old-0123456789-0123456789-0123456789"
	newText = "new-0123456789-0123456789-0123456789"

	alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

	// workingCursor was sealed at start with oldText as k1, for binding: {"PK":"P#1"}.
	workingCursor = "AQJrMYzJbt-oDkhGYUGY648OrBAlqA3qezjFDwULaQazLDmILqVJAn_4bX1PJ-sOxt67tw"
)

var (
	start   = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	binding = page.Binding{Route: "list-products", Filter: "category=tea&status=active", Principal: "U1"}
)

type position map[string]string

func clock(at time.Time) func() time.Time { return func() time.Time { return at } }

func sealer(t testing.TB, at time.Time, keys ...page.Key) *page.Sealer {
	t.Helper()
	if len(keys) == 0 {
		keys = []page.Key{{ID: "k1", Status: page.Active, Text: oldText}}
	}
	s, err := page.NewSealer(keys, clock(at))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func seal(t testing.TB, s *page.Sealer, b page.Binding, p any) string {
	t.Helper()
	cursor, err := s.Seal(b, p)
	if err != nil {
		t.Fatal(err)
	}
	return cursor
}

func TestSealRoundTrip(t *testing.T) {
	t.Parallel()
	s := sealer(t, start)
	rapid.Check(t, func(rt *rapid.T) {
		want := position(rapid.MapOfN(rapid.String(), rapid.StringN(0, 40, 100), 0, 6).Draw(rt, "position"))
		b := page.Binding{Route: rapid.String().Draw(rt, "route"), Filter: rapid.String().Draw(rt, "filter"), Principal: rapid.String().Draw(rt, "principal")}
		cursor, err := s.Seal(b, want)
		if err != nil {
			rt.Fatal(err)
		}
		if strings.Trim(cursor, alphabet) != "" {
			rt.Fatalf("cursor %q needs escaping in a URL", cursor)
		}
		got := position{}
		if err := s.Open(b, cursor, &got); err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("position (-want +got):\n%s", diff)
		}
	})
}

func TestCursorIsOpaque(t *testing.T) {
	t.Parallel()
	raw, err := base64.RawURLEncoding.DecodeString(seal(t, sealer(t, start), binding, position{"PK": "P#secret"}))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), "secret") {
		t.Error("the cursor can be read")
	}
}

// A page that did not change must have the same bytes, and a nonce must never serve two cursors.
func TestOneCursorForAPositionWithinAnHour(t *testing.T) {
	t.Parallel()
	cursor := func(at time.Time, b page.Binding, p any) string { return seal(t, sealer(t, at), b, p) }
	at, p := start.Add(time.Minute), position{"PK": "P#1"}
	first := cursor(at, binding, p)
	if again := cursor(start.Add(time.Hour-time.Second), binding, p); again != first {
		t.Error("the same position has another cursor within the hour")
	}
	other := binding
	other.Principal = "U2"
	nonces := map[string]string{}
	for name, c := range map[string]string{
		"First": first, "NextHour": cursor(start.Add(time.Hour), binding, p),
		"OtherBinding": cursor(at, other, p), "OtherPosition": cursor(at, binding, position{"PK": "P#2"}),
	} {
		raw, err := base64.RawURLEncoding.DecodeString(c)
		if err != nil {
			t.Fatal(err)
		}
		nonce := string(raw[4:16]) // after the version, and "k1" with its length
		if nonces[nonce] != "" {
			t.Errorf("%s has the nonce of %s", name, nonces[nonce])
		}
		nonces[nonce] = name
	}
}

func TestOpenRefusesAnyChange(t *testing.T) {
	t.Parallel()
	s := sealer(t, start)
	cursor := seal(t, s, binding, position{"PK": "P#1"})
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what, changed string) {
		t.Helper()
		got := position{}
		if err := s.Open(binding, changed, &got); !errors.Is(err, page.ErrInvalidCursor) || len(got) != 0 {
			t.Errorf("%s: got %v, %v", what, got, err)
		}
	}
	for i := range raw {
		for bit := range 8 {
			changed := append([]byte{}, raw...)
			changed[i] ^= 1 << bit
			refused("a flipped bit", base64.RawURLEncoding.EncodeToString(changed))
		}
	}
	for n := range raw {
		refused("a shorter one", base64.RawURLEncoding.EncodeToString(raw[:n]))
	}
	for i := range cursor {
		for _, c := range alphabet + "=+/ \n\r" { // the last character has bits that mean nothing
			if changed := cursor[:i] + string(c) + cursor[i+1:]; changed != cursor {
				refused("another character", changed)
			}
		}
	}
	for name, changed := range map[string]string{
		"empty": "", "padded": cursor + "=", "longer": cursor + "AAAA", "broken line": cursor[:4] + "\n" + cursor[4:],
		"end of line": cursor + "\r\n", "too long": strings.Repeat("A", 1<<20), "no base64": "{}", "twice": cursor + cursor,
	} {
		refused(name, changed)
	}
}

func TestOpenRefusesAnotherBinding(t *testing.T) {
	t.Parallel()
	s := sealer(t, start)
	cursor := seal(t, s, binding, position{"PK": "P#1"})
	for name, other := range map[string]page.Binding{
		"Route":           {Route: "search-products", Filter: binding.Filter, Principal: binding.Principal},
		"Filter":          {Route: binding.Route, Filter: "category=tea&status=draft", Principal: binding.Principal},
		"Principal":       {Route: binding.Route, Filter: binding.Filter, Principal: "U2"},
		"NoPrincipal":     {Route: binding.Route, Filter: binding.Filter},
		"PartsRunOver":    {Route: binding.Route, Filter: binding.Filter + "U", Principal: "1"},
		"PartsRunOver2":   {Route: binding.Route + "c", Filter: binding.Filter[1:], Principal: binding.Principal},
		"PartsAreSwapped": {Route: binding.Filter, Filter: binding.Route, Principal: binding.Principal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := s.Open(other, cursor, &position{}); !errors.Is(err, page.ErrInvalidCursor) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestCursorExpires(t *testing.T) {
	t.Parallel()
	cursor := seal(t, sealer(t, start), binding, position{"PK": "P#1"})
	for name, c := range map[string]struct {
		after time.Duration
		want  error
	}{
		"AtOnce":            {0, nil},
		"WithinItsLifetime": {page.Lifetime - time.Second, nil},
		"AtItsEnd":          {page.Lifetime, page.ErrInvalidCursor}, // sealed on the hour
		"Later":             {30 * 24 * time.Hour, page.ErrInvalidCursor},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := sealer(t, start.Add(c.after)).Open(binding, cursor, &position{}); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestKeysRotate(t *testing.T) {
	t.Parallel()
	before := page.Key{ID: "k1", Status: page.Active, Text: oldText}
	cursor := seal(t, sealer(t, start, before), binding, position{"PK": "P#1"})
	fresh := page.Key{ID: "k2", Status: page.Active, Text: newText}
	retiring := before
	retiring.Status = page.Retiring

	for name, c := range map[string]struct {
		keys []page.Key
		want error
	}{
		"RetiringKeyOpens":        {[]page.Key{fresh, retiring}, nil},
		"RemovedKeyDoesNot":       {[]page.Key{fresh}, page.ErrInvalidCursor},
		"OtherKeyOfTheSameNameNo": {[]page.Key{{ID: "k1", Status: page.Active, Text: newText}}, page.ErrInvalidCursor},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := sealer(t, start, c.keys...).Open(binding, cursor, &position{}); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
	t.Run("ActiveKeySeals", func(t *testing.T) {
		t.Parallel()
		sealed := seal(t, sealer(t, start, retiring, fresh), binding, position{})
		if err := sealer(t, start, fresh).Open(binding, sealed, &position{}); err != nil {
			t.Error(err)
		}
	})
}

func TestInvalidCursorIsA400ThatNamesIt(t *testing.T) {
	t.Parallel()
	err := sealer(t, start).Open(binding, "nonsense", &position{})
	e, ok := problem.As(err)
	if !ok || e.Kind != problem.BadRequest || e.Code != "invalid_cursor" || len(e.Errors) != 1 || e.Errors[0].Pointer != "cursor" {
		t.Errorf("got %+v", e)
	}
}

func TestOpenIntoAnotherShape(t *testing.T) {
	t.Parallel()
	s := sealer(t, start)
	cursor := seal(t, s, binding, map[string]any{"shard": 3})
	for name, dst := range map[string]any{"WrongType": &position{}, "UnknownMember": &struct{ Offset int }{}} {
		if err := s.Open(binding, cursor, dst); !errors.Is(err, page.ErrInvalidCursor) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSealRefuses(t *testing.T) {
	t.Parallel()
	s := sealer(t, start)
	for name, p := range map[string]any{"NotJSON": make(chan int), "TooLarge": strings.Repeat("x", 4096)} {
		if _, err := s.Seal(binding, p); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	largest := strings.Repeat("x", 2046)
	longID := page.Key{ID: strings.Repeat("k", 32), Status: page.Active, Text: newText}
	s = sealer(t, start, longID)
	var got string
	if err := s.Open(binding, seal(t, s, binding, largest), &got); err != nil || got != largest {
		t.Errorf("the largest position does not open: %v", err)
	}
}

// Cursors that clients hold must outlive a release.
func TestCursorOfAnEarlierReleaseOpens(t *testing.T) {
	t.Parallel()
	got := position{}
	err := sealer(t, start).Open(binding, workingCursor, &got)
	if diff := cmp.Diff(position{"PK": "P#1"}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func FuzzOpen(f *testing.F) {
	s := sealer(f, start)
	for _, seed := range []string{workingCursor, workingCursor[:len(workingCursor)-1], "", "AQJrMQ", "AQAA", "Av8A"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		err := s.Open(binding, cursor, &position{})
		if cursor == workingCursor {
			if err != nil {
				t.Fatal(err)
			}
			return
		}
		if !errors.Is(err, page.ErrInvalidCursor) {
			t.Fatalf("opened %q: %v", cursor, err)
		}
	})
}

func BenchmarkSealAndOpen(b *testing.B) {
	s := sealer(b, start)
	p := position{"PK": "P#01JD", "SK": "META", "GSI1PK": "CAT#tea#active", "GSI1SK": "2026-11-24T12:00:00Z#01JD"}
	b.ReportAllocs()
	for b.Loop() {
		got := position{}
		if err := s.Open(binding, seal(b, s, binding, p), &got); err != nil {
			b.Fatal(err)
		}
	}
}
