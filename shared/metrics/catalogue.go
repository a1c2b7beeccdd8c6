package metrics

import "slices"

// Kind is the kind of an instrument.
type Kind string

// The kinds.
const (
	// Counter only grows.
	Counter Kind = "counter"
	// UpDownCounter grows and shrinks. Those of several processes cannot be merged: keep the instance's label.
	UpDownCounter Kind = "updowncounter"
	// Gauge is the last value. Those of several processes cannot be merged either.
	Gauge Kind = "gauge"
	// Histogram counts values in buckets.
	Histogram Kind = "histogram"
)

// Mergeable reports whether the values of several processes may be added up without an instance's label.
func (k Kind) Mergeable() bool { return k == Counter || k == Histogram }

// Definition describes one instrument.
type Definition struct {
	// Name is OpenTelemetry's name of it ("http.server.request.duration").
	Name string
	Kind Kind
	// Unit is a UCUM unit: "s", "By", "{request}", "1".
	Unit string
	// Description is one sentence.
	Description string
	// Attributes are the keys that a measurement may have.
	Attributes []string
	// Buckets are the upper bounds of a histogram, in Unit.
	Buckets []float64
}

// The names of the instruments. HTTP, FaaS and db names are OpenTelemetry's semantic conventions 1.43.0.
const (
	HTTPServerRequestDuration  = "http.server.request.duration"
	HTTPServerActiveRequests   = "http.server.active_requests"
	HTTPServerRequestBodySize  = "http.server.request.body.size"
	HTTPServerResponseBodySize = "http.server.response.body.size"
	HTTPClientRequestDuration  = "http.client.request.duration"

	FaaSInvokeDuration = "faas.invoke_duration"
	FaaSInitDuration   = "faas.init_duration"
	FaaSColdstarts     = "faas.coldstarts"
	FaaSInvocations    = "faas.invocations"
	FaaSErrors         = "faas.errors"
	FaaSTimeouts       = "faas.timeouts"
	FaaSMemUsage       = "faas.mem_usage"
	FaaSCPUUsage       = "faas.cpu_usage"

	DBClientOperationDuration = "db.client.operation.duration"
	DBClientReturnedRows      = "db.client.response.returned_rows"

	DynamoDBConsumedCapacity        = "aws.dynamodb.consumed_capacity"
	DynamoDBThrottles               = "aws.dynamodb.throttles"
	DynamoDBConditionalCheckFailure = "aws.dynamodb.conditional_check_failures"
	DynamoDBRetries                 = "aws.dynamodb.retries"
	DynamoDBTransactionConflicts    = "aws.dynamodb.transaction_conflicts"
	DynamoDBUnprocessedItems        = "aws.dynamodb.unprocessed_items"

	CacheRequests     = "cache.requests"
	CacheEvictions    = "cache.evictions"
	CacheEntries      = "cache.entries"
	CacheLoadDuration = "cache.load.duration"

	AuthAttempts                = "auth.attempts"
	AuthTokenValidationDuration = "auth.token.validation.duration" //nolint:gosec // a metric's name, not a credential
	AuthTokenIssued             = "auth.token.issued"              //nolint:gosec // a metric's name, not a credential
	AuthTokenRevoked            = "auth.token.revoked"             //nolint:gosec // a metric's name, not a credential
	AuthBlacklistLookupDuration = "auth.blacklist.lookup.duration"
	AuthAuthorizerDecisions     = "auth.authorizer.decisions"

	RateLimitDecisions     = "ratelimit.decisions"
	RateLimitCheckDuration = "ratelimit.check.duration"

	ShopOrderPlaced         = "shop.order.placed"
	ShopOrderCancelled      = "shop.order.cancelled"
	ShopOrderFailed         = "shop.order.failed"
	ShopOrderValue          = "shop.order.value"
	ShopCheckoutDuration    = "shop.checkout.duration"
	ShopPaymentAttempts     = "shop.payment.attempts"
	ShopShipmentChanges     = "shop.shipment.changes"
	ShopProductChanges      = "shop.product.changes"
	ShopProductViews        = "shop.product.views"
	ShopSearchDuration      = "shop.search.duration"
	ShopCustomerChanges     = "shop.customer.changes"
	ShopUserRegistered      = "shop.user.registered"
	ShopUserLogins          = "shop.user.logins"
	ShopInventoryAdjusted   = "shop.inventory.adjusted"
	ShopInventoryReserved   = "shop.inventory.reserved"
	ShopInventoryOutOfStock = "shop.inventory.out_of_stock"

	HealthCheckStatus   = "health.check.status"
	HealthCheckDuration = "health.check.duration"

	TelemetryFlushDuration       = "telemetry.flush.duration"
	TelemetryFlushFailures       = "telemetry.flush.failures"
	TelemetryDropped             = "telemetry.dropped"
	TelemetryCardinalityOverflow = "telemetry.cardinality.overflow"
)

