// Package secretsaws reads secrets from AWS Secrets Manager. It is apart from package secrets so
// that a function which reads none does not link it.
package secretsaws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/awsjson"
)

// attemptTimeout bounds one attempt, so that INIT has time for another.
const attemptTimeout = 2 * time.Second

// Config holds what Lambda puts into every function's environment, and an endpoint for tests.
type Config struct {
	awsclient.Config
	// Endpoint replaces the regional endpoint. Empty is AWS.
	Endpoint string `env:"AWS_ENDPOINT_URL_SECRETS_MANAGER"`
}

// Client implements secrets.Getter. It is safe for concurrent use.
type Client struct {
	cfg  awsjson.Config
	home *awsjson.Client // of the configured region
}

// New returns a client. It makes no request. It fails when region or credentials are missing, and
// for an endpoint that is not a URL.
func New(cfg Config) (*Client, error) {
	var err error
	if cfg.Config, err = cfg.WithHTTP(); err != nil {
		return nil, fmt.Errorf("secretsaws: %w", err)
	}
	c := &Client{cfg: awsjson.Config{
		Config: cfg.Config, Service: "secretsmanager", Version: "1.1", Endpoint: cfg.Endpoint, Timeout: attemptTimeout,
	}}
	if c.home, err = awsjson.New(c.cfg); err != nil {
		return nil, fmt.Errorf("secretsaws: %w", err)
	}
	return c, nil
}

// Get returns the current version of the secret. It retries a busy service and a broken
// connection. Its errors carry the service's code and request id.
func (c *Client) Get(ctx context.Context, arn string) ([]byte, error) {
	client, err := c.in(arn)
	if err != nil {
		return nil, fmt.Errorf("secretsaws: %w", err)
	}
	body, err := json.Marshal(map[string]string{"SecretId": arn})
	if err != nil {
		return nil, fmt.Errorf("secretsaws: %w", err)
	}
	answer, err := client.Call(ctx, "secretsmanager.GetSecretValue", body)
	if failed, ok := errors.AsType[*awsjson.Error](err); ok && failed.Message != "" {
		return nil, fmt.Errorf("secretsaws: %w: %s", err, failed.Message) // it names the secret, at most
	}
	if err != nil {
		return nil, fmt.Errorf("secretsaws: %w", err)
	}
	return decode(answer)
}

// in returns a client for the region that the ARN names.
func (c *Client) in(arn string) (*awsjson.Client, error) {
	parts := strings.Split(arn, ":")
	if c.cfg.Endpoint != "" || len(parts) < 4 || parts[3] == "" || parts[3] == c.cfg.Region {
		return c.home, nil
	}
	there := c.cfg
	there.Region = parts[3]
	return awsjson.New(there)
}

// decode reads the answer. Its errors do not quote it: it is the secret.
func decode(answer []byte) ([]byte, error) {
	var out struct {
		SecretString *string
		SecretBinary []byte
	}
	if json.Unmarshal(answer, &out) != nil {
		return nil, errors.New("secretsaws: the answer could not be read")
	}
	switch {
	case out.SecretString != nil:
		return []byte(*out.SecretString), nil
	case len(out.SecretBinary) > 0:
		return out.SecretBinary, nil
	default:
		return nil, errors.New("secretsaws: the secret has no value yet")
	}
}
