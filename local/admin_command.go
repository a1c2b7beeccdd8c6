package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tienda-dev/tienda/local/admin"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/local/token"
	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// The logical ids of the users' table and secret.
const (
	authTable     = "AuthTable"
	identifierKey = "IdentifierKeySecret"
)

// grant makes an admin of a registered user: of the API that runs on this machine on the port, or on AWS
// if the environment names a table.
func grant(ctx context.Context, opts stack.Options, getenv func(string) string, port, email string, out io.Writer) error {
	if email == "" {
		return errors.New("EMAIL is required: the address of a registered user, as in make admin EMAIL=maria@shop.example")
	}
	cfg := admin.FromEnvironment(getenv)
	if cfg.Table == "" {
		var err error
		if cfg, err = localUsers(opts, getenv, port); err != nil {
			return err
		}
	}
	user, err := admin.Grant(ctx, cfg, email)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s has the roles %s from the next access token on: refresh, or log in again. (User %s.)\n",
		email, strings.Join(user.Roles, " "), user.ID)
	return err
}

// localUsers returns the table and key of the API that runs on this machine on the port.
func localUsers(opts stack.Options, getenv func(string) string, port string) (admin.Config, error) {
	root, err := filepath.Abs(opts.Root)
	if err != nil {
		return admin.Config{}, err
	}
	db, err := localDynamoDB(root, getenv, port)
	if err != nil {
		return admin.Config{}, err
	}
	return admin.Config{Table: authTable, Key: "file:" + token.Path(filepath.Join(root, ".cache"), identifierKey), DynamoDB: db}, nil
}

// localDynamoDB returns the DynamoDB of the API that runs on this machine on the port.
func localDynamoDB(root string, getenv func(string) string, port string) (ddb.Config, error) {
	endpoint := getenv("DYNAMODB_ENDPOINT")
	if endpoint == "" {
		text, err := os.ReadFile(servingPath(root, port))
		if errors.Is(err, fs.ErrNotExist) {
			return ddb.Config{}, fmt.Errorf("no API runs on port %s: start one with `make run`, or set PORT", port)
		}
		if err != nil {
			return ddb.Config{}, err
		}
		endpoint = strings.TrimSpace(string(text))
	}
	return ddb.Config{
		Config:   awsclient.Config{Region: "us-east-1", AccessKeyID: "local", SecretAccessKey: "local"},
		Endpoint: endpoint,
	}, nil
}

// servingPath returns the file with the DynamoDB endpoint of the API that runs on the port.
func servingPath(root, port string) string {
	return filepath.Join(root, ".cache", "serving", port)
}

// announce writes that file. It returns the function that removes it, unless another API has taken the port.
func announce(root, port, endpoint string) (func(), error) {
	path := servingPath(root, port)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(path, []byte(endpoint+"\n"), 0o600); err != nil {
		return nil, err
	}
	return func() {
		if text, err := os.ReadFile(path); err == nil && strings.TrimSpace(string(text)) == endpoint {
			_ = os.Remove(path)
		}
	}, nil
}

// portIn returns the port of a URL without a path.
func portIn(url string) string { return url[strings.LastIndexByte(url, ':')+1:] }
