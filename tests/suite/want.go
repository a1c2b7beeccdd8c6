package suite

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
)

// want ends the test if the response has another status.
func (a Answer) want(t TB, status int) Answer {
	t.Helper()
	if a.Status != status {
		t.Fatalf("got %d %s, want %d", a.Status, a.Body, status)
	}
	return a
}

// wantHeader reports a header with another value; empty is absent.
func (a Answer) wantHeader(t TB, name, want string) {
	t.Helper()
	if got := strings.Join(a.Header.Values(name), " | "); got != want {
		t.Errorf("%d with %s %q, want %q", a.Status, name, got, want)
	}
}

// wantMembers reports a JSON object that has other members than these.
func (a Answer) wantMembers(t TB, names ...string) {
	t.Helper()
	var object map[string]json.RawMessage
	if err := json.Unmarshal(a.Body, &object); err != nil {
		t.Fatalf("%s is not an object: %v", a.Body, err)
	}
	got := make([]string, 0, len(object))
	for name := range object {
		got = append(got, name)
	}
	slices.Sort(got)
	slices.Sort(names)
	if diff := cmp.Diff(names, got); diff != "" {
		t.Errorf("members of %s (-want +got):\n%s", a.Body, diff)
	}
}

// refusal is a problem that a request is answered with.
type refusal struct {
	status int
	code   string
	// pointers name the offending parts, in any order.
	pointers []string
}

func refused(status int, code string, pointers ...string) refusal {
	return refusal{status: status, code: code, pointers: pointers}
}

// invalid is the refusal of a body that breaks rules at the pointers.
func invalid(pointers ...string) refusal {
	return refused(http.StatusUnprocessableEntity, "validation_failed", pointers...)
}

// malformed is the refusal of a body that is not valid JSON.
func malformed(pointers ...string) refusal {
	return refused(http.StatusBadRequest, "malformed_json", pointers...)
}

// parameter is the refusal of a query parameter or header.
func parameter(name string) refusal {
	return refused(http.StatusBadRequest, "invalid_parameter", name)
}

func unsupported() refusal {
	return refused(http.StatusUnsupportedMediaType, "unsupported_media_type", "Content-Type")
}

func forbidden() refusal { return refused(http.StatusForbidden, "insufficient_role") }

func notFound() refusal { return refused(http.StatusNotFound, "product_not_found") }

func gone() refusal { return refused(http.StatusGone, "product_archived") }

func stale() refusal { return refused(http.StatusPreconditionFailed, "precondition_failed") }

// problemDocument is an application/problem+json body (RFC 9457).
type problemDocument struct {
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	Code      string `json:"code"`
	RequestID string `json:"request_id"`
	Error     string `json:"error"` // OAuth's
	Total     *Price `json:"total"` // of price_changed
	Errors    []struct {
		Pointer string `json:"pointer"`
		Detail  string `json:"detail"`
	} `json:"errors"`
}

// problem reads the response as a problem document and reports its contradictions.
func (a Answer) problem(t TB) problemDocument {
	t.Helper()
	if got := a.Header.Get(headerContentType); got != typeProblem {
		t.Fatalf("got %d with Content-Type %q, want a problem: %s", a.Status, got, a.Body)
	}
	var p problemDocument
	a.decode(t, &p)
	if p.Status != a.Status || p.Title != http.StatusText(a.Status) {
		t.Errorf("the problem says %d %q, the status is %d", p.Status, p.Title, a.Status)
	}
	if p.RequestID == "" || p.RequestID != a.Header.Get(headerRequestID) {
		t.Errorf("the problem has request_id %q, the header %q", p.RequestID, a.Header.Get(headerRequestID))
	}
	if p.Code == "" || p.Detail == "" {
		t.Errorf("the problem has no code or no detail: %s", a.Body)
	}
	for _, e := range p.Errors {
		if e.Detail == "" {
			t.Errorf("the problem does not say what is wrong with %q: %s", e.Pointer, a.Body)
		}
	}
	a.wantHeader(t, headerCacheControl, "no-store")
	a.wantHeader(t, headerETag, "")
	return p
}

// pointers returns what the problem names, sorted.
func (p problemDocument) pointers() []string {
	var all []string
	for _, e := range p.Errors {
		all = append(all, e.Pointer)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// wantProblem reports another answer than the refusal.
func (a Answer) wantProblem(t TB, want refusal) {
	t.Helper()
	p := a.problem(t)
	if a.Status != want.status || p.Code != want.code {
		t.Errorf("got %d %s, want %d %s: %s", a.Status, p.Code, want.status, want.code, a.Body)
	}
	slices.Sort(want.pointers)
	if diff := cmp.Diff(want.pointers, p.pointers()); diff != "" {
		t.Errorf("pointers (-want +got):\n%s%s", diff, a.Body)
	}
}
