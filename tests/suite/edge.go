package suite

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func (c *Caller) testHealth(t *testing.T) {
	type check struct {
		Status     string  `json:"status"`
		DurationMS float64 `json:"duration_ms"`
	}
	for path, names := range map[string][]string{
		"/health": {"auth_table", "commerce_table", "tmp"}, "/health/live": {}, "/health/ready": {"auth_table", "commerce_table"},
	} {
		t.Run(strings.ReplaceAll(path[1:], "/", "-"), func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			a := c.Do(t, Request{Method: http.MethodGet, Path: path}).want(t, http.StatusOK)
			a.wantMembers(t, "status", "timestamp", "duration_ms", "checks")
			var got struct {
				Status     string           `json:"status"`
				Timestamp  string           `json:"timestamp"`
				DurationMS float64          `json:"duration_ms"`
				Checks     map[string]check `json:"checks"`
			}
			a.decode(t, &got)
			if got.Status != "UP" || got.DurationMS < 0 {
				t.Errorf("got %s, want UP", a.Body)
			}
			at, err := time.Parse(timeLayout, got.Timestamp)
			if err != nil || at.Before(began.Add(-time.Minute)) || at.After(time.Now().Add(time.Second)) {
				t.Errorf("timestamp %q is not a time of a moment ago (%v)", got.Timestamp, err)
			}
			checked := []string{}
			for name, check := range got.Checks {
				checked = append(checked, name)
				if check.Status != "UP" || check.DurationMS < 0 {
					t.Errorf("check %s: %+v, want UP", name, check)
				}
			}
			slices.Sort(checked)
			if diff := cmp.Diff(names, checked); diff != "" {
				t.Errorf("checks (-want +got):\n%s", diff)
			}
			a.wantHeader(t, headerContentType, typeJSON)
			a.wantHeader(t, headerCacheControl, "no-store")
		})
	}
	t.Run("NeedsNoToken", func(t *testing.T) {
		t.Parallel()
		c.Do(t, Request{Method: http.MethodGet, Path: "/health", Header: map[string]string{headerAuthorization: "Bearer garbage"}}).
			want(t, http.StatusOK)
	})
}

func routeNotFound() refusal { return refused(http.StatusNotFound, "route_not_found") }

func (c *Caller) testUnmatched(t *testing.T) {
	for name, r := range map[string]Request{
		"PostRoot":               {Method: http.MethodPost, Path: "/", Body: "{}"},
		"UnknownPath":            {Method: http.MethodGet, Path: "/nope"},
		"UnknownVersion":         {Method: http.MethodGet, Path: "/v2/products"},
		"VersionOnly":            {Method: http.MethodGet, Path: "/v1"},
		"OtherLetterCase":        {Method: http.MethodGet, Path: "/V1/Products"},
		"TrailingSlash":          {Method: http.MethodGet, Path: "/v1/products/coffee/"},
		"DoubleSlash":            {Method: http.MethodGet, Path: "/v1//products"},
		"BelowAProduct":          {Method: http.MethodGet, Path: "/v1/products/" + nobodysID + "/reviews"},
		"BelowInventory":         {Method: http.MethodGet, Path: "/v1/products/" + nobodysID + "/inventory/x"},
		"HealthOfNothing":        {Method: http.MethodGet, Path: "/health/deep"},
		"PutProduct":             {Method: http.MethodPut, Path: "/v1/products/" + nobodysID, Body: "{}"},
		"PostProduct":            {Method: http.MethodPost, Path: "/v1/products/" + nobodysID, Body: "{}"},
		"DeleteProducts":         {Method: http.MethodDelete, Path: "/v1/products"},
		"PatchProducts":          {Method: http.MethodPatch, Path: "/v1/products", Body: "{}"},
		"PostCategories":         {Method: http.MethodPost, Path: "/v1/categories", Body: "{}"},
		"GetAdjustments":         {Method: http.MethodGet, Path: "/v1/products/" + nobodysID + "/inventory/adjustments"},
		"DeleteInventory":        {Method: http.MethodDelete, Path: "/v1/products/" + nobodysID + "/inventory"},
		"PostHealth":             {Method: http.MethodPost, Path: "/health", Body: "{}"},
		"UnusualMethod":          {Method: "PROPFIND", Path: "/v1/products"},
		"WithBodyOfAnyType":      {Method: http.MethodPost, Path: "/nope", Body: "\xff\x00", Header: map[string]string{headerContentType: "image/png"}},
		"WithGarbageToken":       {Method: http.MethodGet, Path: "/nope", Token: "garbage"},
		"WithQuery":              {Method: http.MethodGet, Path: "/nope?limit=1&q=%zz"},
		"WithBrokenBody":         {Method: http.MethodPost, Path: "/nope", Body: "{"},
		"TraversalIsNoRoute":     {Method: http.MethodGet, Path: "/v1/products/../categories"},
		"SegmentsAfterAnEncoded": {Method: http.MethodGet, Path: "/v1/products/a%2Fb"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.Do(t, r).wantProblem(t, routeNotFound())
		})
	}
	t.Run("HeadHasNoBody", func(t *testing.T) {
		t.Parallel()
		a := c.Do(t, Request{Method: http.MethodHead, Path: "/nope"}).want(t, http.StatusNotFound)
		a.wantHeader(t, headerContentType, typeProblem)
		if len(a.Body) > 0 {
			t.Errorf("body %s", a.Body)
		}
	})
	t.Run("RootNamesTheDocumentation", func(t *testing.T) {
		t.Parallel()
		c.Do(t, Request{Method: http.MethodGet, Path: "/"}).want(t, http.StatusOK).wantMembers(t, "name", "documentation")
	})
	t.Run("WithStaffToken", func(t *testing.T) {
		t.Parallel()
		c.Do(t, Request{Method: http.MethodPut, Path: "/v1/products", Token: c.As(t, roleAdmin), Body: "{}"}).wantProblem(t, routeNotFound())
	})
}

func (c *Caller) testRequestID(t *testing.T) {
	for name, id := range map[string]string{"Short": "a", "EveryCharacter": "abcXYZ019._:-", "Longest": repeat("r", 128)} {
		t.Run("Keeps"+name, func(t *testing.T) {
			t.Parallel()
			header := map[string]string{headerRequestID: id}
			for _, path := range []string{"/health/live", "/v1/categories", "/nope", "/v1/products/coffee"} {
				c.Do(t, Request{Method: http.MethodGet, Path: path, Header: header}).wantHeader(t, headerRequestID, id)
			}
		})
	}
	for name, id := range map[string]string{
		"TooLong": repeat("r", 129), "Space": "a b", "Markup": "<script>", "Quote": `a"b`, "Accent": "é", "Comma": "a,b", "Slash": "a/b",
		"Escape": "a%0Ab", "Empty": "",
	} {
		t.Run("Replaces"+name, func(t *testing.T) {
			t.Parallel()
			// Do checks the form of the response.
			a := c.Do(t, Request{Method: http.MethodGet, Path: "/nope", Header: map[string]string{headerRequestID: id}})
			if got := a.Header.Get(headerRequestID); got == id || len(got) < 16 {
				t.Errorf("%q is answered with %q", id, got)
			}
			a.wantProblem(t, routeNotFound())
		})
	}
	t.Run("MakesOneForEachRequest", func(t *testing.T) {
		t.Parallel()
		seen := map[string]bool{}
		for range 10 {
			id := c.Do(t, Request{Method: http.MethodGet, Path: "/health/live"}).Header.Get(headerRequestID)
			if seen[id] {
				t.Errorf("%s is given twice", id)
			}
			seen[id] = true
		}
	})
}
