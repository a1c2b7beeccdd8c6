package pricingddb

import (
	"context"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// rulesRecord is the rules' item. UpdatedAt is in milliseconds since 1970.
type rulesRecord struct {
	PK        string                 `dynamodbav:"PK"`
	SK        string                 `dynamodbav:"SK"`
	Tax       []pricing.TaxRate      `dynamodbav:"tax"`
	Shipping  []pricing.ShippingRate `dynamodbav:"shipping"`
	Version   int64                  `dynamodbav:"version"`
	UpdatedAt int64                  `dynamodbav:"updated_at"`
}

func rulesKey() ddb.Key { return ddb.Key{PK: "RULES", SK: "META"} }

func newRulesRecord(r pricing.Rules) rulesRecord {
	key := rulesKey()
	record := rulesRecord{PK: key.PK, SK: key.SK, Tax: r.Tax, Shipping: r.Shipping, Version: r.Version}
	if r.UpdatedAt != nil {
		record.UpdatedAt = r.UpdatedAt.UnixMilli()
	}
	return record
}

func (r rulesRecord) rules() pricing.Rules {
	updated := api.NewTime(ddb.FromMillis(r.UpdatedAt))
	rules := pricing.Rules{Tax: r.Tax, Shipping: r.Shipping, Version: r.Version, UpdatedAt: &updated}
	if rules.Tax == nil {
		rules.Tax = []pricing.TaxRate{}
	}
	if rules.Shipping == nil {
		rules.Shipping = []pricing.ShippingRate{}
	}
	for i := range rules.Shipping {
		if rules.Shipping[i].Countries == nil {
			rules.Shipping[i].Countries = []string{}
		}
	}
	return rules
}

// Rules implements pricing.Store. It reads consistently: a client that has just received a version must not be told
// that the version is stale.
func (s *Store) Rules(ctx context.Context) (pricing.Rules, error) {
	var record rulesRecord
	found, err := s.table.Get(ctx, rulesKey(), &record, true)
	if err != nil {
		return pricing.Rules{}, err
	}
	if !found {
		return pricing.Rules{Tax: []pricing.TaxRate{}, Shipping: []pricing.ShippingRate{}}, nil
	}
	return record.rules(), nil
}

// PutRules implements pricing.Store.
func (s *Store) PutRules(ctx context.Context, before int64, after pricing.Rules) error {
	unchanged := ddb.Absent()
	if before > 0 {
		unchanged = expression.Name("version").Equal(expression.Value(before))
	}
	record := newRulesRecord(after)
	return s.commit(ctx, s.table.Put(record).IfElse(unchanged, func(old ddb.Item) error {
		var stored rulesRecord
		if err := ddb.Decode(old, &stored); err != nil {
			return err
		}
		if reflect.DeepEqual(stored.rules(), record.rules()) {
			return ddb.ErrDone
		}
		return pricing.ErrStale
	}))
}
