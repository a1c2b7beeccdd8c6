// Package api is the vocabulary of an HTTP operation: its Route with the policy that guards it,
// the Handler that returns errors, strict decoding of requests and writing of answers.
package api

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tienda-dev/tienda/shared/identity"
)

// Handler answers a request, or returns an error for the one place that writes errors.
// It does not log, count, or choose a status for a failure.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Auth decides whether a route needs an authenticated caller. The zero value is refused at start:
// a route must declare its policy.
type Auth int

// The authentication policies of a route.
const (
	// Public routes do not look at credentials.
	Public Auth = iota + 1
	// Optional routes serve anonymous callers, and refuse credentials that are not valid.
	Optional
	// Required routes answer 401 to anonymous callers.
	Required
)

// String returns the policy's name in lower case.
func (a Auth) String() string {
	switch a {
	case Public:
		return "public"
	case Optional:
		return "optional"
	case Required:
		return "required"
	default:
		return "undeclared"
	}
}

const (
	// DefaultPath is the path of the route that serves whatever no other route matches:
	// API Gateway's $default route.
	DefaultPath = "$default"
	// DefaultMaxBody is the largest request body, in bytes, of a route that names none.
	DefaultMaxBody = 64 << 10
)

// Rate is the name of a class of rate limits. The program that serves the routes says what each class allows.
type Rate string

// Unlimited is the class of routes that the service does not limit.
const Unlimited Rate = "unlimited"

// Idempotency decides what a route does with the header Idempotency-Key. The zero value ignores it.
type Idempotency int

// The ways to treat an idempotency key.
const (
	// KeyIgnored routes do not look at the header.
	KeyIgnored Idempotency = iota
	// KeyRequired routes answer 400 to a request without a key.
	KeyRequired
	// KeyOptional routes keep the promise for a request that has a key, and serve others too.
	KeyOptional
)

// Route is one operation of the API, with the policy that guards it.
type Route struct {
	// Name is the operation in kebab-case ("create-product"); also its folder and binary.
	Name string
	// Method is the HTTP method in upper case. Empty with DefaultPath only.
	Method string
	// Path is the template, in the syntax that API Gateway and net/http share
	// ("/v1/products/{id}"), or DefaultPath.
	Path string
	// Auth is the authentication policy. It must be declared.
	Auth Auth
	// Roles are the roles of which the caller needs at least one. Needs Auth Required.
	Roles []string
	// Scopes are the OAuth scopes of which the caller's token needs every one. Needs Auth Required.
	Scopes []string
	// MaxAuthAge is how long ago, in whole seconds, the caller may have presented credentials
	// (a password, not a refresh token); 0 is any time. Needs Auth Required.
	MaxAuthAge time.Duration
	// Revocation is how soon the route notices a revoked token. A Public route has no token.
	Revocation identity.Revocation
	// Rate is the class of the route's rate limits. It must be declared.
	Rate Rate
	// Idempotency is what the route does with an idempotency key, which belongs to the caller: KeyRequired and
	// KeyOptional need Auth Required and a method that changes something.
	Idempotency Idempotency
	// MaxBody is the largest request body in bytes; 0 is DefaultMaxBody.
	MaxBody int64
	// OAuth is set for an endpoint of OAuth 2.0: its errors have the member "error" of RFC 6749 section 5.2.
	OAuth bool
}

// Key returns API Gateway's route key: "GET /v1/products/{id}", or "$default".
func (r Route) Key() string {
	if r.Path == DefaultPath {
		return DefaultPath
	}
	return r.Method + " " + r.Path
}

// Keys returns the route keys under which API Gateway serves the route. A public GET route has one for HEAD
// too, which answers like GET without the body (RFC 9110 section 9.3.2); lambdahttp accepts both.
func (r Route) Keys() []string {
	if r.Auth == Public && r.Method == http.MethodGet {
		return []string{r.Key(), http.MethodHead + " " + r.Path}
	}
	return []string{r.Key()}
}

