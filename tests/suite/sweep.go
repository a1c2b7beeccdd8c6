package suite

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// testSweep sends random requests: valid ones with broken members, and ones with changed bytes. The server must
// never fail, and must refuse a body that is certainly wrong with a problem that names a broken member.
func (c *Caller) testSweep(t *testing.T) {
	t.Run("BrokenMembersAreNamed", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct())
		c.Move(t, p, 100)
		stock := c.Stock(t, p)
		rapid.Check(t, func(rt *rapid.T) { c.sweepMembers(rt, t, p) })
		if got := c.Get(t, p.ID); got.Version != p.Version {
			t.Errorf("a refused request has written: %+v", got)
		}
		if got := c.Stock(t, p); got != stock {
			t.Errorf("a refused request has moved stock: %+v", got)
		}
	})
	t.Run("ChangedBytesDoNotFail", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct())
		rapid.Check(t, func(rt *rapid.T) { c.sweepBytes(rt, t, p) })
	})
	t.Run("AnyQueryAndPathDoNotFail", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(rt *rapid.T) { c.sweepAddresses(rt, t) })
	})
}

// breakages are values that a member must not have, by the kind of the member.
func breakages() map[string][]any {
	noText := []any{true, 5, 1.5, []any{}, Document{}}
	return map[string][]any{
		"sku":         append([]any{"", " ", "a b", "-a", repeat("s", 65), "é", "a\x00"}, noText...),
		"name":        append([]any{"", " ", "\x00", repeat("n", 201)}, noText...),
		"description": append([]any{repeat("d", 5001), "\x01", "\x7f"}, noText...),
		"category":    append([]any{"", "A", "a b", "-", "a-", repeat("c", 65)}, noText...),
		"tags":        {"a", 5, true, Document{}, []any{""}, []any{5}, []any{[]any{}}, []any{repeat("t", 51)}, numbered("%d", 21)},
		"attributes":  {"a", 5, false, []any{}, Document{"": "x"}, Document{"a": 5}, Document{"a": Document{}}, Document{"a": repeat("v", 257)}},
		"price": {
			"1", 5, true,
			[]any{},
			Document{"amount_minor": -1, "currency": "EUR"},
			Document{"amount_minor": 1, "currency": "EURO"},
			Document{"amount_minor": 1.5, "currency": "EUR"},
			Document{"amount_minor": "1", "currency": "EUR"},
			Document{"amount_minor": nil, "currency": "EUR"},
			Document{"amount_minor": 1, "currency": 5},
			Document{"amount_minor": 1, "currency": "EUR", "x": 1},
		},
		"status":  append([]any{"archived", "Active", "x"}, noText...),
		"delta":   {0, 1.5, "1", true, []any{}, Document{}, 1_000_001, -1_000_001, 1e300},
		"reason":  append([]any{"", " ", "\x00", repeat("r", 201)}, noText...),
		"unknown": {nil, 1, "x", []any{}, Document{"a": 1}},
	}
}

// sweepMembers breaks one member or more of a valid body.
func (c *Caller) sweepMembers(rt *rapid.T, t *testing.T, p Product) {
	values := breakages()
	valid, members := NewProduct(), []string{"sku", "name", "description", "category", "tags", "attributes", "price", "status", "unknown"}
	required := []string{"sku", "name", "category", "price"}
	r := c.Creation(t, "")
	switch rapid.SampledFrom([]string{"create", "patch", "adjust"}).Draw(rt, "operation") {
	case "patch":
		valid, members = Document{}, slices.DeleteFunc(members, func(m string) bool { return m == "sku" })
		required = nil
		r = c.Patching(t, p, "")
	case "adjust":
		valid, members = Document{"delta": 1, "reason": "delivery"}, []string{"delta", "reason", "unknown"}
		required = members[:2]
		r = c.Adjusting(t, p, unique(), "")
	}

	chosen := rapid.SliceOfNDistinct(rapid.SampledFrom(members), 1, 3, rapid.ID).Draw(rt, "members")
	body := maps.Clone(valid)
	for _, member := range chosen {
		choices := values[member]
		if slices.Contains(required, member) {
			choices = append(slices.Clone(choices), drop, nil)
		}
		body = body.With(Document{member: rapid.SampledFrom(choices).Draw(rt, member)})
	}

	r.Body = body.String()
	a := c.Do(rt, r)
	if a.Status != http.StatusUnprocessableEntity {
		rt.Fatalf("%s %s %s: got %d %s, want 422", r.Method, r.Path, r.Body, a.Status, a.Body)
	}
	problem := a.problem(rt)
	if len(problem.Errors) == 0 {
		rt.Fatalf("%s: no member is named: %s", r.Body, a.Body)
	}
	for _, pointer := range problem.pointers() {
		if member, _, _ := strings.Cut(strings.TrimPrefix(pointer, "/"), "/"); !slices.Contains(chosen, member) {
			rt.Fatalf("%s: %q is named, broken are %v: %s", r.Body, pointer, chosen, a.Body)
		}
	}
	if category, ok := valid["category"].(string); ok {
		c.wantEmpty(rt, category)
	}
}

