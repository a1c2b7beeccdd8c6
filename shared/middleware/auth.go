package middleware

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Authenticator finds out who sends a request. An error means that it could not decide: the client
// reads 503 when a problem of kind Unavailable is in it, 504 when the request's time has ended, and 500
// otherwise.
type Authenticator func(r *http.Request) (identity.Annotation, error)

// GatewayAuthenticator takes the caller from what the Lambda authorizer handed over in the event,
// and from nowhere else: no header of the client can set it. It checks the token's expiry again,
// because API Gateway may have cached the authorizer's answer. A request that carries
// credentials which no authorizer looked at is an error: the route is wired wrong.
func GatewayAuthenticator(now func() time.Time) Authenticator {
	return func(r *http.Request) (identity.Annotation, error) {
		m, ok := identity.AuthorizerFrom(r.Context())
		if !ok {
			if r.Header.Get("Authorization") != "" {
				return identity.Annotation{}, errors.New("credentials were sent to a route without an authorizer")
			}
			return identity.Annotation{Outcome: identity.Anonymous}, nil
		}
		a, err := identity.ParseAnnotation(m)
		if err != nil {
			return identity.Annotation{}, err
		}
		if expires := a.Identity.ExpiresAt; !expires.IsZero() && !now().Before(expires) {
			return identity.Annotation{Outcome: identity.TokenExpired}, nil
		}
		return a, nil
	}
}

// Authorize returns the middleware that holds a route's policy: nil for a public route,
// OptionalAuth, or RequireAuth followed by RequireRole, RequireScope and RequireFreshAuth, as far
// as the route names roles, scopes and an age. Whoever may not do a thing anyway is not asked to
// log in again for it. Authorize returns an error for a route that needs an authenticator and has
// none. now is the clock.
func Authorize(route api.Route, authenticate Authenticator, now func() time.Time) (Middleware, error) {
	if route.Auth == api.Public {
		return nil, nil //nolint:nilnil // a nil Middleware is a place left out of the chain
	}
	if authenticate == nil {
		return nil, errors.New("route " + route.Name + " needs an authenticator")
	}
	if route.Auth == api.Optional {
		return OptionalAuth(authenticate), nil
	}

	layers := []Middleware{RequireAuth(authenticate)}
	if len(route.Roles) > 0 {
		layers = append(layers, RequireRole(route.Roles...))
	}
	if len(route.Scopes) > 0 {
		layers = append(layers, RequireScope(route.Scopes...))
	}
	if route.MaxAuthAge > 0 {
		layers = append(layers, RequireFreshAuth(route.MaxAuthAge, now))
	}
	return func(next http.Handler) http.Handler { return wrap(layers, next) }, nil
}

// RequireAuth lets only authenticated callers pass and puts their identity into the context.
// Its answers follow RFC 6750: 401 with WWW-Authenticate for absent or invalid credentials, 400
// for malformed ones; 503 or 504 when the decision could not be made.
func RequireAuth(authenticate Authenticator) Middleware {
	return authMiddleware(authenticate, true)
}

// OptionalAuth lets anonymous callers pass without an identity. Credentials that are sent must be
// valid all the same: treating a bad token as no token would hide an expired login.
func OptionalAuth(authenticate Authenticator) Middleware {
	return authMiddleware(authenticate, false)
}

func authMiddleware(authenticate Authenticator, required bool) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			a, err := authenticate(r)
			switch {
			case err != nil:
				problem.Write(w, r, undecided(err))
			case a.Outcome == identity.OK:
				next.ServeHTTP(w, r.WithContext(identity.With(r.Context(), a.Identity)))
			case a.Outcome == identity.Anonymous && !required:
				next.ServeHTTP(w, r)
			default:
				problem.Write(w, r, refusal(a.Outcome))
			}
		})
	}
}

// undecided says that the authenticator failed: a store that did not answer can be asked again, the
// request's time may have ended, anything else is a fault. None tells the client why.
func undecided(err error) error {
	switch p, ok := problem.As(err); {
	case ok && p.Kind == problem.Unavailable:
		return unavailable.WithCause(err)
	case !ok && errors.Is(err, context.DeadlineExceeded):
		return err // which problem.Write knows
	default:
		return problem.New(problem.Internal, "internal", "").WithCause(err)
	}
}

