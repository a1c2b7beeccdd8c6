package ratelimitddb

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ratelimit"
)

var (
	// errUnsettled is a subject whose item does not match the expression that its last state calls for, several times
	// in a row.
	errUnsettled = errors.New("ratelimitddb: the item does not match its own state")
	// errDisagrees is a write that DynamoDB has made although the old item denies it.
	errDisagrees = errors.New("ratelimitddb: the answer does not match the request")
)

// classify returns the error of a call that has failed: ErrSubjectThrottled, or a failure of the store. Its text has
// nothing of the item.
func classify(ctx context.Context, operation string, err error) error {
	failure := ddb.NewFailure(ctx, operation, err)
	if subjectThrottled(err) {
		return fmt.Errorf("%w: %w", ratelimit.ErrSubjectThrottled, failure)
	}
	return failure
}

// subjectThrottled reports whether the store refuses the one partition key, and nothing else. The reasons are
// ResourceType, OperationType and LimitType in one word
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/throttling-diagnosing.html).
func subjectThrottled(err error) bool {
	var reasons []types.ThrottlingReason
	if e, ok := errors.AsType[*types.ProvisionedThroughputExceededException](err); ok {
		reasons = e.ThrottlingReasons
	} else if e, ok := errors.AsType[*types.ThrottlingException](err); ok {
		reasons = e.ThrottlingReasons
	} else if e, ok := errors.AsType[*types.RequestLimitExceeded](err); ok {
		reasons = e.ThrottlingReasons
	}
	for _, r := range reasons {
		if r.Reason == nil || !strings.HasSuffix(*r.Reason, "KeyRangeThroughputExceeded") {
			return false
		}
	}
	return len(reasons) > 0
}
