//go:build integration

package integration_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/tests/suite"
)

func TestTokenCommandMintsWhatTheAPIAccepts(t *testing.T) {
	t.Parallel()
	run := command(t, nil, "token", "-role", "catalog,fulfilment", "-subject", "me")
	if code := run.wait(t, 10*time.Second); code != 0 {
		t.Fatalf("exit code %d: %s", code, run.stderr.Bytes())
	}
	c := suite.New(target(t, shared))
	p := c.Create(t, suite.NewProduct())
	token := strings.TrimSpace(string(run.stdout.Bytes()))
	if a := c.Do(t, suite.Request{Method: http.MethodGet, Path: "/v1/products/" + p.ID + "/inventory", Token: token}); a.Status != http.StatusOK {
		t.Errorf("got %d %s", a.Status, a.Body)
	}
}

// TestAdminCommand makes the first admin of an API that runs, as `make admin` does.
func TestAdminCommand(t *testing.T) {
	t.Parallel()
	served := command(t, nil)
	url := served.url(t)
	client := suite.NewClient()
	t.Cleanup(client.CloseIdleConnections)
	c := suite.New(suite.Target{URL: url, Client: client, Token: tokens(shared)})
	p := c.Register(t)
	pair := c.Login(t, p)
	roles := suite.Request{Method: http.MethodPut, Path: "/v1/users/" + p.ID + "/roles", Token: pair.Access, Body: `{"roles":["admin","support"]}`}
	if a := c.Do(t, roles); a.Status != http.StatusForbidden {
		t.Errorf("a customer: got %d %s", a.Status, a.Body)
	}

	port := url[strings.LastIndexByte(url, ':')+1:]
	for _, endpoint := range []string{"", shared.Endpoint} { // by the API's own word, and by the variable
		run := command(t, map[string]string{"PORT": port, "DYNAMODB_ENDPOINT": endpoint}, "admin", "-email", strings.ToUpper(p.Email))
		if code := run.wait(t, 10*time.Second); code != 0 || !strings.Contains(string(run.stdout.Bytes()), "admin customer") {
			t.Fatalf("exit code %d: %s%s", code, run.stdout.Bytes(), run.stderr.Bytes())
		}
	}
	if a := c.Do(t, roles); a.Code() != "token_revoked" {
		t.Errorf("with a token from before: got %d %s", a.Status, a.Body)
	}
	roles.Token = c.Login(t, p).Access
	if a := c.Do(t, roles); a.Status != http.StatusOK {
		t.Errorf("the admin: got %d %s", a.Status, a.Body)
	}

	run := command(t, map[string]string{"PORT": port}, "admin", "-email", "nobody@shop.example")
	if code := run.wait(t, 10*time.Second); code != 1 || !strings.Contains(string(run.stderr.Bytes()), "no user has the address") {
		t.Errorf("exit code %d: %s", code, run.stderr.Bytes())
	}
}

// TestReindexCommand makes a product one of an earlier release and lets search find it again, as `make reindex` does.
// It has a DynamoDB of its own, because the command settles the products of all who use the table.
func TestReindexCommand(t *testing.T) {
	t.Parallel()
	served := command(t, map[string]string{"DYNAMODB_ENDPOINT": ""})
	url := served.url(t)
	client := suite.NewClient()
	t.Cleanup(client.CloseIdleConnections)
	c := suite.New(suite.Target{URL: url, Client: client, Token: tokens(shared)})
	p := c.Create(t, suite.NewProduct())
	search := func(want string) {
		t.Helper()
		a := c.Do(t, suite.Request{Method: http.MethodGet, Path: "/v1/products/search?q=" + p.SKU})
		if got := strings.Contains(string(a.Body), p.ID); got != (want == "found") {
			t.Errorf("the product is found: %t, want it %s: %d %s", got, want, a.Status, a.Body)
		}
	}
	search("found")

	port := url[strings.LastIndexByte(url, ':')+1:]
	text, err := os.ReadFile(filepath.Join(root, ".cache", "serving", port))
	if err != nil {
		t.Fatal(err)
	}
	endpoint, _, _ := strings.Cut(string(text), "\n")
	db, err := ddb.Open(ddb.Config{
		Config:   awsclient.Config{Region: "us-east-1", AccessKeyID: "local", SecretAccessKey: "local"},
		Endpoint: endpoint,
	})
	if err != nil {
		t.Fatal(err)
	}
	table := ddb.NewTable(db, "CommerceTable")
	rows, err := db.SDK().Scan(t.Context(), &dynamodb.ScanInput{TableName: new(table.Name())})
	if err != nil {
		t.Fatal(err)
	}
	aged := []ddb.Write{table.Update(ddb.Key{PK: "P#" + p.ID, SK: "META"}, expression.Remove(expression.Name("words_version")))}
	for _, item := range rows.Items {
		key, _ := ddb.KeyOf(item)
		if strings.HasSuffix(key.SK, "#"+p.ID) && !strings.HasPrefix(key.PK, "STK#") {
			aged = append(aged, table.Delete(key))
		}
	}
	if err := ddb.Commit(t.Context(), db, aged...); err != nil {
		t.Fatal(err)
	}
	search("missing")

	run := command(t, map[string]string{"PORT": port, "DYNAMODB_ENDPOINT": ""}, "reindex")
	if code := run.wait(t, 10*time.Second); code != 0 || !strings.Contains(string(run.stdout.Bytes()), "finds again: 1;") {
		t.Fatalf("exit code %d: %s%s", code, run.stdout.Bytes(), run.stderr.Bytes())
	}
	search("found")
}
