// Package awsjson calls single operations of AWS services with a JSON protocol. It signs with the SDK's
// signer and links nothing else of the SDK.
//
// It is for the Lambda authorizer's read of DynamoDB (session/sessionlean), because the authorizer runs
// before every protected request: the SDK's DynamoDB client costs 1.5 MB of binary, 3 ms of INIT and 20 %
// of the CPU of a request. secrets/secretsaws uses it too, since the client of Secrets Manager costs
// every function 0.3 MB, and so does queue/queueaws for SQS. Functions reach every other service by the SDK.
package awsjson

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/metrics"
)

const (
	// attempts is how often a request is sent at most.
	attempts = 4
	// maxAnswer is the largest answer in bytes that is read.
	maxAnswer = 1 << 20
)

// Config says which service to call and who calls.
type Config struct {
	awsclient.Config
	// Service is the name that the service's endpoint and signatures carry ("dynamodb").
	Service string
	// Version is that of the JSON protocol, "1.0" or "1.1". It depends on the service.
	Version string
	// Endpoint replaces the regional endpoint: an absolute http or https URL. Empty is AWS.
	Endpoint string
	// Timeout bounds one attempt from when its request is on its way (awsclient.LimitRead). 0 is the HTTP
	// client's own.
	Timeout time.Duration
	// Observe sees every call. Without one, each request is recorded in the Metrics of its context.
	Observe Observer
}

// Observer is called before an operation ("BatchGetItem") is sent. It returns the context of the call, and what is
// called at its end: how often the operation was sent, how many of these attempts were throttled, and the
// error of Call.
type Observer func(ctx context.Context, operation string) (context.Context, func(attempts, throttles int, err error))

// Client calls operations of one service in one region. It is safe for concurrent use.
type Client struct {
	cfg         Config
	endpoint    string
	server      string // the endpoint's host
	credentials aws.Credentials
	signer      *v4.Signer
}

// New returns a client. It sends nothing. It fails without service, region or credentials, for an
// endpoint that is no URL, and for a region whose endpoint is not known.
func New(cfg Config) (*Client, error) {
	if cfg.Service == "" || cfg.Version == "" {
		return nil, errors.New("awsjson: a client needs a service and the version of its protocol")
	}
	var err error
	if cfg.Config, err = cfg.WithHTTP(); err != nil {
		return nil, err
	}
	endpoint, err := Endpoint(cfg.Service, cfg.Region, cfg.Endpoint)
	if err != nil {
		return nil, err
	}
	return &Client{
		cfg: cfg, endpoint: endpoint.String(), server: endpoint.Hostname(), signer: v4.NewSigner(),
		credentials: aws.Credentials{
			AccessKeyID: cfg.AccessKeyID, SecretAccessKey: cfg.SecretAccessKey, SessionToken: cfg.SessionToken,
		},
	}, nil
}

// Endpoint returns the URL that requests to the service are sent to: endpoint, an absolute http or https URL, or else that
// of the region. It fails for a region whose endpoint is not known.
func Endpoint(service, region, endpoint string) (*url.URL, error) {
	if endpoint == "" {
		domain, err := domain(region)
		return &url.URL{Scheme: "https", Host: service + "." + region + "." + domain, Path: "/"}, err
	}
	if err := awsclient.CheckEndpoint(endpoint); err != nil {
		return nil, fmt.Errorf("the endpoint of %s %w", service, err)
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

// domain returns the DNS suffix of the region's partition.
func domain(region string) (string, error) {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "amazonaws.com.cn", nil
	case strings.HasPrefix(region, "eusc-"):
		return "amazonaws.eu", nil
	case strings.Contains(region, "-iso"):
		return "", fmt.Errorf("the endpoints of region %s are not known: set the endpoint's variable", region)
	default:
		return "amazonaws.com", nil
	}
}

// Call sends body to the operation that target names ("DynamoDB_20120810.BatchGetItem") and returns
// the answer. A busy service, a broken connection and an answer that is cut off or not
// the service's are tried again while the context's time allows;
// what is called must bear being done twice. The error is the context's, or an *Error.
func (c *Client) Call(ctx context.Context, target string, body []byte) (answer []byte, err error) {
	attempt, throttles := 1, 0
	if c.cfg.Observe != nil {
		var done func(attempts, throttles int, err error)
		ctx, done = c.cfg.Observe(ctx, operation(target))
		defer func() { done(attempt, throttles, err) }()
	}
	for ; ; attempt++ {
		answer, failed := c.send(ctx, target, body)
		if failed == nil {
			return answer, nil
		}
		if failed.throttled() {
			throttles++
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("%s: %w", operation(target), err)
		}
		if !failed.Transient || attempt == attempts || !awsclient.Pause(ctx, attempt-1) {
			return nil, failed
		}
	}
}

// send sends one request.
func (c *Client) send(ctx context.Context, target string, body []byte) ([]byte, *Error) {
	if c.cfg.Observe != nil {
		return c.exchange(ctx, target, body)
	}
	start := time.Now()
	answer, failed := c.exchange(ctx, target, body)
	status, errorType := http.StatusOK, ""
	if failed != nil {
		status, errorType = failed.Status, failed.errorType(ctx)
	}
	metrics.From(ctx).Request(ctx, http.MethodPost, c.server, status, errorType, time.Since(start))
	return answer, failed
}

func (c *Client) exchange(ctx context.Context, target string, body []byte) ([]byte, *Error) {
	if c.cfg.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = awsclient.LimitRead(ctx, c.cfg.Timeout)
		defer cancel()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, &Error{Operation: operation(target), cause: err}
	}
	request.Header.Set("Content-Type", "application/x-amz-json-"+c.cfg.Version)
	request.Header.Set("X-Amz-Target", target)
	request.Header.Set("Accept-Encoding", "identity")
	sum := sha256.Sum256(body)
	if err := c.signer.SignHTTP(ctx, c.credentials, request, hex.EncodeToString(sum[:]), c.cfg.Service, c.cfg.Region, time.Now()); err != nil {
		return nil, &Error{Operation: operation(target), cause: err}
	}

	response, err := c.cfg.HTTP.Do(request)
	if err != nil {
		if outer, ok := errors.AsType[*url.Error](err); ok {
			err = outer.Err // the operation says more than the URL
		}
		return nil, &Error{Operation: operation(target), Transient: true, cause: err}
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	err = errors.Join(err, response.Body.Close())
	switch {
	case err != nil:
		return nil, &Error{Operation: operation(target), Transient: true, cause: err}
	case len(answer) > maxAnswer:
		return nil, &Error{Operation: operation(target), cause: fmt.Errorf("an answer of more than %d bytes", maxAnswer)}
	case response.StatusCode != http.StatusOK:
		return nil, refusal(target, response, answer)
	case !json.Valid(answer): // a proxy's page, or a part of an answer
		return nil, &Error{Operation: operation(target), Status: response.StatusCode, Transient: true, cause: errors.New("an answer that is not JSON")}
	}
	return answer, nil
}

func operation(target string) string { return target[strings.LastIndexByte(target, '.')+1:] }
