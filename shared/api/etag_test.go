package api_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

func TestNotModified(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		`"7"`: true, `W/"7"`: true, `"6", "7"`: true, `*`: true, `"8"`: false, `7`: false, ``: false,
		`"a,*,b"`: false, `"6,7"`: false, `"a,b", "7"`: true, `"a" , * , "b"`: false, `"7`: false, `W/"6",W/"7"`: true, `"7"x`: false,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if header != "" {
			r.Header.Set("If-None-Match", header)
		}
		if got := api.NotModified(r, api.ETag(7)); got != want {
			t.Errorf("If-None-Match %s: got %t, want %t", header, got, want)
		}
	}
}

// A comma within quotes does not separate.
func TestNotModifiedWithACommaInTheTag(t *testing.T) {
	t.Parallel()
	const etag = `"a,*,b"`
	for header, want := range map[string]bool{etag: true, `"x", W/` + etag: true, `"a", *, "b"`: false, `"a,*", "b"`: false} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("If-None-Match", header)
		if got := api.NotModified(r, etag); got != want {
			t.Errorf("If-None-Match %s: got %t, want %t", header, got, want)
		}
	}
}

func TestIfMatch(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		headers []string
		version int64 // the version that matches; 6 and 8 match only with others set
		others  bool
		kind    problem.Kind
	}{
		"OK":          {headers: []string{`"7"`}, version: 7},
		"Missing":     {kind: problem.PreconditionRequired},
		"Any":         {headers: []string{` * `}, version: 7, others: true},
		"List":        {headers: []string{`"5", "7" ,"9"`}, version: 7},
		"TwoHeaders":  {headers: []string{`"5"`, `"7"`}, version: 7},
		"CommaInATag": {headers: []string{`"6,8", "7"`}, version: 7},
		"WeakInAList": {headers: []string{`W/"6", "7"`}, version: 7},
		"Weak":        {headers: []string{`W/"7"`}},
		"Unquoted":    {headers: []string{`7`}},
		"Foreign":     {headers: []string{`"abc"`}},
		"LeadingZero": {headers: []string{`"07"`}},
		"Sign":        {headers: []string{`"+7"`}},
		"AnyInAList":  {headers: []string{`"abc", *`}},
		"AnyInATag":   {headers: []string{`"a,*,b"`}},
		"OpenQuote":   {headers: []string{`"7`}},
		"Empty":       {headers: []string{``}, kind: problem.BadRequest},
		"OnlyCommas":  {headers: []string{`, ,`}, kind: problem.BadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPatch, "/", nil)
			r.Header["If-Match"] = tc.headers
			got, err := api.IfMatch(r)
			if tc.kind == problem.Internal {
				if err != nil {
					t.Fatal(err)
				}
				for _, version := range []int64{6, 7, 8} {
					if want := tc.others || version == tc.version; got(version) != want {
						t.Errorf("version %d: got %t, want %t", version, got(version), want)
					}
				}
				return
			}
			if e, ok := problem.As(err); !ok || e.Kind != tc.kind {
				t.Errorf("got %v, want kind %d", err, tc.kind.Status())
			}
		})
	}
}

func TestWriteRefusesUnencodableBody(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	if err := api.Write(rec, http.StatusOK, func() {}); err == nil {
		t.Error("got no error")
	}
	if rec.Body.Len() > 0 || rec.Flushed {
		t.Error("something was written")
	}
}

func TestWriteKeepsMarkup(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	if err := api.Write(rec, http.StatusCreated, map[string]string{"a": "<&>"}); err != nil {
		t.Fatal(err)
	}
	if got, want := rec.Body.String(), "{\"a\":\"<&>\"}\n"; got != want || rec.Code != http.StatusCreated {
		t.Errorf("got %d %q, want 201 %q", rec.Code, got, want)
	}
}

func TestWriteTagged(t *testing.T) {
	t.Parallel()
	get := func(ifNoneMatch string, v any) *httptest.ResponseRecorder {
		rec, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("If-None-Match", ifNoneMatch)
		if err := api.WriteTagged(rec, r, v); err != nil {
			t.Fatal(err)
		}
		return rec
	}
	first := get("", []int{1})
	etag := first.Header().Get("ETag")
	if first.Code != http.StatusOK || first.Body.String() != "[1]\n" || len(etag) < 20 {
		t.Errorf("got %d %v %q", first.Code, first.Header(), first.Body)
	}
	for _, tags := range []string{etag, "W/" + etag, `"x", ` + etag} {
		if a := get(tags, []int{1}); a.Code != http.StatusNotModified || a.Body.Len() > 0 || a.Header().Get("ETag") != etag {
			t.Errorf("%s: got %d %v %q", tags, a.Code, a.Header(), a.Body)
		}
	}
	if other := get(etag, []int{2}); other.Code != http.StatusOK || other.Header().Get("ETag") == etag {
		t.Errorf("another body: got %d %v", other.Code, other.Header())
	}

	rec := httptest.NewRecorder()
	if err := api.WriteTagged(rec, httptest.NewRequest(http.MethodGet, "/", nil), func() {}); err == nil || len(rec.Header()) > 0 {
		t.Errorf("unencodable body: %v, headers %v", err, rec.Header())
	}
}