// The keys of attributes.
const (
	KeyMethod       = "http.request.method"
	KeyRoute        = "http.route"
	KeyStatus       = "http.response.status_code"
	KeyScheme       = "url.scheme"
	KeyErrorType    = "error.type"
	KeyServer       = "server.address"
	KeyTrigger      = "faas.trigger"
	KeyDBSystem     = "db.system.name"
	KeyDBOperation  = "db.operation.name"
	KeyDBCollection = "db.collection.name"
	KeyDBStatus     = "db.response.status_code"
	KeyDBIndex      = "aws.dynamodb.index_name"
	KeyCacheName    = "cache.name"
	KeyCacheResult  = "cache.result"
	KeyAuthMethod   = "auth.method"
	KeyAuthResult   = "auth.result"
	KeyAuthReason   = "auth.reason"
	KeyPolicy       = "ratelimit.policy"
	KeyScope        = "ratelimit.scope"
	KeyDecision     = "ratelimit.decision"
	KeyCurrency     = "shop.currency"
	KeyProvider     = "shop.payment.provider"
	KeyResult       = "shop.result"
	KeyChange       = "shop.change"
	KeyDirection    = "shop.inventory.direction"
	KeyCheck        = "health.check.name"
	KeyFlushMode    = "telemetry.flush.mode"
	KeySignal       = "telemetry.signal"
	KeyDropReason   = "telemetry.reason"
)

// Other replaces a value that is not in an attribute's set.
const Other = "_OTHER"

