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
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// send sends the input. A nil one is refused as an empty one is.
func send[In, Out any](
	ctx context.Context, c *Client, name string, in *In, options []func(*dynamodb.Options), setMetadata func(*Out, middleware.Metadata),
) (*Out, error) {
	if len(options) > 0 {
		c = c.With(options...)
	}
	if c.err != nil {
		return nil, c.err
	}
	if in == nil {
		in = new(In)
	}
	op := c.operations[name]
	first := &layer{call: &call{Client: c, operation: op}, remaining: op.initialize}
	result, metadata, err := first.HandleInitialize(callContext{ctx, op.sdkValues}, middleware.InitializeInput{Parameters: in})
	if err != nil {
		return nil, &smithy.OperationError{ServiceID: dynamodb.ServiceID, OperationName: name, Err: err}
	}
	out, _ := result.Result.(*Out)
	setMetadata(out, metadata)
	return out, nil
}

// call is one call of an operation.
type call struct {
	*Client
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
	if err := validate(input); err != nil {
		return nil, middleware.Metadata{}, err
	}
	var err error
	if c.body, err = appendInput(nil, input); err != nil {
		return nil, middleware.Metadata{}, err
	}
	retryer := c.options.Retryer
	if c.tokens != nil {
		release, err := c.tokens.GetAttemptToken(ctx)
		if err != nil {
			return nil, middleware.Metadata{}, err
		}
		made := c.attempt(ctx)
		if made.err == nil || ctx.Err() != nil { // the retries would return the end of the context, and not what is known
			_ = release(made.err)
			return made.result, made.metadata, made.err
		}
		c.made, retryer = &made, &oneToken{RetryerV2: c.tokens, release: release}
	}
	retries := retry.NewAttemptMiddleware(retryer, smithyhttp.RequestCloner)
	out, metadata, err := retries.HandleFinalize(ctx, middleware.FinalizeInput{Request: smithyhttp.NewStackRequest()}, c)
	return out.Result, metadata, err
}

// oneToken is a retryer whose first attempt has its token already.
type oneToken struct {
	aws.RetryerV2

	release func(error) error
}

// GetAttemptToken implements aws.RetryerV2.
func (o *oneToken) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	if release := o.release; release != nil {
		o.release = nil
		return release, nil
	}
	return o.RetryerV2.GetAttemptToken(ctx)
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
	response, err := c.options.HTTPClient.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return outcome{err: &smithy.CanceledError{Err: ctx.Err()}}
		}
		return outcome{err: &smithyhttp.RequestSendError{Err: err}}
	}
	text, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	var made outcome
	id := response.Header.Get("X-Amzn-Requestid")
	awsmiddleware.SetRequestIDMetadata(&made.metadata, id)
	if made.result, made.err = c.read(response, text, err); made.err != nil {
		made.err = &awshttp.ResponseError{
			RequestID:     id,
			ResponseError: &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: response}, Err: made.err},
		}
	}
	return made
}

// request returns the signed request.
func (c *call) request(ctx context.Context) (*http.Request, error) {
	credentials, err := c.options.Credentials.Retrieve(ctx)
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
	if err := c.signer.SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), "dynamodb", c.options.Region, time.Now()); err != nil {
		return nil, &v4.SigningError{Err: err}
	}
	return request, nil
}

const (
	errNoBody   fixed = "the answer has no body"
	errChecksum fixed = "the answer's body does not have its checksum"
)

// read reads an answer: the output of a success, or the error that it is. An answer that is not whole or not DynamoDB's is a
// smithy.DeserializationError. readErr is the error of reading its body.
func (c *call) read(response *http.Response, text []byte, readErr error) (any, error) {
	if readErr != nil {
		return nil, &smithy.DeserializationError{Err: readErr}
	}
	if sum := response.Header.Get("X-Amz-Crc32"); sum != "" && sum != strconv.FormatUint(uint64(crc32.ChecksumIEEE(text)), 10) {
		return nil, &smithy.DeserializationError{Err: errChecksum}
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return nil, readRefusal(response.Header, string(text))
	}
	if len(text) == 0 {
		return nil, &smithy.DeserializationError{Err: errNoBody}
	}
	return readOutput(c.name, string(text))
}
