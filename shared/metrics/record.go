package metrics

import (
	"context"
	"time"
)

// DynamoDB is the value of "db.system.name".
const DynamoDB = "aws.dynamodb"

// Operation is one operation of a database. Its texts are names from the code or the database's list.
type Operation struct {
	// Name is the operation ("Query"), Table the table, Index the secondary index; the last two may be empty.
	Name, Table, Index string
	// ErrorType and Status are the class of an error and the database's code of it; empty after success.
	ErrorType, Status string
	// Took is the time, retries included.
	Took time.Duration
	// Rows is how many items came back; negative is unknown.
	Rows int
	// Attempts is how often it was sent; Throttles, how often it was throttled.
	Attempts, Throttles int
	// Capacity is the capacity that DynamoDB reported, in units.
	Capacity float64
	// Conflict is set after a transaction conflict, Condition after a false condition.
	Conflict, Condition bool
	// Unprocessed is how many items of a batch were not processed.
	Unprocessed int
}

// Database records an operation of DynamoDB.
func (m *Metrics) Database(ctx context.Context, o Operation) {
	in := m.in()
	in.dbClientOperationDuration.record(ctx, seconds(o.Took), values{DynamoDB, o.Name, o.Table, o.ErrorType, o.Status})
	if o.Rows >= 0 {
		in.dbClientReturnedRows.record(ctx, float64(o.Rows), values{DynamoDB, o.Name, o.Table})
	}
	v := values{DynamoDB, o.Name, o.Table, o.Index}
	in.dynamoConsumedCapacity.addPart(ctx, o.Capacity, v)
	in.dynamoThrottles.add(ctx, int64(o.Throttles), v)
	in.dynamoRetries.add(ctx, int64(o.Attempts-1), v)
	in.dynamoUnprocessedItems.add(ctx, int64(o.Unprocessed), v)
	if o.Condition {
		in.dynamoConditionalCheckFailure.add(ctx, 1, v)
	}
	if o.Conflict {
		in.dynamoTransactionConflicts.add(ctx, 1, v)
	}
}

// Request records a request to another service. server is a name from the configuration; status is 0 when there
// was no answer.
func (m *Metrics) Request(ctx context.Context, method, server string, status int, errorType string, took time.Duration) {
	v := values{Method(method), server, "", errorType}
	if status > 0 {
		v[2] = statusText(status)
	}
	m.in().httpClientRequestDuration.record(ctx, seconds(took), v)
}

// The values of "cache.result".
const (
	CacheHit   = "hit"
	CacheMiss  = "miss"
	CacheStale = "stale"
	CacheError = "error"
)

// Cache records look-ups in the cache called name, a name from the code. Result is CacheHit, CacheMiss, CacheStale
// or CacheError.
func (m *Metrics) Cache(ctx context.Context, name, result string) {
	m.in().cacheRequests.add(ctx, 1, values{name, one(result, CacheHit, CacheMiss, CacheStale, CacheError)})
}

// CacheLoaded records how long it took to load what the cache did not have.
func (m *Metrics) CacheLoaded(ctx context.Context, name string, took time.Duration, err error) {
	v := values{name}
	if err != nil {
		v[1] = "load"
	}
	m.in().cacheLoadDuration.record(ctx, seconds(took), v)
}

// CacheSize records how many entries the cache has, and how many it has dropped since the last call. None at all is
// recorded too: the series of a cache begins with the cache.
func (m *Metrics) CacheSize(ctx context.Context, name string, entries, evicted int) {
	m.in().cacheEntries.record(ctx, int64(entries), values{name})
	m.in().cacheEvictions.begin(ctx, values{name})
	m.in().cacheEvictions.add(ctx, int64(evicted), values{name})
}

// Attempt counts an attempt to authenticate. All values are names from the code; reason may be empty.
func (m *Metrics) Attempt(ctx context.Context, method, result, reason string) {
	m.in().authAttempts.add(ctx, 1, values{method, result, reason})
}

// TokenValidated records how long it took to verify a token by method: a name from the code.
func (m *Metrics) TokenValidated(ctx context.Context, method string, took time.Duration) {
	m.in().authTokenValidationDuration.record(ctx, seconds(took), values{method})
}

// TokenIssued counts tokens that were issued by method: a name from the code.
func (m *Metrics) TokenIssued(ctx context.Context, method string) {
	m.in().authTokenIssued.add(ctx, 1, values{method})
}

// TokenRevoked counts a revocation. reason is a name from the code.
func (m *Metrics) TokenRevoked(ctx context.Context, reason string) {
	m.in().authTokenRevoked.add(ctx, 1, values{reason})
}

// RevocationChecked records how long it took to find out whether a token was revoked. result is a name from the
// code.
func (m *Metrics) RevocationChecked(ctx context.Context, result string, took time.Duration) {
	m.in().authBlacklistLookupDuration.record(ctx, seconds(took), values{result})
}

// Decided counts a decision of the authorizer. outcome is one of identity's.
func (m *Metrics) Decided(ctx context.Context, outcome string) {
	m.in().authAuthorizerDecisions.add(ctx, 1, values{outcome})
}

// The values of "ratelimit.decision". The last two are decisions without an answer of the store.
const (
	RateAllow       = "allow"
	RateDeny        = "deny"
	RateErrorOpen   = "error_open"
	RateErrorClosed = "error_closed"
)

// RateLimit records a decision of the rate limiter: RateAllow, RateDeny, RateErrorOpen or RateErrorClosed. policy and
// scope are names from the code, never the key.
func (m *Metrics) RateLimit(ctx context.Context, policy, scope, decision string, took time.Duration) {
	m.in().rateLimitDecisions.add(ctx, 1, values{policy, scope, one(decision, RateAllow, RateDeny, RateErrorOpen, RateErrorClosed)})
	m.in().rateLimitCheckDuration.record(ctx, seconds(took), values{policy, scope})
}

// Health records the result of the health check called name.
func (m *Metrics) Health(ctx context.Context, name string, up bool, took time.Duration) {
	status := int64(0)
	if up {
		status = 1
	}
	m.in().healthCheckStatus.record(ctx, status, values{name})
	m.in().healthCheckDuration.record(ctx, seconds(took), values{name})
}
