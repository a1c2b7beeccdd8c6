// Package ddb is a DynamoDB client for Lambda functions that is cheap to link and to start, a table, and
// transactions that return the caller's own errors.
//
// # Lost responses
//
// DynamoDB may commit a write and its response may be lost: a closed connection, a 500, a time-out, an
// answer that is cut off or does not have its checksum.
// The SDK then sends the request again, without an error and without a trace. What that does
// depends on the write:
//
//   - A bare "ADD v 1" is applied twice. There is no helper for it here: numbers move in a
//     transaction, through [Commit].
//   - A conditional write fails because of its own effect. [Table.PutNew] recognises its own item by an
//     attribute that only this write can have set.
//   - A transaction is applied once: DynamoDB remembers its token for ten minutes. [Commit] uses one token for
//     all attempts.
//
// # Errors
//
// A store that cannot answer (throttled, unreachable, or failing after all retries) is
// [ErrUnavailable], which the problem writer answers as 503 with Retry-After. When the context
// has ended, errors.Is finds context.DeadlineExceeded or context.Canceled instead. Everything else
// is a fault of the program. No error's text carries a value of an item, which may be personal
// data; DynamoDB's own texts sometimes do.
//
// # Time to live
//
// DynamoDB removes expired items up to days late and returns them until then: every reader compares an item's expiry with its own clock.
package ddb
