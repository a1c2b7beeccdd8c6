package contract_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/tests/contract"
)

func TestRolesReadTheSecretsOfTheirFunction(t *testing.T) {
	t.Parallel()
	resources, err := contract.ReadResources([]byte(read(t, "template.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	model := readTemplate(t)
	if len(model.Secrets) == 0 {
		t.Fatal("the template has no secret")
	}
	report(t, contract.Secrets(model, resources))
}

func TestRolesReachOnlyTheItemsOfTheirFunction(t *testing.T) {
	t.Parallel()
	resources, err := contract.ReadResources([]byte(read(t, "template.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	granted, err := contract.Grants(readTemplate(t), resources)
	if err != nil {
		t.Fatal(err)
	}
	if len(granted) == 0 {
		t.Fatal("no role allows anything")
	}
	report(t, contract.Guarded(granted))
	report(t, contract.Keyed(routes(), granted))
}

// A token that was revoked a moment ago must not change a password, roles or sessions, and must not hold stock or move money.
func TestRoutesThatMustBeStrictAre(t *testing.T) {
	t.Parallel()
	want := []string{
		"cancel-order", "capture-payment", "change-password", "create-order", "create-payment", "create-refund", "get-limits", "logout-all",
		"logout-user", "reset-limits", "revoke-session", "set-user-roles", "unlock-user", "void-payment",
	}
	var got []string
	for _, route := range routes() {
		if route.Revocation == identity.Strict {
			got = append(got, route.Name)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("strict routes (-want +got):\n%s", diff)
	}
}

func TestHashingIsReserved(t *testing.T) {
	t.Parallel()
	limited, err := template.ReadFile(filepath.Join(root, "template.yaml"), template.Options{
		Parameters: map[string]string{"HashingConcurrency": "3"},
	})
	if err != nil {
		t.Fatal(err)
	}
	report(t, contract.Hashing(functions(t), packages(t), readTemplate(t), limited, 3))
}
