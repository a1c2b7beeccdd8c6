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
// gets 503 if the error has a problem of kind Unavailable, 504 if the request's time has ended, and 500
// otherwise.
type Authenticator func(r *http.Request) (identity.Annotation, error)

// GatewayAuthenticator takes the caller from the Lambda authorizer's part of the event, and from
// nowhere else: no header of the client can set it. It checks the token's expiry again,
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
		if expires := a.Identity.ExpiresAt; !expires.IsZero() && !now().Round(0).Before(expires) {
			return identity.Annotation{Outcome: identity.TokenExpired}, nil
		}
		return a, nil
	}
}

// Authorize returns the middleware that holds a route's policy: nil for a public route,
// OptionalAuth, or RequireAuth followed by RequireRole, RequireScope and RequireFreshAuth, as far
// as the route names roles, scopes and an age. The age comes last: a caller who is not allowed to do
// something need not log in again for it. Authorize returns an error for a route that needs an
// authenticator and has none. now is the clock.
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
			case a.Outcome == identity.OK && a.Confirm != nil:
				ServeGated(&confirmation{confirm: a.Confirm}, next, w, r.WithContext(identity.With(r.Context(), a.Identity)))
			case a.Outcome == identity.OK:
				next.ServeHTTP(w, r.WithContext(identity.With(r.Context(), a.Identity)))
			case a.Outcome == identity.Anonymous && !required:
				next.ServeHTTP(w, r)
			default:
				refuseOutcome(w, r, a.Outcome)
			}
		})
	}
}

// undecided returns the answer when the authenticator has failed. A client may come again if a store
// did not answer. It does not learn why.
func undecided(err error) error {
	switch p, ok := problem.As(err); {
	case ok && p.Kind == problem.Unavailable:
		return unavailable.WithCause(err)
	case !ok && errors.Is(err, context.DeadlineExceeded):
		return err // problem.Write answers 504
	default:
		return problem.New(problem.Internal, "internal", "").WithCause(err)
	}
}

var unavailable = problem.New(problem.Unavailable, "auth_unavailable", "The access token cannot be checked at the moment.")

// refuse answers with err and, unless it is empty, the challenge (RFC 6750 section 3).
func refuse(w http.ResponseWriter, r *http.Request, challenge string, err error) {
	if challenge != "" {
		w.Header().Set(problem.HeaderWWWAuthenticate, challenge)
	}
	problem.Write(w, r, err)
}

// refuseOutcome answers a caller whose credentials were not accepted. The client learns whether a
// token has expired or was revoked, and nothing else about it.
func refuseOutcome(w http.ResponseWriter, r *http.Request, outcome identity.Outcome) {
	switch outcome {
	case identity.Anonymous, identity.UnsupportedScheme: // without an error code (RFC 6750 section 3.1)
		refuse(w, r, problem.Challenge, problem.New(problem.Unauthorized, "missing_token", "This operation needs an access token."))
	case identity.InvalidRequest:
		refuse(w, r, bearerError(problem.OAuthInvalidRequest),
			problem.New(problem.BadRequest, "invalid_request", "The Authorization header must be one Bearer token."))
	case identity.Unavailable:
		refuse(w, r, "", unavailable)
	case identity.TokenExpired:
		refuseToken(w, r, "token_expired", "The access token has expired.")
	case identity.TokenRevoked:
		refuseToken(w, r, "token_revoked", "The access token was revoked.")
	default:
		refuseToken(w, r, "invalid_token", "The access token is not valid.")
	}
}

func refuseToken(w http.ResponseWriter, r *http.Request, code, detail string) {
	refuse(w, r, bearerError(problem.OAuthInvalidToken),
		problem.New(problem.Unauthorized, code, detail).WithOAuth(problem.OAuthInvalidToken))
}

// bearerError returns the challenge with an error code (RFC 6750 section 3).
func bearerError(code string) string { return `Bearer error="` + code + `"` }

// insufficient returns the error of a token that does not allow an operation.
func insufficient(code, detail string) *problem.Error {
	return problem.New(problem.Forbidden, code, detail).WithOAuth(problem.OAuthInsufficientScope)
}

// RequireRole lets a caller pass who holds at least one of roles; others get 403. It needs an
// identity in the context, so it comes after RequireAuth.
func RequireRole(roles ...string) Middleware {
	return require(func(id identity.Identity) bool { return id.HasAnyRole(roles...) },
		bearerError(problem.OAuthInsufficientScope),
		insufficient("insufficient_role", "Your roles do not allow this operation."))
}

// RequireScope lets a caller pass whose token has every one of scopes. Others get 403 and the list of
// the scopes (RFC 6750 section 3.1). It comes after RequireAuth.
func RequireScope(scopes ...string) Middleware {
	return require(func(id identity.Identity) bool { return id.HasScopes(scopes...) },
		bearerError(problem.OAuthInsufficientScope)+`, scope="`+strings.Join(scopes, " ")+`"`,
		insufficient("insufficient_scope", "The access token's scope does not allow this operation."))
}

// clockSkew is how far the signer's clock may be ahead, as for a token's iat.
const clockSkew = 5 * time.Second

// RequireFreshAuth lets a caller pass who presented credentials at most maxAge ago; a refreshed
// token is as old as the login that it came from. Others, and callers whose login time is not known,
// get 401 with the challenge of RFC 9470: log in again, then repeat the request. It comes after
// RequireAuth.
func RequireFreshAuth(maxAge time.Duration, now func() time.Time) Middleware {
	fresh := func(id identity.Identity) bool {
		age := now().Round(0).Sub(id.AuthTime)
		return !id.AuthTime.IsZero() && age >= -clockSkew && age <= maxAge
	}
	return require(fresh, fmt.Sprintf(
		bearerError(problem.OAuthInsufficientLogin)+`, error_description="A more recent login is needed", max_age="%d"`,
		int64(maxAge/time.Second)),
		problem.New(problem.Unauthorized, problem.OAuthInsufficientLogin, "This operation needs a more recent login.").
			WithOAuth(problem.OAuthInsufficientLogin))
}

// require lets a caller pass who is allowed, and refuses others and anonymous ones with the challenge.
func require(allowed func(identity.Identity) bool, challenge string, refusal error) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if id, ok := identity.From(r.Context()); !ok || !allowed(id) {
				refuse(w, r, challenge, refusal)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}
