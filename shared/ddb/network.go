package ddb

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// brokeOff reports that an answer did not arrive whole or is not DynamoDB's: a connection that ended or a
// body that stalled in the middle of it, JSON that is cut off, a proxy's page.
func brokeOff(err error) bool {
	if _, unreadable := errors.AsType[*smithy.DeserializationError](err); unreadable {
		return true
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// refuseEmpty is an option of the SDK's client that makes an answer of 200 without a body an error. DynamoDB always sends
// JSON. Without this option, the SDK returns no error, and a read returns no item.
func refuseEmpty(o *dynamodb.Options) {
	o.APIOptions = append(slices.Clone(o.APIOptions), addRefuseEmpty)
}

func addRefuseEmpty(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("RefuseEmpty", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		response, ok := out.RawResponse.(*smithyhttp.Response)
		if err != nil || !ok || response.StatusCode != http.StatusOK {
			return out, metadata, err
		}
		body := bufio.NewReader(response.Body)
		if _, err := body.Peek(1); err != nil {
			return out, metadata, &smithy.DeserializationError{Err: errors.Join(err, response.Body.Close())}
		}
		response.Body = readCloser{body, response.Body}
		return out, metadata, nil
	}), middleware.After)
}

type readCloser struct {
	io.Reader
	io.Closer
}