// BodyLimit returns the largest request body in bytes.
func (r Route) BodyLimit() int64 {
	if r.MaxBody == 0 {
		return DefaultMaxBody
	}
	return r.MaxBody
}

// Validate reports everything that is wrong with the route, or nil.
func (r Route) Validate() error {
	var problems []error
	refuse := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("route %q: "+format, append([]any{r.Name}, args...)...))
	}

	if !kebabCase(r.Name) {
		refuse("the name must be kebab-case")
	}
	if r.Path == DefaultPath {
		if r.Method != "" {
			refuse("the default route takes every method: leave Method empty")
		}
	} else {
		if !knownMethod(r.Method) {
			refuse("unknown method %q", r.Method)
		}
		if !validPath(r.Path) {
			refuse("the path %q must be / followed by segments and {parameters}", r.Path)
		}
	}
	if r.Auth < Public || r.Auth > Required {
		refuse("Auth is not declared: Public, Optional or Required")
	}
	if len(r.Roles) > 0 && r.Auth != Required {
		refuse("Roles need Auth Required")
	}
	if slices.Contains(r.Roles, "") {
		refuse("a role has no name")
	}
	if len(r.Scopes) > 0 && r.Auth != Required {
		refuse("Scopes need Auth Required")
	}
	if slices.ContainsFunc(r.Scopes, func(scope string) bool { return !scopeToken(scope) }) {
		refuse("a scope is not a scope-token of RFC 6749")
	}
	if r.MaxAuthAge != 0 && r.Auth != Required {
		refuse("MaxAuthAge needs Auth Required")
	}
	if r.MaxAuthAge < 0 || r.MaxAuthAge%time.Second != 0 {
		refuse("MaxAuthAge must be whole seconds")
	}
	if r.Revocation != identity.Default && r.Revocation != identity.Strict {
		refuse("unknown Revocation value")
	}
	if r.Revocation == identity.Strict && r.Auth == Public {
		refuse("Revocation needs Auth Required or Optional")
	}
	if r.Idempotency < KeyIgnored || r.Idempotency > KeyOptional {
		refuse("unknown Idempotency value")
	}
	if r.Idempotency != KeyIgnored && r.Auth != Required {
		refuse("Idempotency needs Auth Required: a key belongs to its caller")
	}
	if r.Idempotency != KeyIgnored && !changes(r.Method) {
		refuse("Idempotency needs POST, PUT, PATCH or DELETE")
	}
	if r.Rate == "" {
		refuse("Rate is not declared: a class of limits, or api.Unlimited")
	}
	if r.MaxBody < 0 {
		refuse("MaxBody is negative")
	}
	return errors.Join(problems...)
}

// kebabCase reports whether name is words of lower-case letters with a hyphen between them. No regular expression here: this
// package is in every function, and each start would compile it.
func kebabCase(name string) bool {
	for word := range strings.SplitSeq(name, "-") {
		if word == "" || strings.ContainsFunc(word, func(r rune) bool { return !lowerCase(r) }) {
			return false
		}
	}
	return true
}

// pathParam reports whether segment is {name} or {name+}, with a name of lower-case letters and underscores.
func pathParam(segment string) bool {
	name, opened := strings.CutPrefix(segment, "{")
	name, closed := strings.CutSuffix(name, "}")
	name = strings.TrimSuffix(name, "+")
	return opened && closed && name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r != '_' && !lowerCase(r) })
}

func lowerCase(r rune) bool { return r >= 'a' && r <= 'z' }

// scopeToken reports whether scope is a scope-token of RFC 6749 (section 3.3); it is part of a quoted string in a header.
func scopeToken(scope string) bool {
	return scope != "" && !strings.ContainsFunc(scope, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
}

func knownMethod(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return true
	default:
		return false
	}
}

func changes(method string) bool {
	switch method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return true
	default:
		return false
	}
}

func validPath(path string) bool {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return false
	}
	for segment := range strings.SplitSeq(rest, "/") {
		if segment == "" || (strings.ContainsAny(segment, "{}") && !pathParam(segment)) {
			return false
		}
	}
	return true
}
