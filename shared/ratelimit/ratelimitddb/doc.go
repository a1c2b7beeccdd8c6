// Package ratelimitddb is a ratelimit.Limiter that keeps its subjects in a DynamoDB table. It is exact for any number of
// instances: every decision is one conditional UpdateItem, which DynamoDB serialises for each item.
//
// # Table
//
// The table has the partition key PK (a string) and no sort key. An item is all that one limiter knows of one subject:
//
//	PK       RL#, and a keyed hash of the subject and of each policy, apart from Shadow
//	ttl      seconds since 1970, for DynamoDB's time to live. No decision reads it
//	g0       number: the theoretical arrival time of policy 0, a GCRA, in microseconds since 1970
//	w1x4711  number: the units that were taken in window 4711 of policy 1, a fixed window
//	l2       list of Limit numbers: the times of the newest units of policy 2, a sliding log; 0 is a unit that was never taken
//
// The function needs dynamodb:GetItem, UpdateItem and DeleteItem on the table.
//
// # Calls and cost
//
// A decision is one write, also a denial: DynamoDB returns the old item when the condition fails, and charges for it as
// for a write. A condition cannot compute, so a GCRA has one expression for a subject that is idle and one for a busy
// subject, and a sliding log has one that creates it and one that replaces its oldest times. A wrong guess is seen in the
// returned item and costs a second write. The guess is the last state of the subject that this instance has seen, and
// for an unknown subject what was right for other unknown subjects. A policy in shadow mode that would deny has a third
// expression.
//
// # Clocks
//
// DynamoDB has no clock in expressions, so the time is the instance's, read just before each request. The algorithms
// of package ratelimit say what clocks that differ cost.
//
// # Failures
//
// Nothing is sent twice: every call is one attempt, whatever the client's retryer is, because a retry that follows a lost
// answer would count twice. An error that is ratelimit.ErrSubjectThrottled is about this one subject. All others,
// including items that no limiter has written, are failures of the store. After a failed Take, the units may have been
// taken. No error has the subject in its text.
package ratelimitddb
