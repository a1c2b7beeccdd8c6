package prices_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogtest"
	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/functions/pricing/pricingtest"
	"github.com/tienda-dev/tienda/internal/prices"
)

func TestProducts(t *testing.T) {
	t.Parallel()
	store := catalogtest.NewMemory()
	want := map[string]pricing.Product{}
	for sku, change := range map[string]func(*catalog.Product){
		"PLAIN":    func(*catalog.Product) {},
		"BOOK":     func(p *catalog.Product) { p.Attributes = map[string]string{"tax_class": "books"} },
		"DRAFT":    func(p *catalog.Product) { p.Status = catalog.Draft },
		"ARCHIVED": func(p *catalog.Product) { p.Status = catalog.Archived },
	} {
		p := catalogtest.NewProduct(func(p *catalog.Product) { p.SKU, p.Version = sku, 7 }, change)
		if err := store.Create(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		want[sku] = pricing.Product{ID: p.ID, SKU: sku, Name: p.Name, Price: p.Price, Version: 7, ForSale: sku == "PLAIN" || sku == "BOOK"}
	}
	book := want["BOOK"]
	book.TaxClass = "books"
	want["BOOK"] = book

	products := prices.Products{Catalog: store}
	got, err := products.Products(t.Context(), []string{"PLAIN", "BOOK", "DRAFT", "ARCHIVED", "NONE"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("products (-want +got):\n%s", diff)
	}

	service := pricing.NewService(pricingtest.NewMemory(), products, time.Now)
	q, err := service.Price(t.Context(), pricing.Request{
		Customer: "c", Lines: []pricing.Item{{SKU: "PLAIN", Quantity: 2}}, ShipTo: pricingtest.Address("ES"),
	})
	if err != nil || q.Total != pricingtest.EUR(2500) {
		t.Errorf("got %+v, %v; want two pieces of 12.50", q.Total, err)
	}
}
