package catalogddb

import (
	"fmt"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/money"
)

// The indexes that lists read.
const (
	byCategory = "GSI1"
	byStatus   = "GSI2"
)

// productRecord is a product's item. Times are in milliseconds since 1970.
type productRecord struct {
	PK     string `dynamodbav:"PK"`
	SK     string `dynamodbav:"SK"`
	GSI1PK string `dynamodbav:"GSI1PK"`
	GSI1SK string `dynamodbav:"GSI1SK"`
	GSI2PK string `dynamodbav:"GSI2PK"`
	GSI2SK string `dynamodbav:"GSI2SK"`

	ID          string            `dynamodbav:"id"`
	SKU         string            `dynamodbav:"sku"`
	Name        string            `dynamodbav:"name"`
	Description string            `dynamodbav:"description"`
	Category    string            `dynamodbav:"category"`
	Tags        []string          `dynamodbav:"tags"`
	Attributes  map[string]string `dynamodbav:"attributes"`
	Price       money.Money       `dynamodbav:"price"`
	Status      catalog.Status    `dynamodbav:"status"`
	Version     int64             `dynamodbav:"version"`
	CreatedAt   int64             `dynamodbav:"created_at"`
	UpdatedAt   int64             `dynamodbav:"updated_at"`

	// WordsVersion is the constant wordsVersion if exactly the product's own rows find it, or else less.
	WordsVersion int `dynamodbav:"words_version"`
	// StaleWords still have rows although the product no longer has them. An earlier release wrote them.
	StaleWords []string `dynamodbav:"stale_words,omitempty"`
}

func newProductRecord(p catalog.Product) productRecord {
	key, sortKey := productKey(p.ID), newestSortKey(p.CreatedAt, p.ID)
	return productRecord{
		PK: key.PK, SK: key.SK,
		GSI1PK: categoryPartition(p.Category, p.Status), GSI1SK: sortKey,
		GSI2PK: statusPartition(p.Status), GSI2SK: sortKey,

		ID:          p.ID,
		SKU:         p.SKU,
		Name:        p.Name,
		Description: p.Description,
		Category:    p.Category,
		Tags:        notNil(p.Tags),
		Attributes:  notNilMap(p.Attributes),
		Price:       p.Price,
		Status:      p.Status,
		Version:     p.Version,
		CreatedAt:   p.CreatedAt.UnixMilli(),
		UpdatedAt:   p.UpdatedAt.UnixMilli(),

		WordsVersion: wordsVersion,
	}
}

func (r productRecord) product() catalog.Product {
	return catalog.Product{
		ID:          r.ID,
		SKU:         r.SKU,
		Name:        r.Name,
		Description: r.Description,
		Category:    r.Category,
		Tags:        notNil(r.Tags),
		Attributes:  notNilMap(r.Attributes),
		Price:       r.Price,
		Status:      r.Status,
		Version:     r.Version,
		CreatedAt:   api.NewTime(ddb.FromMillis(r.CreatedAt)),
		UpdatedAt:   api.NewTime(ddb.FromMillis(r.UpdatedAt)),
	}
}

// productPrefix begins the partitions of products.
const productPrefix = "P#"

func productKey(id string) ddb.Key { return ddb.Key{PK: productPrefix + id, SK: "META"} }

func categoryPartition(category string, status catalog.Status) string {
	return "CAT#" + category + "#" + string(status)
}

func statusPartition(status catalog.Status) string { return "PST#" + string(status) }

// newestSortKey orders products by creation time, then by id.
func newestSortKey(createdAt api.Time, id string) string {
	return fmt.Sprintf("%015d#%s", createdAt.UnixMilli(), id)
}

func notNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func notNilMap(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}
