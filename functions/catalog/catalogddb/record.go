package catalogddb

import (
	"fmt"
	"hash/fnv"
	"time"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/money"
)

const (
	byCategory = "GSI1"
	byStatus   = "GSI2"
	// shards is how many partitions share the products of one status. A new number needs every
	// product written again.
	shards = 4
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
}

func newProductRecord(p catalog.Product) productRecord {
	place := newestSortKey(p.CreatedAt, p.ID)
	key := productKey(p.ID)
	return productRecord{
		PK: key.PK, SK: key.SK,
		GSI1PK: categoryPartition(p.Category, p.Status), GSI1SK: place,
		GSI2PK: statusPartition(p.Status, shard(p.ID)), GSI2SK: place,

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
		CreatedAt:   ddb.FromMillis(r.CreatedAt),
		UpdatedAt:   ddb.FromMillis(r.UpdatedAt),
	}
}

func productKey(id string) ddb.Key { return ddb.Key{PK: "P#" + id, SK: "META"} }

func categoryPartition(category string, status catalog.Status) string {
	return "CAT#" + category + "#" + string(status)
}

func statusPartition(status catalog.Status, shard uint32) string {
	return fmt.Sprintf("PST#%s#%d", status, shard)
}

// newestSortKey orders products by age: its order is that of the times, then of the ids.
func newestSortKey(createdAt time.Time, id string) string {
	return fmt.Sprintf("%015d#%s", createdAt.UnixMilli(), id)
}

func shard(id string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	return h.Sum32() % shards
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
