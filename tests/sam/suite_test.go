//go:build sam

package sam_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/local/token"
	"github.com/tienda-dev/tienda/tests/sam/differences"
	"github.com/tienda-dev/tienda/tests/suite"
	"github.com/tienda-dev/tienda/tests/suite/conform"
)

// TestSuite runs the suite of tests/integration against sam local. differences.yaml lists the different
// answers; a difference that is not listed fails, and so does one that no longer exists.
func TestSuite(t *testing.T) {
	t.Parallel()
	known, err := differences.Read("differences.yaml")
	if err != nil {
		t.Fatal(err)
	}
	document, err := conform.Read(filepath.Join(root, "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	client := suite.NewClient()
	client.Transport = known.Transport(client.Transport, routes())
	t.Cleanup(client.CloseIdleConnections)

	t.Run("AsBehindTheLocalGateway", func(t *testing.T) {
		suite.Run(t, suite.Target{URL: shared.api.URL, Client: client, Token: tokens, Secret: secretOf, Document: document})
	})
	if err := known.Err(); err != nil {
		t.Errorf("differences.yaml does not match sam local:\n%v", err)
	}
}

// tokens mints with the keys of this machine, which the authorizer in its container has too.
func tokens(issued time.Time, subject string, roles ...string) (string, error) {
	return token.Mint(shared.cli.Template(), filepath.Join(root, ".cache"), subject, roles, func() time.Time { return issued })
}

// secretOf reads a secret of this machine, which the functions in their containers have too.
func secretOf(name string) ([]byte, error) {
	return os.ReadFile(token.Path(filepath.Join(root, ".cache"), name))
}

// routes returns the keys of the API's routes.
func routes() []string {
	var keys []string
	for _, f := range shared.cli.Template().Functions {
		for _, r := range f.Routes {
			keys = append(keys, r.Key())
		}
	}
	return keys
}
