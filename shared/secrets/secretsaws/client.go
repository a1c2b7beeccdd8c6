// Package secretsaws reads secrets from AWS Secrets Manager. It is apart from package secrets so
// that a function which reads none does not link the client.
package secretsaws

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	"github.com/tienda-dev/tienda/shared/awshttp"
)

// attemptTimeout bounds one request to Secrets Manager.
const attemptTimeout = 2 * time.Second

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
	HTTPClient secretsmanager.HTTPClient
}

// Client implements secrets.Getter.
type Client struct {
	api      *secretsmanager.Client
	region   string
	endpoint string
}

// New returns a client. It makes no request. It fails when region or credentials are missing.
func New(cfg Config) (*Client, error) {
	if cfg.Region == "" || cfg.AccessKeyID == "" || cfg.SecretAccessKey == "" {
		return nil, errors.New("secretsaws: AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are needed")
	}
	credentials := aws.Credentials{
		AccessKeyID:     cfg.AccessKeyID,
		SecretAccessKey: cfg.SecretAccessKey,
		SessionToken:    cfg.SessionToken,
		Source:          "environment",
	}
	if cfg.HTTPClient == nil {
		client, err := awshttp.NewClient(cfg.Endpoint, attemptTimeout)
		if err != nil {
			return nil, err
		}
		cfg.HTTPClient = client
	}
	options := secretsmanager.Options{
		Region: cfg.Region,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return credentials, nil
		}),
		HTTPClient: cfg.HTTPClient,
	}
	if cfg.Endpoint != "" {
		options.BaseEndpoint = aws.String(cfg.Endpoint)
	}
	return &Client{api: secretsmanager.New(options), region: cfg.Region, endpoint: cfg.Endpoint}, nil
}

// Get returns the current version of the secret. Its errors carry the service's code and
// request id.
func (c *Client) Get(ctx context.Context, arn string) ([]byte, error) {
	out, err := c.api.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(arn)}, c.inRegionOf(arn))
	if broken := (*smithy.DeserializationError)(nil); errors.As(err, &broken) {
		// Its chain holds a snapshot of the answer, which is the secret.
		return nil, errors.New("secretsaws: the answer could not be read")
	}
	if err != nil {
		return nil, fmt.Errorf("secretsaws: %w", err)
	}
	if out.SecretString != nil {
		return []byte(*out.SecretString), nil
	}
	if len(out.SecretBinary) > 0 {
		return out.SecretBinary, nil
	}
	return nil, errors.New("secretsaws: the secret has no value yet")
}

func (c *Client) inRegionOf(arn string) func(*secretsmanager.Options) {
	return func(o *secretsmanager.Options) {
		if parts := strings.Split(arn, ":"); c.endpoint == "" && len(parts) > 3 && parts[3] != "" {
			o.Region = parts[3]
		}
	}
}
