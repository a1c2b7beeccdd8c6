package sam

import (
	"context"
	"errors"
	"time"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogddb"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/money"
)

const (
	// givenProduct is the product that the sample events name. The API chooses ids itself, so the
	// product is put into its store.
	givenProduct = "01JD7Q9W2V5K8N3M6P4R1S0T9X"
	givenStock   = 12
)

// given puts what the sample events ask for into the tables. What is there is left alone.
func given(ctx context.Context, endpoint string, name func(logicalID string) string) error {
	client, err := ddb.Open(ddb.Config{Region: region, AccessKeyID: "local", SecretAccessKey: "local", Endpoint: endpoint})
	if err != nil {
		return err
	}
	store := catalogddb.New(ddb.NewTable(client, name("CommerceTable")))

	price, err := money.New(1290, "EUR")
	if err != nil {
		return err
	}
	at := time.Date(2026, time.November, 24, 20, 0, 0, 0, time.UTC)
	err = store.Create(ctx, catalog.Product{
		ID: givenProduct, SKU: "CUP-ESP-RED", Name: "Espresso cup, red", Description: "Stoneware, 80 ml.",
		Category: "kitchen", Tags: []string{"cup", "stoneware"},
		Attributes: map[string]string{"colour": "red", "volume_ml": "80"},
		Price:      price, Status: catalog.Active, Version: 1, CreatedAt: at, UpdatedAt: at,
	})
	if errors.Is(err, catalog.ErrSKUExists) {
		return nil
	}
	if err != nil {
		return err
	}
	_, _, err = store.Adjust(ctx, catalog.AdjustmentKey{Principal: "sample", Key: "sample"}, catalog.Adjustment{
		ID: "01JD7Q9W2V5K8N3M6P4R1S0T9Y", ProductID: givenProduct, Delta: givenStock, Reason: "sample stock", CreatedAt: at,
	})
	return err
}