// Catalogue returns every instrument, by group.
func Catalogue() []Definition {
	// The buckets of the semantic conventions for HTTP and for databases, in seconds.
	request := []float64{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10}
	invocation := append(slices.Clone(request), 12, 15) // near the timeout of the template's functions
	database := []float64{.001, .005, .01, .05, .1, .5, 1, 5, 10}
	fast := []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1}
	bytes := []float64{0, 128, 512, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 6 << 20}
	rows := []float64{0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000}
	amounts := []float64{1, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000}

	server := []string{KeyMethod, KeyRoute, KeyStatus, KeyScheme, KeyErrorType}
	table := []string{KeyDBSystem, KeyDBOperation, KeyDBCollection, KeyDBIndex}
	return []Definition{
		{HTTPServerRequestDuration, Histogram, "s", "Time that a request spent in the chain.", server, request},
		{HTTPServerActiveRequests, UpDownCounter, "{request}", "Requests that are being answered.", []string{KeyMethod, KeyScheme}, nil},
		{HTTPServerRequestBodySize, Histogram, "By", "Size of a request's body.", server, bytes},
		{HTTPServerResponseBodySize, Histogram, "By", "Size of a response's body.", server, bytes},
		{HTTPClientRequestDuration, Histogram, "s", "Time of a request to another service.", []string{KeyMethod, KeyServer, KeyStatus, KeyErrorType}, request},

		{FaaSInvokeDuration, Histogram, "s", "Time of an invocation until its answer.", []string{KeyTrigger}, invocation},
		{FaaSInitDuration, Histogram, "s", "Time of INIT: from the start of telemetry until the function can serve.", []string{KeyTrigger}, request},
		{FaaSColdstarts, Counter, "{coldstart}", "Invocations that were the first of their environment.", []string{KeyTrigger}, nil},
		{FaaSInvocations, Counter, "{invocation}", "Successful invocations.", []string{KeyTrigger}, nil},
		{FaaSErrors, Counter, "{error}", "Invocations that returned an error to Lambda. An HTTP answer of 500 is not one.", []string{KeyTrigger}, nil},
		{FaaSTimeouts, Counter, "{timeout}", "Invocations that ran into the function's timeout.", []string{KeyTrigger}, nil},
		{FaaSMemUsage, Histogram, "By", "Memory that the process had from the system at the end of an invocation.", []string{KeyTrigger}, []float64{16 << 20, 32 << 20, 48 << 20, 64 << 20, 96 << 20, 128 << 20, 192 << 20, 256 << 20, 512 << 20, 1 << 30}},
		{FaaSCPUUsage, Histogram, "s", "CPU time of an invocation.", []string{KeyTrigger}, fast},

		{DBClientOperationDuration, Histogram, "s", "Time of a database operation, retries included.", []string{KeyDBSystem, KeyDBOperation, KeyDBCollection, KeyErrorType, KeyDBStatus}, database},
		{DBClientReturnedRows, Histogram, "{row}", "Items that an operation returned.", []string{KeyDBSystem, KeyDBOperation, KeyDBCollection}, rows},
		{DynamoDBConsumedCapacity, Counter, "{unit}", "Capacity units that DynamoDB reported as consumed.", table, nil},
		{DynamoDBThrottles, Counter, "{request}", "Attempts that DynamoDB throttled.", table, nil},
		{DynamoDBConditionalCheckFailure, Counter, "{request}", "Operations whose condition was false.", table, nil},
		{DynamoDBRetries, Counter, "{attempt}", "Attempts after the first.", table, nil},
		{DynamoDBTransactionConflicts, Counter, "{request}", "Operations that conflicted with another transaction.", table, nil},
		{DynamoDBUnprocessedItems, Counter, "{item}", "Items of a batch that DynamoDB did not process.", table, nil},

		{CacheRequests, Counter, "{request}", "Look-ups in a cache, by result.", []string{KeyCacheName, KeyCacheResult}, nil},
		{CacheEvictions, Counter, "{entry}", "Entries that a full cache dropped.", []string{KeyCacheName}, nil},
		{CacheEntries, Gauge, "{entry}", "Entries in a cache.", []string{KeyCacheName}, nil},
		{CacheLoadDuration, Histogram, "s", "Time to load what a cache does not have.", []string{KeyCacheName, KeyErrorType}, database},

		{AuthAttempts, Counter, "{attempt}", "Attempts to authenticate with credentials.", []string{KeyAuthMethod, KeyAuthResult, KeyAuthReason}, nil},
		{AuthTokenValidationDuration, Histogram, "s", "Time to verify an access token, without its revocation.", []string{KeyAuthMethod}, fast},
		{AuthTokenIssued, Counter, "{token}", "Tokens that were issued.", []string{KeyAuthMethod}, nil},
		{AuthTokenRevoked, Counter, "{token}", "Sessions and tokens that were revoked.", []string{KeyAuthReason}, nil},
		{AuthBlacklistLookupDuration, Histogram, "s", "Time to find out whether a token was revoked.", []string{KeyAuthResult}, fast},
		{AuthAuthorizerDecisions, Counter, "{decision}", "Decisions of the authorizer.", []string{KeyAuthResult}, nil},

		{RateLimitDecisions, Counter, "{decision}", "Decisions of the rate limiter: allow, deny, or when its store did not answer error_open or error_closed.", []string{KeyPolicy, KeyScope, KeyDecision}, nil},
		{RateLimitCheckDuration, Histogram, "s", "Time of a check of a rate limit.", []string{KeyPolicy, KeyScope}, fast},

		{ShopOrderPlaced, Counter, "{order}", "Orders that were placed.", []string{KeyCurrency}, nil},
		{ShopOrderCancelled, Counter, "{order}", "Orders that were cancelled.", []string{KeyCurrency}, nil},
		{ShopOrderFailed, Counter, "{order}", "Orders that could not be placed.", []string{KeyCurrency}, nil},
		{ShopOrderValue, Histogram, "{currency}", "Value of an order in the currency's main unit.", []string{KeyCurrency}, amounts},
		{ShopCheckoutDuration, Histogram, "s", "Time from the start of a checkout to its order.", []string{KeyResult}, request},
		{ShopPaymentAttempts, Counter, "{attempt}", "Attempts to pay.", []string{KeyResult, KeyProvider}, nil},
		{ShopShipmentChanges, Counter, "{shipment}", "Changes of a shipment's state.", []string{KeyChange}, nil},
		{ShopProductChanges, Counter, "{product}", "Products that were created, updated or archived.", []string{KeyChange}, nil},
		{ShopProductViews, Counter, "{view}", "Products that were shown.", nil, nil},
		{ShopSearchDuration, Histogram, "s", "Time of a search in the catalogue.", []string{KeyResult}, request},
		{ShopCustomerChanges, Counter, "{customer}", "Customers that were created or changed.", []string{KeyChange}, nil},
		{ShopUserRegistered, Counter, "{user}", "Users who registered.", nil, nil},
		{ShopUserLogins, Counter, "{login}", "Logins, by result.", []string{KeyResult}, nil},
		{ShopInventoryAdjusted, Counter, "{piece}", "Pieces by which stock was adjusted.", []string{KeyDirection}, nil},
		{ShopInventoryReserved, Counter, "{piece}", "Pieces that were reserved for orders.", nil, nil},
		{ShopInventoryOutOfStock, Counter, "{request}", "Requests for more pieces than there were.", nil, nil},

		{HealthCheckStatus, Gauge, "1", "1 when a health check passed, 0 when it failed.", []string{KeyCheck}, nil},
		{HealthCheckDuration, Histogram, "s", "Time of a health check.", []string{KeyCheck}, database},

		{TelemetryFlushDuration, Histogram, "s", "Time to export telemetry.", []string{KeyFlushMode}, request},
		{TelemetryFlushFailures, Counter, "{flush}", "Exports that failed.", []string{KeySignal, KeyDropReason}, nil},
		{TelemetryDropped, Counter, "{item}", "Spans, log records and metric points that were dropped.", []string{KeySignal, KeyDropReason}, nil},
		{TelemetryCardinalityOverflow, Counter, "{measurement}", "Measurements whose attributes exceeded a metric's limit.", nil, nil},
	}
}
