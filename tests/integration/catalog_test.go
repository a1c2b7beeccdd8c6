//go:build integration

package integration_test

import (
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/tests/suite"
)

// unsettledProducts changes products that search does not know, as one that an earlier release wrote: the change
// writes their rows first.
func unsettledProducts(t *testing.T) {
	c := suite.New(target(t, shared))
	client, err := ddb.Open(ddb.Config{
		Config:   awsclient.Config{Region: "eu-central-1", AccessKeyID: "local", SecretAccessKey: "local"},
		Endpoint: shared.Endpoint,
	})
	if err != nil {
		t.Fatal(err)
	}
	table := ddb.NewTable(client, shared.Tables["CommerceTable"])
	for name, status := range map[string]int{"Patched": http.StatusOK, "Archived": http.StatusNoContent} {
		p := c.Create(t, suite.NewProduct())
		forget := expression.Remove(expression.Name("words_version")).Set(expression.Name("name"), expression.Value("Unknown to search"))
		if err := ddb.Commit(t.Context(), client, table.Update(ddb.Key{PK: "P#" + p.ID, SK: "META"}, forget).If(ddb.Present(), ddb.ErrUnavailable)); err != nil {
			t.Fatal(err)
		}
		change := c.Patching(t, p, suite.Document{"name": "Renamed"}.String())
		if name == "Archived" {
			change = suite.Request{Method: http.MethodDelete, Path: "/v1/products/" + p.ID, Token: change.Token}
		}
		if a := c.Do(t, change); a.Status != status {
			t.Errorf("%s: got %d %s, want %d", name, a.Status, a.Body, status)
		}
	}
}
