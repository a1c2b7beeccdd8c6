// Package ddb is DynamoDB for a Lambda function: a client that is cheap to link and to start, a
// table, and transactions whose failures come back as the caller's own errors.
//
// # Lost responses
//
// DynamoDB may commit a write and its response may be lost: a closed connection, a 500, a time-out.
// The SDK then sends the request again, without an error and without a trace. What that does
// depends on the write:
//
//   - A bare "ADD v 1" is applied twice. There is no helper for it here: numbers move in a
//     transaction, through [Commit].
//   - A conditional write finds its own effect and fails its condition. [Table.PutNew] tells that
//     apart from somebody else's item by an attribute that only this write can have set.
//   - A transaction is applied once: it carries a token by which DynamoDB knows it for ten minutes.
//     [Commit] keeps one token over all of its attempts.
//
// # Errors
//
// A store that cannot answer (throttled, unreachable, a failed attempt too many) is
// [ErrUnavailable], which the problem writer answers as 503 with Retry-After. When the context
// has ended, errors.Is finds context.DeadlineExceeded or context.Canceled instead. Everything else
// is a fault of the program. No error's text carries a value of an item, which may be personal
// data; DynamoDB's own texts sometimes do.
//
// # Time to live
//
// DynamoDB removes expired items days late and returns them until then, and DynamoDB Local does not
// hurry either: every reader compares an item's expiry with its own clock.
package ddb
