package metrics

// instruments are the catalogue's instruments as fields: a look-up by name would cost a tenth of a measurement.
type instruments struct {
	faasColdstarts                *counter
	faasInvocations               *counter
	faasErrors                    *counter
	faasTimeouts                  *counter
	dynamoConsumedCapacity        *counter
	dynamoThrottles               *counter
	dynamoConditionalCheckFailure *counter
	dynamoRetries                 *counter
	dynamoTransactionConflicts    *counter
	dynamoUnprocessedItems        *counter
	cacheRequests                 *counter
	cacheEvictions                *counter
	authAttempts                  *counter
	authTokenIssued               *counter
	authTokenRevoked              *counter
	authAuthorizerDecisions       *counter
	rateLimitDecisions            *counter
	shopOrderPlaced               *counter
	shopOrderCancelled            *counter
	shopOrderFailed               *counter
	shopPaymentAttempts           *counter
	shopShipmentChanges           *counter
	shopProductChanges            *counter
	shopProductViews              *counter
	shopCustomerChanges           *counter
	shopUserRegistered            *counter
	shopUserLogins                *counter
	shopInventoryAdjusted         *counter
	shopInventoryReserved         *counter
	shopInventoryOutOfStock       *counter
	telemetryFlushFailures        *counter
	telemetryDropped              *counter
	telemetryCardinalityOverflow  *counter

	httpServerRequestDuration   *histogram
	httpServerRequestBodySize   *histogram
	httpServerResponseBodySize  *histogram
	httpClientRequestDuration   *histogram
	faasInvokeDuration          *histogram
	faasInitDuration            *histogram
	faasMemUsage                *histogram
	faasCPUUsage                *histogram
	dbClientOperationDuration   *histogram
	dbClientReturnedRows        *histogram
	cacheLoadDuration           *histogram
	authTokenValidationDuration *histogram
	authBlacklistLookupDuration *histogram
	rateLimitCheckDuration      *histogram
	shopOrderValue              *histogram
	shopCheckoutDuration        *histogram
	shopSearchDuration          *histogram
	healthCheckDuration         *histogram
	telemetryFlushDuration      *histogram

	cacheEntries      *gauge
	healthCheckStatus *gauge
}

// counters returns the fields of the counters by name.
func (i *instruments) counters() map[string]**counter {
	return map[string]**counter{
		FaaSColdstarts:                  &i.faasColdstarts,
		FaaSInvocations:                 &i.faasInvocations,
		FaaSErrors:                      &i.faasErrors,
		FaaSTimeouts:                    &i.faasTimeouts,
		DynamoDBConsumedCapacity:        &i.dynamoConsumedCapacity,
		DynamoDBThrottles:               &i.dynamoThrottles,
		DynamoDBConditionalCheckFailure: &i.dynamoConditionalCheckFailure,
		DynamoDBRetries:                 &i.dynamoRetries,
		DynamoDBTransactionConflicts:    &i.dynamoTransactionConflicts,
		DynamoDBUnprocessedItems:        &i.dynamoUnprocessedItems,
		CacheRequests:                   &i.cacheRequests,
		CacheEvictions:                  &i.cacheEvictions,
		AuthAttempts:                    &i.authAttempts,
		AuthTokenIssued:                 &i.authTokenIssued,
		AuthTokenRevoked:                &i.authTokenRevoked,
		AuthAuthorizerDecisions:         &i.authAuthorizerDecisions,
		RateLimitDecisions:              &i.rateLimitDecisions,
		ShopOrderPlaced:                 &i.shopOrderPlaced,
		ShopOrderCancelled:              &i.shopOrderCancelled,
		ShopOrderFailed:                 &i.shopOrderFailed,
		ShopPaymentAttempts:             &i.shopPaymentAttempts,
		ShopShipmentChanges:             &i.shopShipmentChanges,
		ShopProductChanges:              &i.shopProductChanges,
		ShopProductViews:                &i.shopProductViews,
		ShopCustomerChanges:             &i.shopCustomerChanges,
		ShopUserRegistered:              &i.shopUserRegistered,
		ShopUserLogins:                  &i.shopUserLogins,
		ShopInventoryAdjusted:           &i.shopInventoryAdjusted,
		ShopInventoryReserved:           &i.shopInventoryReserved,
		ShopInventoryOutOfStock:         &i.shopInventoryOutOfStock,
		TelemetryFlushFailures:          &i.telemetryFlushFailures,
		TelemetryDropped:                &i.telemetryDropped,
		TelemetryCardinalityOverflow:    &i.telemetryCardinalityOverflow,
	}
}

// histograms returns the fields of the histograms by name.
func (i *instruments) histograms() map[string]**histogram {
	return map[string]**histogram{
		HTTPServerRequestDuration:   &i.httpServerRequestDuration,
		HTTPServerRequestBodySize:   &i.httpServerRequestBodySize,
		HTTPServerResponseBodySize:  &i.httpServerResponseBodySize,
		HTTPClientRequestDuration:   &i.httpClientRequestDuration,
		FaaSInvokeDuration:          &i.faasInvokeDuration,
		FaaSInitDuration:            &i.faasInitDuration,
		FaaSMemUsage:                &i.faasMemUsage,
		FaaSCPUUsage:                &i.faasCPUUsage,
		DBClientOperationDuration:   &i.dbClientOperationDuration,
		DBClientReturnedRows:        &i.dbClientReturnedRows,
		CacheLoadDuration:           &i.cacheLoadDuration,
		AuthTokenValidationDuration: &i.authTokenValidationDuration,
		AuthBlacklistLookupDuration: &i.authBlacklistLookupDuration,
		RateLimitCheckDuration:      &i.rateLimitCheckDuration,
		ShopOrderValue:              &i.shopOrderValue,
		ShopCheckoutDuration:        &i.shopCheckoutDuration,
		ShopSearchDuration:          &i.shopSearchDuration,
		HealthCheckDuration:         &i.healthCheckDuration,
		TelemetryFlushDuration:      &i.telemetryFlushDuration,
	}
}

// gauges returns the fields of the gauges by name.
func (i *instruments) gauges() map[string]**gauge {
	return map[string]**gauge{
		CacheEntries:      &i.cacheEntries,
		HealthCheckStatus: &i.healthCheckStatus,
	}
}
