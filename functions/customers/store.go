package customers

import (
	"context"

	"github.com/tienda-dev/tienda/shared/problem"
)

// The errors that a Store returns. Any other error is a failure of the store, which is answered with 503 or
// 500.
var (
	// ErrNotFound: the caller has no profile. Machines have none.
	ErrNotFound = problem.New(problem.NotFound, "customer_not_found", "There is no profile for this user.")
	// ErrStale: the profile changed since the version that the change was made from.
	ErrStale = problem.New(problem.PreconditionFailed, "precondition_failed",
		"The profile has changed since you read it. Read it again and repeat the change.")
)

// Store stores profiles.
type Store interface {
	// Get returns the profile of a user, or ErrNotFound. It reads consistently.
	Get(ctx context.Context, id string) (Customer, error)
	// Update replaces before with after, which has the next version and the same id and e-mail
	// address. It returns ErrStale if the stored version is not before's, and ErrNotFound. Repeating
	// an identical Update is not an error, because a caller whose answer was lost repeats it.
	Update(ctx context.Context, before, after Customer) error
}
