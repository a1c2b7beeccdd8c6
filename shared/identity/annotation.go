package identity

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Outcome is what the Lambda authorizer found out about a request's credentials.
type Outcome string

// The outcomes of authentication. Every value other than OK, Anonymous and Unavailable is a
// reason why a presented token was not accepted.
const (
	// OK: the token is valid.
	OK Outcome = "ok"
	// Anonymous: no credentials were presented.
	Anonymous Outcome = "anonymous"
	// Unavailable: a dependency of the decision did not answer.
	Unavailable Outcome = "unavailable"
	// UnsupportedScheme: the Authorization header has another scheme than Bearer.
	UnsupportedScheme Outcome = "unsupported_scheme"
	// InvalidRequest: the Authorization header is not one well-formed Bearer credential.
	InvalidRequest Outcome = "invalid_request"
	// InvalidToken: not a token of ours, or altered.
	InvalidToken Outcome = "invalid_token"
	// InvalidClaims: signed by us, but for another issuer, audience or purpose.
	InvalidClaims Outcome = "invalid_claims"
	// TokenExpired: it was valid once.
	TokenExpired Outcome = "token_expired"
	// TokenRevoked: it was revoked before it expired.
	TokenRevoked Outcome = "token_revoked"
)

// Annotation is the authorizer's answer to the function: an outcome, and with OK an identity.
type Annotation struct {
	Outcome  Outcome
	Identity Identity
	// Confirm finds out what is still open with OK: an error refuses the caller. nil is nothing. It is not part of Map.
	Confirm func(ctx context.Context) error
}

// The keys of the authorizer's context. API Gateway hands them on under
// requestContext.authorizer.lambda; every value is a string, lists are separated by spaces.
const (
	keyOutcome      = "auth"
	keySubject      = "sub"
	keySession      = "sid"
	keyClient       = "client_id"
	keyRoles        = "roles"
	keyScope        = "scope"
	keyAuthTime     = "auth_time"
	keyAMR          = "amr"
	keyTokenID      = "jti"
	keyKeyID        = "kid"
	keyIssuedAt     = "iat_ms"
	keyAuthzVersion = "authz_ver"
	keyExpiresAt    = "token_exp"
)

// Map returns the annotation as the authorizer's flat context: strings only, times in seconds
// since the epoch (iat_ms in milliseconds), lists separated by spaces, absent values left out.
func (a Annotation) Map() map[string]string {
	m := map[string]string{keyOutcome: string(a.Outcome)}
	if a.Outcome != OK {
		return m
	}
	set := func(key, value string) {
		if value != "" {
			m[key] = value
		}
	}
	set(keySubject, a.Identity.Subject)
	set(keySession, a.Identity.SessionID)
	set(keyClient, a.Identity.ClientID)
	set(keyRoles, strings.Join(a.Identity.Roles, " "))
	set(keyScope, strings.Join(a.Identity.Scopes, " "))
	set(keyAuthTime, number(a.Identity.AuthTime, time.Time.Unix))
	set(keyAMR, strings.Join(a.Identity.AMR, " "))
	set(keyTokenID, a.Identity.TokenID)
	set(keyKeyID, a.Identity.KeyID)
	set(keyIssuedAt, number(a.Identity.IssuedAt, time.Time.UnixMilli))
	set(keyExpiresAt, number(a.Identity.ExpiresAt, time.Time.Unix))
	if a.Identity.AuthzVersion != 0 {
		m[keyAuthzVersion] = strconv.FormatInt(a.Identity.AuthzVersion, 10)
	}
	return m
}

// SubjectOf returns the subject of a context that Map wrote, for telemetry: it checks nothing else. It is empty for an
// anonymous caller.
func SubjectOf(m map[string]string) string {
	if m[keyOutcome] != string(OK) {
		return ""
	}
	return m[keySubject]
}

// ErrAnnotation is returned for an authorizer context that Map did not write.
var ErrAnnotation = errors.New("identity: authorizer context is malformed")

// ParseAnnotation reads what Map wrote. It returns ErrAnnotation when the outcome is missing, a
// number is none, or an OK outcome names no subject.
func ParseAnnotation(m map[string]string) (Annotation, error) {
	a := Annotation{Outcome: Outcome(m[keyOutcome])}
	if a.Outcome == "" {
		return Annotation{}, fmt.Errorf("%w: no %q", ErrAnnotation, keyOutcome)
	}
	if a.Outcome != OK {
		return a, nil
	}

	var errs [4]error
	a.Identity = Identity{
		Subject:   m[keySubject],
		SessionID: m[keySession],
		ClientID:  m[keyClient],
		Roles:     strings.Fields(m[keyRoles]),
		Scopes:    strings.Fields(m[keyScope]),
		AMR:       strings.Fields(m[keyAMR]),
		TokenID:   m[keyTokenID],
		KeyID:     m[keyKeyID],
	}
	a.Identity.AuthTime, errs[0] = date(m, keyAuthTime, unixSeconds)
	a.Identity.IssuedAt, errs[1] = date(m, keyIssuedAt, time.UnixMilli)
	a.Identity.ExpiresAt, errs[2] = date(m, keyExpiresAt, unixSeconds)
	a.Identity.AuthzVersion, errs[3] = integer(m, keyAuthzVersion)
	if err := errors.Join(errs[:]...); err != nil {
		return Annotation{}, err
	}
	if a.Identity.Subject == "" {
		return Annotation{}, fmt.Errorf("%w: no %q", ErrAnnotation, keySubject)
	}
	return a, nil
}

// number writes a time in the unit that count counts in.
func number(t time.Time, count func(time.Time) int64) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(count(t), 10)
}

// date reads what number wrote.
func date(m map[string]string, key string, from func(int64) time.Time) (time.Time, error) {
	if m[key] == "" {
		return time.Time{}, nil
	}
	n, err := integer(m, key)
	return from(n).UTC(), err
}

func unixSeconds(n int64) time.Time { return time.Unix(n, 0) }

func integer(m map[string]string, key string) (int64, error) {
	if m[key] == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(m[key], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: %q is not a whole number", ErrAnnotation, key)
	}
	return n, nil
}

type authorizerKey struct{}

// WithAuthorizer returns a context that carries the authorizer's flat map as it arrived in the
// event. Only the code that decodes events calls it: a client must have no way to set it.
func WithAuthorizer(ctx context.Context, m map[string]string) context.Context {
	return context.WithValue(ctx, authorizerKey{}, m)
}

// AuthorizerFrom returns the authorizer's map of the request, and false when no authorizer ran.
func AuthorizerFrom(ctx context.Context) (map[string]string, bool) {
	m, ok := ctx.Value(authorizerKey{}).(map[string]string)
	return m, ok
}
