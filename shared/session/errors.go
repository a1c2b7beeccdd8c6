package session

import (
	"fmt"
	"time"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/problem"
)

var (
	// ErrInvalidGrant (400 invalid_grant) is a refresh token that is not accepted: forged, expired,
	// revoked, replaced. It does not say which.
	ErrInvalidGrant = problem.New(problem.BadRequest, "invalid_grant", "The refresh token is not valid.").
			WithOAuth(problem.OAuthInvalidGrant)
	// ErrNotFound (404 session_not_found) is a session that the caller does not have.
	ErrNotFound = problem.New(problem.NotFound, "session_not_found", "There is no such session.")
	// ErrUnavailable (503 unavailable, Retry-After) is a question that the store did not answer. It
	// never means "not revoked". After a write its outcome is unknown; repeating it is safe.
	ErrUnavailable = problem.New(problem.Unavailable, "unavailable",
		"The service cannot answer at the moment. Try again shortly.")
	// ErrRevoked is a token that was good and is not accepted any more. What is returned has the
	// method Outcome() identity.Outcome, which gives identity.TokenRevoked. Compare with errors.Is.
	ErrRevoked error = &revoked{}
)

// tooLate is ErrUnavailable after a time limit of this package. The cause is quoted and not wrapped: it is
// not the end of the request's own time.
func tooLate(limit time.Duration, cause error) error {
	return ErrUnavailable.WithCause(fmt.Errorf("session: no answer within %v: %s", limit, cause.Error()))
}

type revoked struct{ why string }

func newRevoked(why string) error { return &revoked{why} }

func (r *revoked) Error() string {
	if r.why == "" {
		return "session: revoked"
	}
	return "session: revoked: " + r.why
}

// Outcome returns the outcome for the authorizer's annotation.
func (*revoked) Outcome() identity.Outcome { return identity.TokenRevoked }

func (*revoked) Is(target error) bool { return target == ErrRevoked }
