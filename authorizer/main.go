// Command authorizer is the Lambda authorizer of the HTTP API: it checks the bearer token of a
// request and tells the function behind the route who is calling.
package main

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/authorizer"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/secrets"
	"github.com/tienda-dev/tienda/shared/secrets/secretsaws"
)

type config struct {
	// Keys says where the token keys are: an ARN of Secrets Manager, file:/path, or their JSON.
	Keys string `env:"TOKEN_KEYS_SECRET,required,notEmpty"`

	AWS        secretsaws.Config
	Tokens     jwt.Config
	Authorizer authorizer.Config
}

type (
	request = events.APIGatewayV2CustomAuthorizerV2Request
	answer  = events.APIGatewayV2CustomAuthorizerSimpleResponse
)

func main() { app.Func(build) }

func build(ctx context.Context, s *app.Setup) (func(context.Context, request) (answer, error), error) {
	var cfg config
	if err := s.Env(&cfg); err != nil {
		return nil, err
	}
	source, err := secrets.ParseSource("TOKEN_KEYS_SECRET", cfg.Keys)
	if err != nil {
		return nil, err
	}
	client, err := secretsaws.New(cfg.AWS)
	if err != nil {
		return nil, err
	}
	newVerifier := func(secret []byte) (*jwt.Verifier, error) {
		keys, err := jwt.ParseKeys(secret)
		if err != nil {
			return nil, err
		}
		return jwt.NewVerifier(cfg.Tokens, keys, time.Now)
	}
	verifier, err := secrets.Open(ctx, source, client, newVerifier, secrets.Config{})
	if err != nil {
		return nil, err
	}
	verify := func(ctx context.Context, token string) (identity.Identity, error) {
		return verifier.Get(ctx).Verify(token)
	}
	a, err := authorizer.New(authorizer.VerifierFunc(verify), cfg.Authorizer)
	if err != nil {
		return nil, err
	}
	return a.Authorize, nil
}
