package ddb

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/restjson"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/tienda-dev/tienda/shared/internal/rawjson"
)

// refusal is the body of an answer that is not a success.
type refusal struct {
	code    string
	message *string
	item    Item
	reasons []types.ThrottlingReason
}

// readRefusal returns the error that an answer is: one of the SDK's types, or a smithy.GenericAPIError, whose code is
// UnknownError if the answer has none. It is a smithy.DeserializationError if the body is not JSON.
func readRefusal(header http.Header, text string) error {
	var refused refusal
	if text != "" {
		if err := refused.read(text); err != nil {
			return err
		}
	}
	if code := header.Get("X-Amzn-ErrorType"); code != "" {
		refused.code = code
	}
	return refused.error()
}

func (f *refusal) read(text string) error {
	r := &outputReader{Reader: rawjson.NewReader(text)}
	r.Object(func(name string) {
		switch {
		case name == "__type":
			f.code = r.Text()
		case strings.EqualFold(name, "code"):
			if code, ok := r.Scalar(); ok {
				f.code = cmp.Or(f.code, code)
			}
		case strings.EqualFold(name, "message"):
			f.message = r.optional()
		case name == "Item":
			f.item = r.attributes()
		case strings.EqualFold(name, "throttlingReasons"):
			f.reasons = list(r, r.reason)
		default:
			r.Skip()
		}
	})
	return r.end()
}

func (r *outputReader) reason() types.ThrottlingReason {
	var reason types.ThrottlingReason
	r.Object(func(name string) {
		switch name {
		case "reason":
			reason.Reason = r.optional()
		case "resource":
			reason.Resource = r.optional()
		default:
			r.Skip()
		}
	})
	return reason
}

// error returns what the operations of Client fail with.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
func (f *refusal) error() error {
	switch code := restjson.SanitizeErrorCode(f.code); code {
	case "ConditionalCheckFailedException":
		return &types.ConditionalCheckFailedException{Message: f.message, Item: f.item}
	case "InternalServerError":
		return &types.InternalServerError{Message: f.message}
	case "InvalidEndpointException":
		return &types.InvalidEndpointException{Message: f.message}
	case "ItemCollectionSizeLimitExceededException":
		return &types.ItemCollectionSizeLimitExceededException{Message: f.message}
	case "ProvisionedThroughputExceededException":
		return &types.ProvisionedThroughputExceededException{Message: f.message, ThrottlingReasons: f.reasons}
	case "ReplicatedWriteConflictException":
		return &types.ReplicatedWriteConflictException{Message: f.message}
	case "RequestLimitExceeded":
		return &types.RequestLimitExceeded{Message: f.message, ThrottlingReasons: f.reasons}
	case "ResourceNotFoundException":
		return &types.ResourceNotFoundException{Message: f.message}
	case "ThrottlingException":
		return &types.ThrottlingException{Message: f.message, ThrottlingReasons: f.reasons}
	case "TransactionConflictException":
		return &types.TransactionConflictException{Message: f.message}
	default:
		generic := &smithy.GenericAPIError{Code: "UnknownError", Message: "UnknownError"}
		if code != "" {
			generic.Code = code
		}
		if f.message != nil && *f.message != "" {
			generic.Message = *f.message
		}
		return generic
	}
}
