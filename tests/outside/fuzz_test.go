//go:build outside

package outside_test

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/tests/suite"
)

// fuzzTime is more than schemathesis takes: about five minutes.
const fuzzTime = 15 * time.Minute

// TestSchemathesisFindsNoFault lets schemathesis make requests from openapi.yaml, right and wrong ones, and check the
// answers. schemathesis.toml says how many, and which of its findings are not faults.
func TestSchemathesisFindsNoFault(t *testing.T) {
	t.Parallel()
	client := suite.NewClient()
	t.Cleanup(client.CloseIdleConnections)
	person := suite.New(suite.Target{URL: shared.URL, Client: client}).Register(t)
	tokens := httptest.NewServer(mint(person.ID))
	t.Cleanup(tokens.Close)
	said := program(t, fuzzTime, ".", []string{"TOKENS=" + tokens.URL, "PYTHONDONTWRITEBYTECODE=1"},
		installed(t, "venv-schemathesis", "bin", "schemathesis"), "run", "../../openapi.yaml", "--url", shared.URL)
	t.Log(said)
}

// mint answers with a token for one request to the path in the query. The profile needs a registered user. Other
// requests have one user each, because a request may end all sessions of its user.
func mint(registered string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		subject := "fuzz-" + rand.Text()
		if r.FormValue("path") == "/v1/customers/me" {
			subject = registered
		}
		token, err := shared.Token(subject, "admin", "catalog", "fulfilment", "service", "support")
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = w.Write([]byte(token))
	})
}