var unavailable = problem.New(problem.Unavailable, "auth_unavailable", "The access token cannot be checked at the moment.").
	WithHeader("Retry-After", "1")

const (
	// HeaderWWWAuthenticate carries the challenge of a 401 (RFC 6750 section 3).
	HeaderWWWAuthenticate = "WWW-Authenticate"
	// Challenge is the challenge of an answer to a request without an access token. It has no error code,
	// and must have a parameter (RFC 6750 sections 3 and 3.1).
	Challenge = `Bearer realm="api"`
)

// refusal says to a client why its credentials were not accepted, without saying what is wrong
// with a token beyond its expiry.
func refusal(outcome identity.Outcome) error {
	switch outcome {
	case identity.Anonymous:
		return problem.New(problem.Unauthorized, "missing_token", "This operation needs an access token.").
			WithHeader(HeaderWWWAuthenticate, Challenge)
	case identity.InvalidRequest:
		return problem.New(problem.BadRequest, "invalid_request", "The Authorization header must be one Bearer token.").
			WithHeader(HeaderWWWAuthenticate, `Bearer error="invalid_request"`)
	case identity.Unavailable:
		return unavailable
	case identity.TokenExpired:
		return invalidToken("token_expired", "The access token has expired.")
	case identity.TokenRevoked:
		return invalidToken("token_revoked", "The access token was revoked.")
	default:
		return invalidToken("invalid_token", "The access token is not valid.")
	}
}

func invalidToken(code, detail string) error {
	return problem.New(problem.Unauthorized, code, detail).
		WithHeader(HeaderWWWAuthenticate, `Bearer error="invalid_token"`)
}

// RequireRole lets a caller pass who holds at least one of roles; others get 403. It needs an
// identity in the context, so it stands behind RequireAuth.
func RequireRole(roles ...string) Middleware {
	refused := problem.New(problem.Forbidden, "insufficient_role", "Your roles do not allow this operation.").
		WithHeader(HeaderWWWAuthenticate, `Bearer error="insufficient_scope"`)
	return require(refused, func(id identity.Identity) bool { return id.HasAnyRole(roles...) })
}

// RequireScope lets a caller pass whose token has every one of scopes; others get 403 and are told
// which ones are needed (RFC 6750 section 3.1). It stands behind RequireAuth.
func RequireScope(scopes ...string) Middleware {
	refused := problem.New(problem.Forbidden, "insufficient_scope", "The access token's scope does not allow this operation.").
		WithHeader(HeaderWWWAuthenticate, `Bearer error="insufficient_scope", scope="`+strings.Join(scopes, " ")+`"`)
	return require(refused, func(id identity.Identity) bool { return id.HasScopes(scopes...) })
}

// RequireFreshAuth lets a caller pass who presented credentials at most maxAge ago; a refreshed
// token is as old as the login that it came from. Others, and callers of whom that is not known,
// get 401 with the challenge of RFC 9470: log in again, then repeat the request. It stands behind
// RequireAuth.
func RequireFreshAuth(maxAge time.Duration, now func() time.Time) Middleware {
	refused := problem.New(problem.Unauthorized, "insufficient_user_authentication", "This operation needs a more recent login.").
		WithHeader(HeaderWWWAuthenticate, fmt.Sprintf(
			`Bearer error="insufficient_user_authentication", error_description="A more recent login is needed", max_age="%d"`,
			int64(maxAge/time.Second)))
	return require(refused, func(id identity.Identity) bool {
		return !id.AuthTime.IsZero() && now().Sub(id.AuthTime) <= maxAge
	})
}

// require lets the caller pass who fulfils the condition, and refuses others and anonymous ones.
func require(refused error, fulfils func(identity.Identity) bool) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if id, ok := identity.From(r.Context()); !ok || !fulfils(id) {
				problem.Write(w, r, refused)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}
