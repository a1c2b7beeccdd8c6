// Package prices joins the catalogue to the prices, for the mains that make a price.
package prices

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogddb"
	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/functions/pricing/pricingddb"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// Service returns the service that prices the products of the table; now is the clock.
func Service(table *ddb.Table, now func() time.Time) *pricing.Service {
	return pricing.NewService(pricingddb.New(table), Products{catalogddb.New(table)}, now)
}

// Products is the catalogue as the prices see it.
type Products struct {
	// Catalog reads products by their SKUs.
	Catalog interface {
		BySKU(ctx context.Context, skus []string) (map[string]catalog.Product, error)
	}
}

var _ pricing.Products = Products{}

// Products implements pricing.Products.
func (p Products) Products(ctx context.Context, skus []string) (map[string]pricing.Product, error) {
	found, err := p.Catalog.BySKU(ctx, skus)
	if err != nil {
		return nil, err
	}
	products := make(map[string]pricing.Product, len(found))
	for sku, product := range found {
		products[sku] = pricing.Product{
			ID: product.ID, SKU: product.SKU, Name: product.Name, Price: product.Price,
			TaxClass: product.Attributes[pricing.AttributeTaxClass], Version: product.Version, ForSale: product.Status == catalog.Active,
		}
	}
	return products, nil
}
