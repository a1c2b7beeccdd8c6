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
	"github.com/aws/smithy-go/metrics"
	"github.com/aws/smithy-go/middleware"
	"github.com/aws/smithy-go/tracing"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/tienda-dev/tienda/shared/awsjson"
)

// lean sends operations without the SDK's serialisation, and without the twenty layers that the SDK builds anew for each
// call (docs/performance.md). It keeps the SDK's first layers, which validate and observe, its retries and its HTTP client.
// An input that it does not know is left to the SDK, and so is every answer but a success that it can read whole: the
// errors are the SDK's.
type lean struct {
	endpoint    *url.URL
	region      string
	credentials aws.CredentialsProvider
	client      dynamodb.HTTPClient
	retryer     aws.RetryerV2
	signer      *v4.Signer

	getItem, query, batchGetItem, updateItem *operation
}

// newLean takes the client's final options. An operation that lean cannot send is nil.
func newLean(c *dynamodb.Client) *lean {
	o := c.Options()
	l := &lean{region: o.Region, credentials: o.Credentials, client: o.HTTPClient, signer: v4.NewSigner()}
	endpoint := ""
	if o.BaseEndpoint != nil {
		endpoint = *o.BaseEndpoint
	}
	var err error
	if l.endpoint, err = awsjson.Endpoint("dynamodb", o.Region, endpoint); err != nil {
		return l // of a partition that only the SDK knows
	}
	if l.retryer, _ = o.Retryer.(aws.RetryerV2); l.retryer == nil || observed(o) {
		return l
	}
	l.getItem = newOperation(l, "GetItem", c.GetItem, &dynamodb.GetItemInput{})
	l.query = newOperation(l, "Query", c.Query, &dynamodb.QueryInput{})
	l.batchGetItem = newOperation(l, "BatchGetItem", c.BatchGetItem, &dynamodb.BatchGetItemInput{})
	l.updateItem = newOperation(l, "UpdateItem", c.UpdateItem, &dynamodb.UpdateItemInput{})
	return l
}

// observed reports that the options ask for the SDK's own spans, metrics or log lines, which its layers make.
func observed(o dynamodb.Options) bool {
	_, untraced := o.TracerProvider.(*tracing.NopTracerProvider)
	_, unmeasured := o.MeterProvider.(metrics.NopMeterProvider)
	return !untraced || !unmeasured || o.ClientLogMode != 0
}

// send sends the input, and lets the SDK's client do so if lean cannot.
func send[In, Out any](
	ctx context.Context, l *lean, op *operation, sdk func(context.Context, *In, ...func(*dynamodb.Options)) (*Out, error), in *In,
	options []func(*dynamodb.Options), setMetadata func(*Out, middleware.Metadata),
) (*Out, error) {
	if op == nil || in == nil || len(options) > 0 {
		return sdk(ctx, in, options...)
	}
	initialize := op.initialize()
	if initialize == nil {
		return sdk(ctx, in)
	}
	c := &call{lean: l, operation: op}
	result, metadata, err := (&layer{call: c, remaining: initialize}).HandleInitialize(callContext{ctx, op.sdkValues}, middleware.InitializeInput{Parameters: in})
	if err != nil {
		return nil, &smithy.OperationError{ServiceID: dynamodb.ServiceID, OperationName: op.name, Err: err}
	}
	out, _ := result.Result.(*Out)
	setMetadata(out, metadata)
	return out, nil
}

// call is one call of an operation.
type call struct {
	*lean
	*operation

	body []byte
	// made is the first attempt, until the SDK's retries have seen it.
	made *outcome
}

// outcome is the result of one attempt.
type outcome struct {
	result   any
	metadata middleware.Metadata
	err      error
}

// handle sends the input.
func (c *call) handle(ctx context.Context, input any) (any, middleware.Metadata, error) {
	body, ok := appendInput(nil, input)
	if !ok {
		return c.bySDK(ctx, input)
	}
	c.body = body
	release, err := c.retryer.GetAttemptToken(ctx)
	if err != nil {
		return nil, middleware.Metadata{}, err
	}
	made := c.attempt(ctx)
	if made.err == nil {
		return made.result, made.metadata, release(nil)
	}
	stack, err := c.build()
	if err != nil {
		return nil, middleware.Metadata{}, err
	}
	retries, ok := stack.Finalize.Get("Retry")
	if !ok {
		return nil, made.metadata, made.err
	}
	c.made = &made // the retries release its token
	out, metadata, err := retries.HandleFinalize(ctx, middleware.FinalizeInput{Request: smithyhttp.NewStackRequest()}, c)
	return out.Result, metadata, err
}

