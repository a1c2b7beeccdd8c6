package ddb

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tienda-dev/tienda/shared/awsclient"
)

// EnvEndpoint is the variable that names the table endpoint; empty is AWS.
const EnvEndpoint = "AWS_ENDPOINT_URL_DYNAMODB"

// maxAttempts is how often the SDK sends one request: the first and three more.
const maxAttempts = 4

// Config is the endpoint of DynamoDB and the caller. Lambda sets all of it except Endpoint.
type Config struct {
	awsclient.Config
	// Endpoint is an absolute http or https URL of another DynamoDB, such as DynamoDB Local. Empty
	// is the AWS endpoint of Region.
	Endpoint string `env:"AWS_ENDPOINT_URL_DYNAMODB"`
}

// Open returns a client for cfg, or an error that names every variable that is wrong. It sends
// nothing: Table.Warm does. The options come last and may replace any of its choices; one that a Client would not obey is an
// error. APIOptions may add middlewares of the step Initialize, which run before an input is validated. In a region whose
// endpoint is not known (ISO), the endpoint must be set.
//
// It reads neither files nor the environment. The SDK's config package, which does, links five
// more AWS clients.
func Open(cfg Config, options ...func(*dynamodb.Options)) (*Client, error) {
	var err error
	if cfg.Config, err = cfg.WithHTTP(); err != nil {
		return nil, err
	}
	if err := awsclient.CheckEndpoint(cfg.Endpoint); err != nil {
		return nil, fmt.Errorf("%s %w", EnvEndpoint, err)
	}
	o := dynamodb.Options{
		Region:      cfg.Region,
		Credentials: cfg.credentials(),
		HTTPClient:  cfg.HTTP,
		Retryer:     newRetryer(),
	}
	if cfg.Endpoint != "" {
		o.BaseEndpoint = aws.String(cfg.Endpoint)
	}
	for _, option := range options {
		option(&o)
	}
	c := newClient(o)
	if c.err != nil {
		return nil, c.err
	}
	return c, nil
}

func (c Config) credentials() aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{
			AccessKeyID:     c.AccessKeyID,
			SecretAccessKey: c.SecretAccessKey,
			SessionToken:    c.SessionToken,
			Source:          "environment",
		}, nil
	})
}

// newRetryer returns the SDK's standard retryer with two changes: it pauses for milliseconds before the first
// retry, where the SDK may pause for a second, and it retries when an answer breaks off or is not
// DynamoDB's, which the SDK does not.
func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxAttempts
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			return awsclient.Jitter(attempt - 1), nil
		})
		o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
			if brokeOff(err) {
				return aws.TrueTernary
			}
			return aws.UnknownTernary
		}))
	})
}
