package middleware_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/middleware"
)

func TestRequestID(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		sent string
		kept bool
	}{
		"Kept":        {sent: "abc.DEF_1:2-3", kept: true},
		"Longest":     {sent: strings.Repeat("a", 128), kept: true},
		"None":        {sent: ""},
		"TooLong":     {sent: strings.Repeat("a", 129)},
		"LineBreak":   {sent: "a\nlevel=error"},
		"Space":       {sent: "a b"},
		"NotASCII":    {sent: "ä"},
		"QuoteMarkup": {sent: `"><script>`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := chain(t, publicRoute, middleware.Config{}, okHandler)
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header["X-Request-Id"] = []string{tc.sent}
			got := serve(h, r).Header().Get("X-Request-Id")
			if (got == tc.sent) != tc.kept || got == "" {
				t.Errorf("sent %q, got %q, kept should be %t", tc.sent, got, tc.kept)
			}
		})
	}
	t.Run("MadeOnesDiffer", func(t *testing.T) {
		t.Parallel()
		h := chain(t, publicRoute, middleware.Config{}, okHandler)
		a := serve(h, httptest.NewRequest(http.MethodGet, "/", nil)).Header().Get("X-Request-Id")
		b := serve(h, httptest.NewRequest(http.MethodGet, "/", nil)).Header().Get("X-Request-Id")
		if a == b {
			t.Errorf("two requests got the id %q", a)
		}
	})
}

