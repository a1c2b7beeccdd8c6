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
		serving, err := served(root, port)
		if err != nil {
			return ddb.Config{}, err
		}
		endpoint = serving.dynamoDB
	}
	return ddb.Config{Config: localCredentials(), Endpoint: endpoint}, nil
}

// localCredentials are what DynamoDB Local and the local queues accept.
func localCredentials() awsclient.Config {
	return awsclient.Config{Region: "us-east-1", AccessKeyID: "local", SecretAccessKey: "local"}
}

// serving holds the URLs behind a running API. That of the queues may be empty.
type serving struct{ dynamoDB, queues string }

// served returns the URLs behind the API that runs on this machine on the port.
func served(root, port string) (serving, error) {
	text, err := os.ReadFile(servingPath(root, port))
	if errors.Is(err, fs.ErrNotExist) {
		return serving{}, fmt.Errorf("no API runs on port %s: start one with `make run`, or set PORT", port)
	}
	if err != nil {
		return serving{}, err
	}
	dynamoDB, queues, _ := strings.Cut(string(text), "\n")
	return serving{dynamoDB: dynamoDB, queues: strings.TrimSpace(queues)}, nil
}

// servingPath returns the file with the URLs behind the API that runs on the port, one on a line.
func servingPath(root, port string) string {
	return filepath.Join(root, ".cache", "serving", port)
}

// announce writes that file. It returns the function that removes it, unless another API has taken the port.
func announce(root, port string, urls serving) (func(), error) {
	path := servingPath(root, port)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	written := urls.dynamoDB + "\n" + urls.queues + "\n"
	if err := os.WriteFile(path, []byte(written), 0o600); err != nil {
		return nil, err
	}
	return func() {
		if text, err := os.ReadFile(path); err == nil && string(text) == written {
			_ = os.Remove(path)
		}
	}, nil
}

// portIn returns the port of a URL without a path.
func portIn(url string) string { return url[strings.LastIndexByte(url, ':')+1:] }
