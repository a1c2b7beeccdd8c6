package sam

import (
	"context"
	"errors"
	"time"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/functions/auth/authddb"
	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogddb"
	"github.com/tienda-dev/tienda/functions/customers/customersddb"
	"github.com/tienda-dev/tienda/functions/pricing/pricingddb"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/password"
)

const (
	// givenProduct is the product in the sample events. The API chooses ids itself, so the product is
	// written to the store.
	givenProduct = "01JD7Q9W2V5K8N3M6P4R1S0T9X"
	givenStock   = 12
	// givenUser is the subject of the sample events.
	givenUser = "01JD7PZC3H8Y5E2A9B6D4F7G0K"
)

// givenAt is the time at which everything given was created.
func givenAt() time.Time { return time.Date(2026, time.November, 24, 20, 0, 0, 0, time.UTC) }

// given writes the items that the sample events need. Items that exist are kept.
func given(ctx context.Context, endpoint string, identifierKey []byte, name func(logicalID string) string) error {
	client, err := ddb.Open(ddb.Config{Config: awsclient.Config{Region: region, AccessKeyID: "local", SecretAccessKey: "local"}, Endpoint: endpoint})
	if err != nil {
		return err
	}
	commerce := ddb.NewTable(client, name("CommerceTable"))
	if err := givenPerson(ctx, authddb.New(ddb.NewTable(client, name("AuthTable")), customersddb.New(commerce)), identifierKey); err != nil {
		return err
	}
	if err := givenPrices(ctx, pricingddb.New(commerce)); err != nil {
		return err
	}
	if err := givenCup(ctx, catalogddb.New(commerce)); err != nil {
		return err
	}
	if err := givenOrders(ctx, commerce); err != nil {
		return err
	}
	return givenShipments(ctx, commerce)
}

// givenCup writes the product with its stock.
func givenCup(ctx context.Context, store *catalogddb.Store) error {
	if _, err := store.Get(ctx, givenProduct); !errors.Is(err, catalog.ErrNotFound) {
		return err
	}
	at := api.NewTime(givenAt())
	err := store.Create(ctx, catalog.Product{
		ID: givenProduct, SKU: "CUP-ESP-RED", Name: "Espresso cup, red", Description: "Stoneware, 80 ml.",
		Category: "kitchen", Tags: []string{"cup", "stoneware"},
		Attributes: map[string]string{"colour": "red", "volume_ml": "80"},
		Price:      eur(1290), Status: catalog.Active, Version: 1, CreatedAt: at, UpdatedAt: at,
	})
	if err != nil {
		return err
	}
	return store.Adjust(ctx, idempotency.Record{}, catalog.Adjustment{
		ID: "01JD7Q9W2V5K8N3M6P4R1S0T9Y", ProductID: givenProduct, SKU: "CUP-ESP-RED", Delta: givenStock, Reason: "sample stock", CreatedAt: at,
	})
}

// givenPerson registers the user of the tokens in the sample events.
func givenPerson(ctx context.Context, store *authddb.Store, identifierKey []byte) error {
	hash, err := password.Default().Hash(ctx, "correct horse battery staple")
	if err != nil {
		return err
	}
	const email = "maria@shop.example"
	err = store.Register(ctx, auth.Registration{
		Credentials: auth.Credentials{
			User: auth.User{
				ID: givenUser, Identifier: auth.Identifier(identifierKey, email),
				Roles: []string{"customer"}, AuthzVersion: 1, CreatedAt: givenAt(),
			},
			PasswordHash: hash, PasswordChangedAt: givenAt(),
		},
		Email: email, Name: "María López",
	})
	if errors.Is(err, auth.ErrEmailExists) {
		return nil
	}
	return err
}