// bySDK sends the input through the SDK's layers behind the first ones.
func (c *call) bySDK(ctx context.Context, input any) (any, middleware.Metadata, error) {
	stack, err := c.build()
	if err != nil {
		return nil, middleware.Metadata{}, err
	}
	return middleware.DecorateHandler(smithyhttp.NewClientHandlerWithOptions(c.client), stack.Serialize, stack.Build, stack.Finalize, stack.Deserialize).Handle(ctx, input)
}

// HandleFinalize makes an attempt for the SDK's retries.
func (c *call) HandleFinalize(ctx context.Context, _ middleware.FinalizeInput) (middleware.FinalizeOutput, middleware.Metadata, error) {
	var made outcome
	if c.made != nil {
		made, c.made = *c.made, nil
	} else {
		made = c.attempt(ctx)
	}
	return middleware.FinalizeOutput{Result: made.result}, made.metadata, made.err
}

// attempt signs and sends the request, and reads the answer.
func (c *call) attempt(ctx context.Context) outcome {
	request, err := c.request(ctx)
	if err != nil {
		return outcome{err: err}
	}
	response, err := c.client.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return outcome{err: &smithy.CanceledError{Err: ctx.Err()}}
		}
		return outcome{err: &smithyhttp.RequestSendError{Err: err}}
	}
	text, readErr := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if result := c.read(response, text, readErr); result != nil {
		made := outcome{result: result}
		awsmiddleware.SetRequestIDMetadata(&made.metadata, response.Header.Get("X-Amzn-Requestid"))
		return made
	}
	return c.readBySDK(ctx, request, response, text, readErr)
}

// request returns the signed request.
func (c *call) request(ctx context.Context) (*http.Request, error) {
	credentials, err := c.credentials.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	request := (&http.Request{
		Method: http.MethodPost,
		URL:    &url.URL{Scheme: c.endpoint.Scheme, Host: c.endpoint.Host, Path: c.endpoint.Path},
		Host:   c.endpoint.Host,
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{
			"Content-Type":    {"application/x-amz-json-1.0"},
			"X-Amz-Target":    {c.target},
			"Accept-Encoding": {"identity"},
			"User-Agent":      {aws.SDKName + "/" + aws.SDKVersion},
		},
		Body:          io.NopCloser(bytes.NewReader(c.body)),
		ContentLength: int64(len(c.body)),
	}).WithContext(ctx)
	sum := sha256.Sum256(c.body)
	if err := c.signer.SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), "dynamodb", c.region, time.Now()); err != nil {
		return nil, &v4.SigningError{Err: err}
	}
	return request, nil
}

// read reads a success. It returns nil for everything else.
func (c *call) read(response *http.Response, text []byte, readErr error) any {
	if response.StatusCode != http.StatusOK || readErr != nil {
		return nil
	}
	if sum := response.Header.Get("X-Amz-Crc32"); sum != "" && sum != strconv.FormatUint(uint64(crc32.ChecksumIEEE(text)), 10) {
		return nil
	}
	return readOutput(c.name, string(text))
}

// readBySDK lets the SDK read the answer.
func (c *call) readBySDK(ctx context.Context, request *http.Request, response *http.Response, text []byte, readErr error) outcome {
	response.Body = io.NopCloser(bytes.NewReader(text))
	if readErr != nil {
		response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(text), failing{readErr}))
	}
	answered := middleware.HandlerFunc(func(context.Context, any) (any, middleware.Metadata, error) {
		return &smithyhttp.Response{Response: response}, middleware.Metadata{}, nil
	})
	stack, err := c.build()
	if err != nil {
		return outcome{err: err}
	}
	var made outcome
	made.result, made.metadata, made.err = stack.Deserialize.HandleMiddleware(ctx, &smithyhttp.Request{Request: request}, answered)
	return made
}

// failing is a reader that fails.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
