package suite

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const corsPrefix = "Access-Control-"

// corsHeaders returns the answer's CORS headers; lists in lower case and sorted.
func (a Answer) corsHeaders() map[string]string {
	found := map[string]string{}
	for name, values := range a.Header {
		if !strings.HasPrefix(name, corsPrefix) {
			continue
		}
		list := strings.Split(strings.ToLower(strings.Join(values, ",")), ",")
		for i := range list {
			list[i] = strings.TrimSpace(list[i])
		}
		slices.Sort(list)
		found[strings.TrimPrefix(name, corsPrefix)] = strings.Join(list, " ")
	}
	return found
}

func (c *Caller) testCORS(t *testing.T) {
	paths := []string{"/v1/products", "/v1/products/" + nobodysID, "/v1/products/" + nobodysID + "/inventory/adjustments", "/health", "/nope"}
	preflight := func(path, origin string) Request {
		return Request{Method: http.MethodOptions, Path: path, ByGateway: true, Header: map[string]string{
			headerOrigin: origin, corsPrefix + "Request-Method": http.MethodPatch,
			corsPrefix + "Request-Headers": "authorization,content-type,if-match",
		}}
	}
	for name, origin := range map[string]string{"Shop": "https://shop.tienda.example", "DevelopmentServer": "http://localhost:5173"} {
		t.Run("PreflightOf"+name, func(t *testing.T) {
			t.Parallel()
			want := map[string]string{
				"Allow-Origin": origin, "Allow-Methods": "delete get patch post put", "Max-Age": "600",
				"Allow-Headers": "authorization content-type idempotency-key if-match if-none-match x-request-id",
			}
			for _, path := range paths {
				a := c.Do(t, preflight(path, origin))
				if a.Status != http.StatusNoContent {
					t.Errorf("%s: got %d %s", path, a.Status, a.Body)
				}
				if diff := cmp.Diff(want, a.corsHeaders()); diff != "" {
					t.Errorf("%s: headers (-want +got):\n%s", path, diff)
				}
				if len(a.Body) > 0 {
					t.Errorf("%s: a preflight with the body %s", path, a.Body)
				}
			}
		})
		t.Run("AnswersFor"+name, func(t *testing.T) {
			t.Parallel()
			want := map[string]string{
				"Allow-Origin":   origin,
				"Expose-Headers": "etag idempotent-replayed location ratelimit ratelimit-policy retry-after www-authenticate x-request-id",
			}
			for _, r := range []Request{
				{Method: http.MethodGet, Path: "/v1/categories"},
				{Method: http.MethodGet, Path: "/v1/products/coffee"},
				{Method: http.MethodGet, Path: "/nope"},
				{Method: http.MethodPost, Path: "/v1/products", Body: "{}", ByGateway: true}, // 401
				{Method: http.MethodPost, Path: "/v1/products", Body: "{}", Token: "garbage"},
			} {
				r.Header = map[string]string{headerOrigin: origin}
				if diff := cmp.Diff(want, c.Do(t, r).corsHeaders()); diff != "" {
					t.Errorf("%s %s: headers (-want +got):\n%s", r.Method, r.Path, diff)
				}
			}
		})
	}
	for name, origin := range map[string]string{
		"Foreign": "https://evil.example", "Subdomain": "https://a.shop.tienda.example", "Suffix": "https://shop.tienda.example.evil.example",
		"OtherScheme": "http://shop.tienda.example", "OtherPort": "http://localhost:5174", "Null": "null", "UpperCase": "https://SHOP.tienda.example",
	} {
		t.Run("NothingForOrigin"+name, func(t *testing.T) {
			t.Parallel()
			for _, r := range []Request{
				preflight("/v1/products", origin),
				{Method: http.MethodGet, Path: "/v1/categories", Header: map[string]string{headerOrigin: origin}},
			} {
				if diff := cmp.Diff(map[string]string{}, c.Do(t, r).corsHeaders()); diff != "" {
					t.Errorf("%s: headers (-want +got):\n%s", r.Method, diff)
				}
			}
		})
	}
	t.Run("NothingWithoutOrigin", func(t *testing.T) {
		t.Parallel()
		if got := c.Do(t, Request{Method: http.MethodGet, Path: "/v1/categories"}).corsHeaders(); len(got) > 0 {
			t.Errorf("headers %v", got)
		}
	})
}