func FuzzRequestID(f *testing.F) {
	f.Add("abc")
	f.Add("a\r\nX: y")
	h, err := middleware.Chain(publicRoute, middleware.Config{}, okHandler)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, id string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["X-Request-Id"] = []string{id}
		got := serve(h, r).Header().Get("X-Request-Id")
		if len(got) == 0 || len(got) > 128 || strings.ContainsFunc(got, func(c rune) bool { return c <= ' ' || c > '~' }) {
			t.Fatalf("%q came out as %q", id, got)
		}
	})
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	h := chain(t, publicRoute, middleware.Config{Headers: middleware.SecurityHeadersConfig{Override: map[string]string{
		"X-Frame-Options": "", "Referrer-Policy": "same-origin",
	}}}, func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Add("Permissions-Policy", "added")
		return nil
	})
	for range 2 { // the headers of one request must not appear in the next
		got := serve(h, httptest.NewRequest(http.MethodGet, "/", nil)).Header()
		for name, want := range map[string]string{
			"Content-Security-Policy":           "default-src 'none'; frame-ancestors 'none'",
			"Strict-Transport-Security":         "max-age=31536000; includeSubDomains",
			"X-Content-Type-Options":            "nosniff",
			"Referrer-Policy":                   "same-origin",
			"Cross-Origin-Opener-Policy":        "same-origin",
			"Cross-Origin-Resource-Policy":      "same-origin",
			"X-Permitted-Cross-Domain-Policies": "none",
			"X-Frame-Options":                   "",
			"X-Xss-Protection":                  "",
			"Cache-Control":                     "max-age=60",
		} {
			if got.Get(name) != want {
				t.Errorf("%s: got %q, want %q", name, got.Get(name), want)
			}
		}
		if n := len(got.Values("Permissions-Policy")); n != 2 {
			t.Errorf("Permissions-Policy: got %d values, want 2", n)
		}
	}
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	readAll := func(w http.ResponseWriter, r *http.Request) error {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			if _, ok := errors.AsType[*http.MaxBytesError](err); !ok {
				t.Errorf("got %v, want a MaxBytesError", err)
			}
			w.WriteHeader(http.StatusTeapot)
			return nil
		}
		_, _ = w.Write(body)
		return nil
	}
	h := chain(t, publicRoute, middleware.Config{}, readAll)
	for name, tc := range map[string]struct {
		body    string
		unknown bool // the client sends no Content-Length
		status  int
	}{
		"AtTheLimit":       {body: strings.Repeat("x", 16), status: 200},
		"OneMore":          {body: strings.Repeat("x", 17), status: 413},
		"OneMoreUndelared": {body: strings.Repeat("x", 17), unknown: true, status: http.StatusTeapot},
		"None":             {status: 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(tc.body))
			if tc.unknown {
				r.ContentLength = -1
			}
			if rec := serve(h, r); rec.Code != tc.status {
				t.Errorf("got %d, want %d", rec.Code, tc.status)
			}
		})
	}
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	deadline := time.Now().Add(time.Hour)
	for name, tc := range map[string]struct {
		cfg    middleware.DeadlineConfig
		parent bool
		want   time.Time // zero for none
		within bool      // want is an upper bound
	}{
		"DefaultMargin":  {parent: true, want: deadline.Add(-250 * time.Millisecond)},
		"OwnMargin":      {cfg: middleware.DeadlineConfig{Margin: time.Second}, parent: true, want: deadline.Add(-time.Second)},
		"NoDeadline":     {},
		"LimitIsShorter": {cfg: middleware.DeadlineConfig{Limit: time.Minute}, parent: true, want: deadline.Add(-58 * time.Minute), within: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got time.Time
			h := chain(t, publicRoute, middleware.Config{Deadline: tc.cfg}, func(_ http.ResponseWriter, r *http.Request) error {
				got, _ = r.Context().Deadline()
				return nil
			})
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			if tc.parent {
				ctx, cancel := context.WithDeadline(r.Context(), deadline)
				defer cancel()
				r = r.WithContext(ctx)
			}
			serve(h, r)
			if tc.within && (got.IsZero() || got.After(tc.want)) || !tc.within && !got.Equal(tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	mw, err := middleware.CORS(middleware.CORSConfig{
		AllowOrigins: []string{"https://shop.example", "https://*.tienda.example"}, AllowMethods: []string{"GET", "PATCH"},
		AllowHeaders: []string{"authorization", "if-match"}, ExposeHeaders: []string{"ETag"}, AllowCredentials: true, MaxAge: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	reached := false
	h := mw(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))

	for name, tc := range map[string]struct {
		origin, method, headers string
		allowed                 bool
	}{
		"Exact":            {origin: "https://shop.example", method: "PATCH", headers: "authorization,if-match", allowed: true},
		"Wildcard":         {origin: "https://a.tienda.example", method: "GET", allowed: true},
		"WildcardTwoLevel": {origin: "https://a.b.tienda.example", method: "GET"},
		"WildcardBare":     {origin: "https://tienda.example", method: "GET"},
		"WildcardTrick":    {origin: "https://evil.example/.tienda.example", method: "GET"},
		"OtherScheme":      {origin: "http://shop.example", method: "GET"},
		"Suffix":           {origin: "https://shop.example.evil", method: "GET"},
		"OtherMethod":      {origin: "https://shop.example", method: "DELETE"},
		"OtherHeader":      {origin: "https://shop.example", method: "GET", headers: "x-evil"},
	} {
		r := httptest.NewRequest(http.MethodOptions, "/", nil)
		r.Header.Set("Origin", tc.origin)
		r.Header.Set("Access-Control-Request-Method", tc.method)
		if tc.headers != "" {
			r.Header.Set("Access-Control-Request-Headers", tc.headers)
		}
		rec := serve(h, r)
		got := rec.Header().Get("Access-Control-Allow-Origin")
		if allowed := got != ""; allowed != tc.allowed || got == "*" || rec.Code != http.StatusNoContent || reached {
			t.Errorf("%s: status %d, allowed origin %q, want allowed %t without reaching the handler", name, rec.Code, got, tc.allowed)
		}
	}
}

func TestCORSRefuses(t *testing.T) {
	t.Parallel()
	for _, origin := range []string{"shop.example", "https://", "ftp://shop.example", "https://shop.example/path", "https://*", "https://a.*.example", "https://*.*.example"} {
		if _, err := middleware.CORS(middleware.CORSConfig{AllowOrigins: []string{origin}}); err == nil {
			t.Errorf("%s was accepted", origin)
		}
	}
	if mw, err := middleware.CORS(middleware.CORSConfig{}); mw != nil || err != nil {
		t.Errorf("the zero policy does not turn CORS off: %v", err)
	}
}
