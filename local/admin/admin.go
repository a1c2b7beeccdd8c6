// Package admin makes the first admin, because no other admin exists who could. It gives the role to a
// registered user without the API, with access to the table and to the key of identifiers. It works on a
// local run and on AWS.
package admin

import (
	"context"
	"errors"
	"fmt"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/functions/auth/authddb"
	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/secrets"
	"github.com/tienda-dev/tienda/shared/secrets/secretsaws"
)

// role is the role that Grant gives.
const role = "admin"

// The variables with the table and the key, as functions have them.
const (
	EnvTable = "AUTH_TABLE"
	EnvKey   = "IDENTIFIER_KEY_SECRET"
)

// Config names the table and the key.
type Config struct {
	// Table is the name of the auth table.
	Table string
	// Key is the source of the key of identifiers: an ARN of Secrets Manager, file:/path, or its JSON.
	Key string
	// DynamoDB is the table's endpoint and the credentials for both.
	DynamoDB ddb.Config
}

// FromEnvironment reads the variables of the functions on AWS and those of the AWS CLI.
func FromEnvironment(getenv func(string) string) Config {
	return Config{Table: getenv(EnvTable), Key: getenv(EnvKey), DynamoDB: AWS(getenv)}
}

// AWS returns the DynamoDB and credentials that the variables of the AWS CLI name.
func AWS(getenv func(string) string) ddb.Config {
	return ddb.Config{
		Config: awsclient.Config{
			Region:          getenv("AWS_REGION"),
			AccessKeyID:     getenv("AWS_ACCESS_KEY_ID"),
			SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"),
			SessionToken:    getenv("AWS_SESSION_TOKEN"),
		},
		Endpoint: getenv(ddb.EnvEndpoint),
	}
}

// Grant makes an admin of the user with the e-mail address and returns the user. Doing it again
// changes nothing. The user's access tokens stop working; a refresh returns one with the role.
func Grant(ctx context.Context, cfg Config, email string) (auth.User, error) {
	if cfg.Table == "" {
		return auth.User{}, errors.New(EnvTable + " is required")
	}
	key, err := readKey(ctx, cfg)
	if err != nil {
		return auth.User{}, err
	}
	client, err := ddb.Open(cfg.DynamoDB)
	if err != nil {
		return auth.User{}, err
	}
	store := authddb.New(ddb.NewTable(client, cfg.Table), nil)
	id, err := store.Find(ctx, auth.Identifier(key, email))
	if errors.Is(err, auth.ErrUserNotFound) {
		return auth.User{}, fmt.Errorf("no user has the address %s: register it first with POST /v1/auth/register", email)
	}
	if err != nil {
		return auth.User{}, err
	}
	return auth.NewAdministrator(store).Grant(ctx, id, role)
}

func readKey(ctx context.Context, cfg Config) ([]byte, error) {
	source, err := secrets.ParseSource(EnvKey, cfg.Key)
	if err != nil {
		return nil, err
	}
	client, err := secretsaws.New(secretsaws.Config{Config: cfg.DynamoDB.Config})
	if err != nil {
		return nil, err
	}
	secret, err := secrets.Open(ctx, source, client, auth.ParseIdentifierKey, secrets.Config{})
	if err != nil {
		return nil, err
	}
	return secret.Get(ctx), nil
}
