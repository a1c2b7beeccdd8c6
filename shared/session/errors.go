package session

import (
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/problem"
)

var (
	// ErrInvalidGrant (400 invalid_grant) is a refresh token that is not accepted: forged, expired,
	// revoked, replaced. It does not tell the client which.
	ErrInvalidGrant = problem.New(problem.BadRequest, "invalid_grant", "The refresh token is not valid.")
	// ErrNotFound (404 session_not_found) is a session that its would-be owner does not have.
	ErrNotFound = problem.New(problem.NotFound, "session_not_found", "There is no such session.")
	// ErrUnavailable (503 unavailable, Retry-After) is a question that the store did not answer. It
	// never means "not revoked". After a write its outcome is unknown; repeating it is safe.
	ErrUnavailable = problem.New(problem.Unavailable, "unavailable",
		"The service cannot answer at the moment. Try again shortly.").WithHeader("Retry-After", "1")
	// ErrRevoked is a token that was good and is not accepted any more. What is returned has the
	// method Outcome() identity.Outcome, which gives identity.TokenRevoked. Compare with errors.Is.
	ErrRevoked error = &revoked{}
)

type revoked struct{ why string }

func because(why string) error { return &revoked{why} }

func (r *revoked) Error() string {
	if r.why == "" {
		return "session: revoked"
	}
	return "session: revoked: " + r.why
}

// Outcome tells an authorizer what to annotate.
func (*revoked) Outcome() identity.Outcome { return identity.TokenRevoked }

func (*revoked) Is(target error) bool { return target == ErrRevoked }
