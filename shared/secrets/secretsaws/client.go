// Package secretsaws reads secrets from AWS Secrets Manager. It is apart from package secrets so
// that a function which reads none does not link it.
//
// It speaks the one operation that it needs itself, with the SDK's signer. The SDK's client of
// Secrets Manager has 0.3 MB, which every cold start would pay for.
package secretsaws

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/tienda-dev/tienda/shared/awshttp"
)

const (
	service = "secretsmanager"
	// attempts is how often one request is sent at most.
	attempts = 3
	// attemptTimeout bounds one attempt of the default HTTP client.
	attemptTimeout = 2 * time.Second
	// firstPause bounds the random pause before the first repetition; it doubles each time.
	firstPause = 100 * time.Millisecond
	// maxAnswer is far above the largest secret, which has 64 KiB.
	maxAnswer = 256 << 10
)

// HTTPClient sends requests: *http.Client, for one.
type HTTPClient interface {
	Do(r *http.Request) (*http.Response, error)
}

// Config holds what Lambda puts into every function's environment, and an endpoint for tests.
type Config struct {
	// Region is where the client signs for; a secret in another region is asked for there.
	Region string `env:"AWS_REGION,required"`
	// AccessKeyID, SecretAccessKey and SessionToken are the role's credentials.
	AccessKeyID     string `env:"AWS_ACCESS_KEY_ID,required"`
	SecretAccessKey string `env:"AWS_SECRET_ACCESS_KEY,required"`
	SessionToken    string `env:"AWS_SESSION_TOKEN"`
	// Endpoint replaces the regional endpoint. Empty is AWS.
	Endpoint string `env:"AWS_ENDPOINT_URL_SECRETS_MANAGER"`
	// HTTPClient sends the requests. Nil is one of awshttp.
	HTTPClient HTTPClient
}

// Client implements secrets.Getter. It is safe for concurrent use.
type Client struct {
	cfg         Config
	credentials aws.Credentials
	signer      *v4.Signer
}

// New returns a client. It makes no request. It fails when region or credentials are missing, and
// for an endpoint that is no URL.
func New(cfg Config) (*Client, error) {
	if cfg.Region == "" || cfg.AccessKeyID == "" || cfg.SecretAccessKey == "" {
		return nil, errors.New("secretsaws: AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are needed")
	}
	if u, err := url.Parse(cfg.Endpoint); cfg.Endpoint != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return nil, errors.New("secretsaws: AWS_ENDPOINT_URL_SECRETS_MANAGER is no URL") // which may hold a password
	}
	if cfg.HTTPClient == nil {
		client, err := awshttp.NewClient(cfg.Endpoint, attemptTimeout)
		if err != nil {
			return nil, err
		}
		cfg.HTTPClient = client
	}
	return &Client{
		cfg: cfg,
		credentials: aws.Credentials{
			AccessKeyID: cfg.AccessKeyID, SecretAccessKey: cfg.SecretAccessKey, SessionToken: cfg.SessionToken,
		},
		signer: v4.NewSigner(),
	}, nil
}

// Get returns the current version of the secret. A busy service and a broken connection are tried
// again, twice. Its errors carry the service's code and request id.
func (c *Client) Get(ctx context.Context, arn string) ([]byte, error) {
	endpoint, region, err := c.place(arn)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(map[string]string{"SecretId": arn})
	if err != nil {
		return nil, fmt.Errorf("secretsaws: %w", err)
	}
	for attempt := 1; ; attempt++ {
		value, again, err := c.send(ctx, endpoint, region, body)
		if err == nil {
			return value, nil
		}
		if !again || attempt == attempts || !pause(ctx, firstPause<<(attempt-1)) {
			return nil, fmt.Errorf("secretsaws: %w", err)
		}
	}
}

// place returns where to ask for the secret, and which region to sign for.
func (c *Client) place(arn string) (endpoint, region string, err error) {
	if c.cfg.Endpoint != "" {
		return c.cfg.Endpoint, c.cfg.Region, nil
	}
	partition, region := "aws", c.cfg.Region
	if parts := strings.Split(arn, ":"); len(parts) > 3 && parts[3] != "" {
		partition, region = parts[1], parts[3]
	}
	domain, ok := map[string]string{
		"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu",
	}[partition]
	if !ok {
		return "", "", fmt.Errorf("secretsaws: the endpoint of partition %s is not known: set AWS_ENDPOINT_URL_SECRETS_MANAGER", partition)
	}
	return "https://" + service + "." + region + "." + domain, region, nil
}

// send makes one attempt. again says whether another one may succeed.
func (c *Client) send(ctx context.Context, endpoint, region string, body []byte) (value []byte, again bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, false, err
	}
	if request.URL.Path == "" {
		request.URL.Path = "/"
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", "secretsmanager.GetSecretValue")
	sum := sha256.Sum256(body)
	if err := c.signer.SignHTTP(ctx, c.credentials, request, hex.EncodeToString(sum[:]), service, region, time.Now()); err != nil {
		return nil, false, err
	}

	response, err := c.cfg.HTTPClient.Do(request)
	if err != nil {
		return nil, ctx.Err() == nil, err
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return nil, ctx.Err() == nil, err
	}
	if response.StatusCode != http.StatusOK {
		failed := refusal(response, answer)
		return nil, failed.transient, failed
	}
	value, err = decode(answer)
	return value, false, err
}

// decode reads the answer. Its errors do not quote it: it is the secret.
func decode(answer []byte) ([]byte, error) {
	var out struct {
		SecretString *string
		SecretBinary []byte
	}
	if json.Unmarshal(answer, &out) != nil {
		return nil, errors.New("the answer could not be read")
	}
	switch {
	case out.SecretString != nil:
		return []byte(*out.SecretString), nil
	case len(out.SecretBinary) > 0:
		return out.SecretBinary, nil
	default:
		return nil, errors.New("the secret has no value yet")
	}
}

// refused is an answer other than 200.
type refused struct {
	status                 int
	code, message, request string
	transient              bool
}

func (r *refused) Error() string {
	return fmt.Sprintf("GetSecretValue: %d %s: %s (request %s)", r.status, r.code, r.message, r.request)
}

func refusal(response *http.Response, answer []byte) *refused {
	r := &refused{status: response.StatusCode, request: response.Header.Get("X-Amzn-Requestid")}
	var problem struct {
		Type    string `json:"__type"`
		Message string // or message
	}
	if json.Unmarshal(answer, &problem) == nil {
		r.code, r.message = problem.Type[strings.LastIndexByte(problem.Type, '#')+1:], problem.Message
	}
	switch r.code {
	case "ThrottlingException", "Throttling", "TooManyRequestsException", "RequestTimeout", "RequestTimeoutException", "InternalServiceError":
		r.transient = true
	default:
		r.transient = r.status >= http.StatusInternalServerError || r.status == http.StatusTooManyRequests
	}
	return r
}

// pause waits up to bound before a repetition, and returns false when ctx ends.
func pause(ctx context.Context, bound time.Duration) bool {
	timer := time.NewTimer(rand.N(bound)) //nolint:gosec // G404: a pause is no secret
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
