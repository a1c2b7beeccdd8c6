package ddb

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash/crc32"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/tienda-dev/tienda/shared/awsjson"
)

// lean sends GetItem, Query, BatchGetItem and UpdateItem, which most requests of a function are, without the SDK's
// serialisation and its twenty layers: a call takes a quarter less processor time (docs/performance.md). It is part of the
// SDK's own stack: validation, tracing, metrics, retries and the HTTP client are those of the SDK. An input that it does
// not know is left to the SDK, and so is every answer but a success that it can read whole: the errors are the SDK's.
type lean struct {
	endpoint    *url.URL // nil sends nothing
	region      string
	credentials aws.CredentialsProvider
	client      dynamodb.HTTPClient
	signer      *v4.Signer
}

// configure takes the client's final options. It must run before the first call.
func (l *lean) configure(o dynamodb.Options) {
	endpoint := ""
	if o.BaseEndpoint != nil {
		endpoint = *o.BaseEndpoint
	}
	u, err := awsjson.Endpoint("dynamodb", o.Region, endpoint)
	if err != nil {
		return // of a partition that only the SDK knows
	}
	l.region, l.credentials, l.client, l.signer = o.Region, o.Credentials, o.HTTPClient, v4.NewSigner()
	l.endpoint = u
}

// add is an API option.
func (l *lean) add(stack *middleware.Stack) error {
	attempts, ok := stack.Finalize.Get("Retry")
	if !ok || l.endpoint == nil || !leanOperation(stack.ID()) {
		return nil
	}
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Lean", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		body, ok := appendInput(nil, in.Parameters)
		if !ok {
			return next.HandleInitialize(ctx, in)
		}
		request, err := l.request(stack.ID(), body)
		if err != nil {
			return middleware.InitializeOutput{}, middleware.Metadata{}, err
		}
		send := &attempt{lean: l, stack: stack, body: body}
		out, metadata, err := attempts.HandleFinalize(ctx, middleware.FinalizeInput{Request: request}, send)
		return middleware.InitializeOutput(out), metadata, err
	}), middleware.After)
}

// request returns the request of an operation, not signed yet.
func (l *lean) request(operation string, body []byte) (*smithyhttp.Request, error) {
	request, _ := smithyhttp.NewStackRequest().(*smithyhttp.Request)
	request.Method = http.MethodPost
	request.URL = l.endpoint // each attempt has a clone
	request.ContentLength = int64(len(body))
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	request.Header.Set("Accept-Encoding", "identity")
	request.Header.Set("User-Agent", aws.SDKName+"/"+aws.SDKVersion)
	return request.SetStream(bytes.NewReader(body))
}

// attempt sends one call once.
type attempt struct {
	*lean

	stack *middleware.Stack
	body  []byte
}

// HandleFinalize signs and sends the request, and reads the answer.
func (a *attempt) HandleFinalize(ctx context.Context, in middleware.FinalizeInput) (out middleware.FinalizeOutput, metadata middleware.Metadata, err error) {
	request, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return out, metadata, &smithy.SerializationError{Err: errUnknownRequest}
	}
	credentials, err := a.credentials.Retrieve(ctx)
	if err != nil {
		return out, metadata, err
	}
	sum := sha256.Sum256(a.body)
	if err := a.signer.SignHTTP(ctx, credentials, request.Request, hex.EncodeToString(sum[:]), "dynamodb", a.region, time.Now()); err != nil {
		return out, metadata, &v4.SigningError{Err: err}
	}
	response, err := a.client.Do(request.Build(ctx))
	if err != nil {
		if ctx.Err() != nil {
			return out, metadata, &smithy.CanceledError{Err: ctx.Err()}
		}
		return out, metadata, &smithyhttp.RequestSendError{Err: err}
	}
	text, readErr := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if result := a.result(response, text, readErr); result != nil {
		awsmiddleware.SetRequestIDMetadata(&metadata, response.Header.Get("X-Amzn-Requestid"))
		out.Result = result
		return out, metadata, nil
	}
	return a.bySDK(ctx, request, response, text, readErr)
}

// result reads a success. It returns nil for everything else.
func (a *attempt) result(response *http.Response, text []byte, readErr error) any {
	if response.StatusCode != http.StatusOK || readErr != nil {
		return nil
	}
	if sum := response.Header.Get("X-Amz-Crc32"); sum != "" && sum != strconv.FormatUint(uint64(crc32.ChecksumIEEE(text)), 10) {
		return nil
	}
	return readOutput(a.stack.ID(), string(text))
}

// bySDK lets the SDK read the answer.
func (a *attempt) bySDK(ctx context.Context, request *smithyhttp.Request, response *http.Response, text []byte, readErr error) (out middleware.FinalizeOutput, metadata middleware.Metadata, err error) {
	response.Body = io.NopCloser(bytes.NewReader(text))
	if readErr != nil {
		response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(text), failing{readErr}))
	}
	answered := middleware.HandlerFunc(func(context.Context, any) (any, middleware.Metadata, error) {
		return &smithyhttp.Response{Response: response}, middleware.Metadata{}, nil
	})
	out.Result, metadata, err = a.stack.Deserialize.HandleMiddleware(ctx, request, answered)
	return out, metadata, err
}

// failing is a reader that fails.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
