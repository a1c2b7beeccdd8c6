package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
)

func TestRouteValidate(t *testing.T) {
	t.Parallel()
	good := api.Route{Name: "get-thing", Method: http.MethodGet, Path: "/v1/things/{id}", Auth: api.Public, Rate: api.Unlimited}
	with := func(change func(*api.Route)) api.Route {
		r := good
		change(&r)
		return r
	}
	for name, tc := range map[string]struct {
		route api.Route
		want  string // part of the error; empty for none
	}{
		"OK":            {route: good},
		"OKRoles":       {route: with(func(r *api.Route) { r.Auth, r.Roles = api.Required, []string{"x"} })},
		"OKGreedy":      {route: with(func(r *api.Route) { r.Path = "/v1/files/{path+}" })},
		"OKDefault":     {route: api.Route{Name: "not-found", Path: api.DefaultPath, Auth: api.Public, Rate: api.Unlimited}},
		"NoPolicy":      {route: with(func(r *api.Route) { r.Auth = 0 }), want: "Auth is not declared"},
		"UnknownPolicy": {route: with(func(r *api.Route) { r.Auth = 9 }), want: "Auth is not declared"},
		"RolesOptional": {route: with(func(r *api.Route) { r.Auth, r.Roles = api.Optional, []string{"x"} }), want: "Roles need Auth Required"},
		"EmptyRole":     {route: with(func(r *api.Route) { r.Auth, r.Roles = api.Required, []string{""} }), want: "role has no name"},
		"OKEverything": {route: with(func(r *api.Route) {
			r.Auth, r.Scopes, r.MaxAuthAge, r.Revocation = api.Required, []string{"orders:write", "a/b"}, time.Hour, identity.Strict
		})},
		"OKOptionalStrict":   {route: with(func(r *api.Route) { r.Auth, r.Revocation = api.Optional, identity.Strict })},
		"ScopesOptional":     {route: with(func(r *api.Route) { r.Auth, r.Scopes = api.Optional, []string{"x"} }), want: "Scopes need Auth Required"},
		"ScopeWithSpace":     {route: with(func(r *api.Route) { r.Auth, r.Scopes = api.Required, []string{"a b"} }), want: "scope-token"},
		"ScopeWithQuote":     {route: with(func(r *api.Route) { r.Auth, r.Scopes = api.Required, []string{`a"`} }), want: "scope-token"},
		"ScopeWithBackslash": {route: with(func(r *api.Route) { r.Auth, r.Scopes = api.Required, []string{`a\`} }), want: "scope-token"},
		"ScopeWithDelete":    {route: with(func(r *api.Route) { r.Auth, r.Scopes = api.Required, []string{"a\x7f"} }), want: "scope-token"},
		"ScopeNotUTF8":       {route: with(func(r *api.Route) { r.Auth, r.Scopes = api.Required, []string{"a\xff"} }), want: "scope-token"},
		"OKScopeEdges":       {route: with(func(r *api.Route) { r.Auth, r.Scopes = api.Required, []string{"!#[]~"} })},
		"EmptyScope":         {route: with(func(r *api.Route) { r.Auth, r.Scopes = api.Required, []string{""} }), want: "scope-token"},
		"AgeOfNobody":        {route: with(func(r *api.Route) { r.MaxAuthAge = time.Minute }), want: "MaxAuthAge needs Auth Required"},
		"NegativeAge":        {route: with(func(r *api.Route) { r.Auth, r.MaxAuthAge = api.Required, -time.Second }), want: "whole seconds"},
		"FractionalAge":      {route: with(func(r *api.Route) { r.Auth, r.MaxAuthAge = api.Required, time.Millisecond }), want: "whole seconds"},
		"UnknownRevocation":  {route: with(func(r *api.Route) { r.Auth, r.Revocation = api.Required, 9 }), want: "unknown Revocation value"},
		"StrictPublic":       {route: with(func(r *api.Route) { r.Revocation = identity.Strict }), want: "Revocation needs Auth"},
		"OKKeys": {route: with(func(r *api.Route) {
			r.Auth, r.Method, r.Idempotency = api.Required, http.MethodPost, api.KeyOptional
		})},
		"KeysOfReads":       {route: with(func(r *api.Route) { r.Auth, r.Idempotency = api.Required, api.KeyRequired }), want: "needs POST"},
		"KeysOfNobody":      {route: with(func(r *api.Route) { r.Method, r.Idempotency = http.MethodPost, api.KeyRequired }), want: "Idempotency needs Auth Required"},
		"UnknownKeys":       {route: with(func(r *api.Route) { r.Auth, r.Idempotency = api.Required, 9 }), want: "unknown Idempotency value"},
		"CamelCase":         {route: with(func(r *api.Route) { r.Name = "getThing" }), want: "kebab-case"},
		"NoName":            {route: with(func(r *api.Route) { r.Name = "" }), want: "kebab-case"},
		"TwoHyphens":        {route: with(func(r *api.Route) { r.Name = "get--thing" }), want: "kebab-case"},
		"HyphenAtTheEnd":    {route: with(func(r *api.Route) { r.Name = "get-" }), want: "kebab-case"},
		"FirstHyphen":       {route: with(func(r *api.Route) { r.Name = "-get" }), want: "kebab-case"},
		"DigitInTheName":    {route: with(func(r *api.Route) { r.Name = "get-2" }), want: "kebab-case"},
		"LowerCaseMethod":   {route: with(func(r *api.Route) { r.Method = "get" }), want: "unknown method"},
		"RelativePath":      {route: with(func(r *api.Route) { r.Path = "v1" }), want: "must be /"},
		"BadParameter":      {route: with(func(r *api.Route) { r.Path = "/v1/x{id}" }), want: "must be /"},
		"OpenParameter":     {route: with(func(r *api.Route) { r.Path = "/v1/{id" }), want: "must be /"},
		"NamelessParameter": {route: with(func(r *api.Route) { r.Path = "/v1/{}" }), want: "must be /"},
		"CapitalParameter":  {route: with(func(r *api.Route) { r.Path = "/v1/{Id}" }), want: "must be /"},
		"ClosedParameter":   {route: with(func(r *api.Route) { r.Path = "/v1/id}" }), want: "must be /"},
		"NamelessGreedy":    {route: with(func(r *api.Route) { r.Path = "/v1/{+}" }), want: "must be /"},
		"TwoPluses":         {route: with(func(r *api.Route) { r.Path = "/v1/{id++}" }), want: "must be /"},
		"TwoParameters":     {route: with(func(r *api.Route) { r.Path = "/v1/{a}{b}" }), want: "must be /"},
		"TrailingSlash":     {route: with(func(r *api.Route) { r.Path = "/v1/" }), want: "must be /"},
		"NegativeBody":      {route: with(func(r *api.Route) { r.MaxBody = -1 }), want: "MaxBody"},
		"DefaultAndMethod":  {route: api.Route{Name: "x", Method: "GET", Path: api.DefaultPath, Auth: api.Public, Rate: api.Unlimited}, want: "leave Method empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tc.route.Validate()
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("got %v, want no error", err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
}

// A public read answers HEAD too.
func TestRouteKeys(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		route api.Route
		want  []string
	}{
		"PublicRead":    {api.Route{Method: "GET", Path: "/x/{id}", Auth: api.Public, Rate: api.Unlimited}, []string{"GET /x/{id}", "HEAD /x/{id}"}},
		"ProtectedRead": {api.Route{Method: "GET", Path: "/x", Auth: api.Required, Rate: api.Unlimited}, []string{"GET /x"}},
		"PublicWrite":   {api.Route{Method: "POST", Path: "/x", Auth: api.Public, Rate: api.Unlimited}, []string{"POST /x"}},
		"Default":       {api.Route{Path: api.DefaultPath, Auth: api.Public, Rate: api.Unlimited}, []string{"$default"}},
	} {
		if diff := cmp.Diff(tc.want, tc.route.Keys()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestRouteKey(t *testing.T) {
	t.Parallel()
	if got, want := (api.Route{Method: "GET", Path: "/v1/x"}).Key(), "GET /v1/x"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := (api.Route{Path: api.DefaultPath}).Key(), "$default"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
