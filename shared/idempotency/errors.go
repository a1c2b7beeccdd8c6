package idempotency

import (
	"errors"
	"time"

	"github.com/tienda-dev/tienda/shared/problem"
)

// retryAfter is when a client may repeat a request that is still running.
const retryAfter = time.Second

// The answers to a request whose key cannot be used.
var (
	// ErrKeyRequired (400) is a request without a key to a route that needs one.
	ErrKeyRequired = problem.New(problem.BadRequest, "idempotency_key_required", "Send an Idempotency-Key header with a value of your own choice.").
			WithFields(problem.FieldError{Pointer: HeaderKey, Detail: "is required"})
	// ErrKeyReused (422) is a key that was used for another request.
	ErrKeyReused = problem.New(problem.Invalid, "idempotency_key_reused", "The Idempotency-Key was used for another request.").
			WithFields(problem.FieldError{Pointer: HeaderKey, Detail: "must be new for every new request"})
	// ErrInProgress (409, Retry-After) is a repetition of a request that is still running.
	ErrInProgress = problem.New(problem.Conflict, "request_in_progress", "The request with this Idempotency-Key is still running. Repeat it shortly.").
			WithRetryAfter(retryAfter)
)

// ErrDone is what a store in memory returns for a record that it has stored before, by the same owner: a write whose
// answer was lost. The effect has happened too.
var ErrDone = errors.New("idempotency: already done")

// UsedError is a failed write: another request has used the key. Services and handlers pass it on, and Middleware turns
// it into the answer.
type UsedError struct {
	// Stored is the record of the other request.
	Stored Record
}

// Error implements error.
func (e *UsedError) Error() string { return "idempotency: the key is in use" }
