package ddb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tienda-dev/tienda/shared/awshttp"
)

// EnvEndpoint is the variable that names the table endpoint; empty is AWS.
const EnvEndpoint = "AWS_ENDPOINT_URL_DYNAMODB"

const (
	// attemptTimeout bounds one attempt from dialling to the last byte of the answer. DynamoDB
	// answers within milliseconds; one that has taken this long is better asked again.
	attemptTimeout = 3 * time.Second
	// maxAttempts is how often the SDK sends one request: the first and three more.
	maxAttempts = 4
)

// Config says where DynamoDB is and who asks. Lambda sets all of it but Endpoint.
type Config struct {
	// Region is the AWS region ("eu-central-1").
	Region string `env:"AWS_REGION,required"`
	// AccessKeyID, SecretAccessKey and SessionToken are the credentials of the function's role.
	// Lambda keeps them valid for the life of the environment.
	AccessKeyID     string `env:"AWS_ACCESS_KEY_ID,required"`
	SecretAccessKey string `env:"AWS_SECRET_ACCESS_KEY,required"`
	SessionToken    string `env:"AWS_SESSION_TOKEN"`
	// Endpoint is an absolute http or https URL of another DynamoDB, such as DynamoDB Local. Empty
	// is the AWS endpoint of Region.
	Endpoint string `env:"AWS_ENDPOINT_URL_DYNAMODB"`
}

// Open returns a client for cfg, or an error that names every variable that is wrong. It sends
// nothing: Table.Warm does. The options come last and may replace any of its choices.
//
// It reads neither files nor the environment. The SDK's config package, which does, links five
// more AWS clients.
func Open(cfg Config, options ...func(*dynamodb.Options)) (*dynamodb.Client, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	client, err := awshttp.NewClient(cfg.Endpoint, attemptTimeout)
	if err != nil {
		return nil, err
	}

	o := dynamodb.Options{
		Region:      cfg.Region,
		Credentials: cfg.credentials(),
		HTTPClient:  client,
		Retryer:     newRetryer(),
	}
	if cfg.Endpoint != "" {
		o.BaseEndpoint = aws.String(cfg.Endpoint)
	}
	return dynamodb.New(o, options...), nil
}

func (c Config) validate() error {
	var wrong []error
	for _, v := range []struct{ name, value string }{
		{"AWS_REGION", c.Region},
		{"AWS_ACCESS_KEY_ID", c.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", c.SecretAccessKey},
	} {
		if v.value == "" {
			wrong = append(wrong, fmt.Errorf("%s is empty", v.name))
		}
	}
	if err := validateEndpoint(c.Endpoint); err != nil {
		wrong = append(wrong, fmt.Errorf("%s %w", EnvEndpoint, err))
	}
	return errors.Join(wrong...)
}

// validateEndpoint does not repeat the value: it may hold a password.
func validateEndpoint(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	if strings.Contains(endpoint, "{{resolve:") {
		return errors.New("is a CloudFormation reference that nothing has resolved")
	}
	u, err := url.Parse(endpoint)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return errors.New("must be an absolute http or https URL, or empty for AWS")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("must be a URL without user, query and fragment")
	}
	return nil
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

// newRetryer is the SDK's standard retry with two changes. Its first pause is up to a second long
// where DynamoDB needs milliseconds; and it gives up on an answer that broke off in its middle.
func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxAttempts
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			return jitter(attempt - 1), nil
		})
		o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
			if brokeOff(err) {
				return aws.TrueTernary
			}
			return aws.UnknownTernary
		}))
	})
}

// brokeOff reports that the connection ended in the middle of an answer.
func brokeOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