// sweepBytes changes, removes or adds bytes anywhere in a valid body.
func (c *Caller) sweepBytes(rt *rapid.T, t *testing.T, p Product) {
	r := c.Creation(t, NewProduct().String())
	switch rapid.SampledFrom([]string{"create", "patch", "adjust"}).Draw(rt, "operation") {
	case "patch":
		p.Version = 1_000_000 // never written
		r = c.Patching(t, p, `{"name":"Other","attributes":{"a":null},"price":{"amount_minor":1}}`)
	case "adjust":
		r = c.Adjusting(t, p, unique(), Movement(1))
	}
	body := []byte(r.Body)
	for range rapid.IntRange(1, 4).Draw(rt, "changes") {
		at := rapid.IntRange(0, len(body)-1).Draw(rt, "at")
		switch rapid.SampledFrom([]string{"change", "cut", "insert", "repeat"}).Draw(rt, "how") {
		case "change":
			body[at] = rapid.Byte().Draw(rt, "byte")
		case "cut":
			body = body[:max(at, 1)]
		case "insert":
			body = slices.Insert(body, at, []byte(rapid.SampledFrom([]string{`"`, `\u0000`, `\ud800`, "{", "]", ",", "\xff", "1e999", "-", "\uFEFF"}).Draw(rt, "text"))...)
		case "repeat":
			body = append(body, body[at:]...)
		}
	}
	r.Body = string(body)
	c.wantNoFailure(rt, r)
}

// sweepAddresses requests lists and products with random queries and ids.
func (c *Caller) sweepAddresses(rt *rapid.T, t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~]{0,40}`), rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 20), func(b []byte) string { return string(b) }))
	products := "/v1/products"
	r := Request{Method: http.MethodGet}
	if rapid.Bool().Draw(rt, "staff") {
		products, r.Token = "/v1/staff/products", c.As(t, roleCatalog)
	}
	switch rapid.SampledFrom([]string{"list", "search", "get"}).Draw(rt, "operation") {
	case "list":
		r.Path = products + query(
			rapid.SampledFrom([]string{"limit", "cursor", "status", "category"}).Draw(rt, "name"), text.Draw(rt, "value"),
			rapid.SampledFrom([]string{"limit", "cursor", "status", "category", "x"}).Draw(rt, "name"), text.Draw(rt, "value"))
	case "search":
		r.Path = "/v1/products/search" + query("q", text.Draw(rt, "q"), "limit", "1")
	case "get":
		// Twice: the gateway decodes twice.
		r.Path = products + "/x" + url.PathEscape(url.PathEscape(text.Draw(rt, "id")))
	}
	c.wantNoFailure(rt, r)
}

// wantNoFailure sends the request, which the server may serve or refuse with a problem.
func (c *Caller) wantNoFailure(t TB, r Request) {
	t.Helper()
	a := c.Do(t, r)
	if a.Status >= http.StatusBadRequest {
		a.problem(t)
	}
	if a.Status >= http.StatusInternalServerError {
		t.Fatalf("%s %s %q: %d %s", r.Method, r.Path, r.Body, a.Status, a.Body)
	}
}
