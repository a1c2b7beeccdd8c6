package ddb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/tienda-dev/tienda/shared/problem"
)

// ErrUnavailable (503 unavailable, Retry-After) is a store that cannot answer now: throttled,
// unreachable, or failing beyond what retries could mend in the context's time. After a write its
// outcome is unknown. Compare with errors.Is: what is returned also carries the cause.
var ErrUnavailable = problem.New(problem.Unavailable, "unavailable",
	"The service cannot answer at the moment. Try again shortly.")

// fault is an error of a DynamoDB call with a text that is safe to log. The SDK's own error is
// below it, for errors.As.
type fault struct {
	operation string
	text      string
	err       error
}

func (f *fault) Error() string { return "dynamodb " + f.operation + ": " + f.text }

func (f *fault) Unwrap() error { return f.err }

// NewFailure returns the error of a call of the client that another package has made itself, as this package would: see
// the package documentation.
func NewFailure(ctx context.Context, operation string, err error) error {
	return newFault(ctx, operation, err)
}

// newFault classifies what a call returned: the end of the context, ErrUnavailable, or a fault of
// the program.
func newFault(ctx context.Context, operation string, err error) error {
	if ended := ctx.Err(); ended != nil {
		return &fault{operation: operation, text: ended.Error(), err: ended}
	}
	if isTransient(err) {
		return unavailable(operation, err)
	}
	return &fault{operation: operation, text: safeText(err), err: err}
}

// unavailable wraps the cause. A time-out of one attempt must not look like the end of the request's
// own time (504), so its text is kept and it is not wrapped.
func unavailable(operation string, err error) error {
	f := &fault{operation: operation, text: safeText(err)}
	if !errors.Is(err, context.DeadlineExceeded) {
		f.err = err
	}
	return ErrUnavailable.WithCause(f)
}

// isTransientCode reports whether a request that failed with the code may succeed when it is sent
// again.
func isTransientCode(code string) bool {
	switch code {
	case "InternalServerError", "ServiceUnavailable", "RequestTimeout",
		"ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded",
		"LimitExceededException", "PriorRequestNotComplete",
		"TransactionConflictException", "TransactionInProgressException", "ReplicatedWriteConflictException",
		"UnknownError", // the SDK's name for an answer without a code, which is not DynamoDB's
		// Of one item in a transaction:
		"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
		return true
	default:
		return false
	}
}

// isTransient reports whether the same request may succeed a little later.
func isTransient(err error) bool {
	if canceled, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		return onlyTransient(canceled.CancellationReasons)
	}
	var api smithy.APIError
	if errors.As(err, &api) && isTransientCode(api.ErrorCode()) {
		return true
	}
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.HTTPStatusCode() >= http.StatusInternalServerError {
		return true
	}
	var send *smithyhttp.RequestSendError
	var quota ratelimit.QuotaExceededError
	return errors.As(err, &send) || errors.As(err, &quota) || brokeOff(err)
}

// onlyTransient reports whether every reason of a cancelled transaction may pass.
func onlyTransient(reasons []types.CancellationReason) bool {
	some := false
	for _, reason := range reasons {
		code := reasonCode(reason)
		if code == reasonNone {
			continue
		}
		if !isTransientCode(code) {
			return false
		}
		some = true
	}
	return some
}

const (
	reasonNone            = "None"
	reasonConditionFailed = "ConditionalCheckFailed"
)

func reasonCode(r types.CancellationReason) string {
	if r.Code == nil || *r.Code == "" {
		return reasonNone
	}
	return *r.Code
}

// fixed is an error whose text has no values of items.
type fixed string

func (e fixed) Error() string { return string(e) }

// safeText describes err without the values of items.
func safeText(err error) string {
	var b strings.Builder
	var api smithy.APIError
	var send *smithyhttp.RequestSendError
	var params smithy.InvalidParamsError
	var text fixed
	var network net.Error
	switch {
	case errors.As(err, &api):
		b.WriteString(apiText(api))
	case errors.As(err, &send):
		b.WriteString(send.Error()) // URL and network error
	case errors.As(err, &params):
		b.WriteString(params.Error()) // names of missing parameters
	case errors.As(err, &text):
		b.WriteString(text.Error())
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		b.WriteString("the answer broke off")
	case errors.As(err, &network) && network.Timeout():
		b.WriteString("the answer timed out")
	default:
		fmt.Fprintf(&b, "%T", innermost(err))
	}
	if _, ok := errors.AsType[ratelimit.QuotaExceededError](err); ok {
		b.WriteString(", and the retry quota is used up")
	}
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.HTTPStatusCode() != http.StatusOK && response.HTTPStatusCode() != http.StatusBadRequest {
		b.WriteString(" (status " + strconv.Itoa(response.HTTPStatusCode()) + ")")
	}
	var request interface{ ServiceRequestID() string }
	if errors.As(err, &request) && request.ServiceRequestID() != "" {
		b.WriteString(" (request " + request.ServiceRequestID() + ")")
	}
	return b.String()
}

func apiText(api smithy.APIError) string {
	text := api.ErrorCode()
	if canceled, ok := errors.AsType[*types.TransactionCanceledException](api); ok {
		reasons := make([]string, len(canceled.CancellationReasons))
		for i, r := range canceled.CancellationReasons {
			reasons[i] = reasonCode(r)
			if r.Message != nil {
				reasons[i] = withMessage(reasons[i], *r.Message)
			}
		}
		return text + " [" + strings.Join(reasons, ", ") + "]"
	}
	return withMessage(text, api.ErrorMessage())
}

func withMessage(code, message string) string {
	if message == "" || !isSafe(code, message) {
		return code
	}
	return code + ": " + message
}

// isSafe reports whether a message carries no values of items. Those of failed validation mostly
// quote the value that was refused; the ones listed here are about expressions, keys and sizes.
func isSafe(code, message string) bool {
	switch code {
	case "SerializationException":
		return false
	case "ValidationException", "ValidationError":
	default:
		return true
	}
	if strings.Contains(message, "AttributeValue:") { // operands, written out
		return false
	}
	for _, part := range []string{
		"ExpressionAttributeNames", "ExpressionAttributeValues",
		"Invalid ConditionExpression", "Invalid FilterExpression", "Invalid KeyConditionExpression",
		"Invalid ProjectionExpression", "Invalid UpdateExpression",
		"Item size ", "Member must have length less than or equal to",
		"Query condition missed key schema element", "Query key condition not supported",
		"The provided key element does not match the schema", "The provided starting key is",
		"The table does not have the specified index",
		"Transaction request cannot include multiple operations on one item",
	} {
		if strings.Contains(message, part) {
			return true
		}
	}
	return false
}

func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// conversionText names the Go type that did not fit an attribute. The
// conversion's own errors quote the attribute.
func conversionText(err error) string {
	if mismatch, ok := errors.AsType[*attributevalue.UnmarshalTypeError](err); ok {
		return "an attribute does not fit the Go type " + mismatch.Type.String()
	}
	if bad, ok := errors.AsType[*attributevalue.UnmarshalError](err); ok {
		return "an attribute does not fit the Go type " + bad.Type.String()
	}
	return fmt.Sprintf("%T", innermost(err))
}

// expressionText says why an expression cannot be built.
func expressionText(err error) string {
	var invalid expression.InvalidParameterError
	var unset expression.UnsetParameterError
	if errors.As(err, &invalid) || errors.As(err, &unset) {
		return err.Error() // names of functions and parameters
	}
	return conversionText(err)
}
