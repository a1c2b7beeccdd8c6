package middleware

import (
	"context"
	"errors"
	"net/http"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Confirm returns an authenticator that checks callers in two steps: authenticate decides without a call to a store, as
// a rule by verifying a token, and confirm then reads what needs one, as a rule the token's session. RequireAuth and
// OptionalAuth run confirm as a Gate: on GET and HEAD while the layers below and the handler run, and on other methods
// before them. No answer of theirs is sent to a caller whom confirm refuses.
//
// An error of confirm with a method Outcome() identity.Outcome says why the caller is refused; any other means that the
// question could not be answered, as for an Authenticator.
//
// A rate limit below it counts a read of a caller who is then refused: the token was a valid one of that user.
//
// Confirm panics if one of its arguments is nil.
func Confirm(authenticate Authenticator, confirm func(ctx context.Context, id identity.Identity) error) Authenticator {
	if authenticate == nil || confirm == nil {
		panic("middleware: Confirm needs an authenticator and a function that confirms")
	}
	return func(r *http.Request) (identity.Annotation, error) {
		a, err := authenticate(r)
		if err != nil || a.Outcome != identity.OK {
			return a, err
		}
		before := a.Confirm
		a.Confirm = func(ctx context.Context) error {
			if before != nil {
				if err := before(ctx); err != nil {
					return err
				}
			}
			return confirm(ctx, a.Identity)
		}
		return a, nil
	}
}

// confirmation is the Gate of a caller who is not confirmed yet.
type confirmation struct {
	confirm func(context.Context) error
	err     error
}

// Ask implements Gate.
func (c *confirmation) Ask(ctx context.Context) bool {
	c.err = c.confirm(ctx)
	return c.err == nil
}

// Pass implements Gate.
func (c *confirmation) Pass(http.Header) {}

// Refuse implements Gate.
func (c *confirmation) Refuse(w http.ResponseWriter, r *http.Request) {
	var refused interface{ Outcome() identity.Outcome }
	if errors.As(c.err, &refused) {
		if outcome := refused.Outcome(); outcome != identity.OK && outcome != identity.Anonymous {
			refuseOutcome(w, r, outcome)
			return
		}
	}
	problem.Write(w, r, undecided(c.err))
}
