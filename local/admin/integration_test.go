//go:build integration

package admin_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/functions/auth/authddb"
	"github.com/tienda-dev/tienda/functions/auth/authtest"
	"github.com/tienda-dev/tienda/functions/customers/customersddb"
	"github.com/tienda-dev/tienda/local/admin"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
)

func TestGrant(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	key := strings.Repeat("k", auth.MinIdentifierKey)
	store := authddb.New(table, customersddb.New(table))
	r := authtest.NewRegistration()
	r.User.Identifier = auth.Identifier([]byte(key), "maria!#$%&'*+-/=?^_`{|}~@shop.example")
	if err := store.Register(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	cfg := admin.Config{Table: table.Name(), Key: `{"key":"` + key + `"}`, DynamoDB: ddbtest.Config(t)}
	for range 2 {
		got, err := admin.Grant(t.Context(), cfg, "Maria!#$%&'*+-/=?^_`{|}~@Shop.example")
		if err != nil || got.ID != r.User.ID || !cmp.Equal(got.Roles, []string{"admin", "customer"}) || got.AuthzVersion != 2 {
			t.Errorf("Grant: %+v, %v", got, err)
		}
	}
	if stored, err := store.User(t.Context(), r.User.ID); err != nil || !cmp.Equal(stored.Roles, []string{"admin", "customer"}) {
		t.Errorf("stored %+v, %v", stored, err)
	}
	if _, err := admin.Grant(t.Context(), cfg, "nobody@shop.example"); err == nil || !strings.Contains(err.Error(), "no user has the address") {
		t.Errorf("Grant to an unknown address: %v", err)
	}
}
