package pricingddb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/idempotency/idempotencyddb"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/page"
)

// The index that lists read, and its one partition: a shop has few discounts.
const (
	index         = "GSI1"
	listPartition = "DISCOUNTS"
)

// discountRecord is a discount's item. Times are in milliseconds since 1970. What conditions compare is always there.
type discountRecord struct {
	PK     string `dynamodbav:"PK"`
	SK     string `dynamodbav:"SK"`
	GSI1PK string `dynamodbav:"GSI1PK,omitempty"`
	GSI1SK string `dynamodbav:"GSI1SK,omitempty"`

	Code    string       `dynamodbav:"code"`
	Percent string       `dynamodbav:"percent"`
	Amount  *money.Money `dynamodbav:"amount"`
	Minimum *money.Money `dynamodbav:"minimum"`
	// StartsAt is 0 for no beginning, and EndsAt the greatest number for no end.
	StartsAt int64 `dynamodbav:"starts_at"`
	EndsAt   int64 `dynamodbav:"ends_at"`
	// MaxUses and MaxUsesPerCustomer are the greatest number for no limit.
	MaxUses            int64 `dynamodbav:"max_uses"`
	MaxUsesPerCustomer int64 `dynamodbav:"max_uses_per_customer"`
	Uses               int64 `dynamodbav:"uses"`
	Deleted            bool  `dynamodbav:"deleted"`
	Version            int64 `dynamodbav:"version"`
	CreatedAt          int64 `dynamodbav:"created_at"`
	UpdatedAt          int64 `dynamodbav:"updated_at"`
}

// Names of attributes that updates and conditions name.
const (
	attrVersion  = "version"
	attrDeleted  = "deleted"
	attrUses     = "uses"
	attrStartsAt = "starts_at"
	attrEndsAt   = "ends_at"
	attrMax      = "max_uses"
	attrMaxEach  = "max_uses_per_customer"
)

func discountKey(code string) ddb.Key { return ddb.Key{PK: "DC#" + code, SK: "META"} }

func newDiscountRecord(d pricing.Discount) discountRecord {
	key := discountKey(d.Code)
	return discountRecord{
		PK: key.PK, SK: key.SK, GSI1PK: listPartition, GSI1SK: sortKey(d),
		Code: d.Code, Percent: string(d.Percent), Amount: d.Amount, Minimum: d.Minimum,
		StartsAt: millis(d.StartsAt, 0), EndsAt: millis(d.EndsAt, math.MaxInt64),
		MaxUses: limit(d.MaxUses), MaxUsesPerCustomer: limit(d.MaxUsesPerCustomer), Uses: d.Uses,
		Version: d.Version, CreatedAt: d.CreatedAt.UnixMilli(), UpdatedAt: d.UpdatedAt.UnixMilli(),
	}
}

func (r discountRecord) discount() pricing.Discount {
	return pricing.Discount{
		Code: r.Code, Percent: pricing.Percent(r.Percent), Amount: r.Amount, Minimum: r.Minimum,
		StartsAt: moment(r.StartsAt, 0), EndsAt: moment(r.EndsAt, math.MaxInt64),
		MaxUses: unlimited(r.MaxUses), MaxUsesPerCustomer: unlimited(r.MaxUsesPerCustomer), Uses: r.Uses,
		Version:   r.Version,
		CreatedAt: api.NewTime(ddb.FromMillis(r.CreatedAt)), UpdatedAt: api.NewTime(ddb.FromMillis(r.UpdatedAt)),
	}
}

func millis(t *api.Time, absent int64) int64 {
	if t == nil {
		return absent
	}
	return t.UnixMilli()
}

func moment(ms, absent int64) *api.Time {
	if ms == absent {
		return nil
	}
	t := api.NewTime(ddb.FromMillis(ms))
	return &t
}

func limit(n int64) int64 {
	if n == 0 {
		return math.MaxInt64
	}
	return n
}

func unlimited(n int64) int64 {
	if n == math.MaxInt64 {
		return 0
	}
	return n
}

// sortKey orders discounts by creation time, then by code.
func sortKey(d pricing.Discount) string {
	return fmt.Sprintf("%015d#%s", d.CreatedAt.UnixMilli(), d.Code)
}

// CreateDiscount implements pricing.Store.
func (s *Store) CreateDiscount(ctx context.Context, d pricing.Discount, record idempotency.Record) error {
	discount := s.table.Put(newDiscountRecord(d)).If(ddb.Absent(), pricing.ErrCodeExists)
	return s.commit(ctx, append(idempotencyddb.Write(s.table, record), discount)...)
}

// Discount implements pricing.Store. It reads consistently, as Rules does.
func (s *Store) Discount(ctx context.Context, code string) (pricing.Discount, error) {
	record, err := s.discount(ctx, code)
	return record.discount(), err
}

func (s *Store) discount(ctx context.Context, code string) (discountRecord, error) {
	var record discountRecord
	found, err := s.table.Get(ctx, discountKey(code), &record, true)
	if err != nil {
		return discountRecord{}, err
	}
	if !found || record.Deleted {
		return discountRecord{}, pricing.ErrDiscountNotFound
	}
	return record, nil
}

// UpdateDiscount implements pricing.Store. It sets each attribute but the uses, which orders move.
func (s *Store) UpdateDiscount(ctx context.Context, before, after pricing.Discount) error {
	if after.Code != before.Code || after.Version != before.Version+1 {
		return errors.New("pricingddb: an update keeps the code and has the next version")
	}
	r := newDiscountRecord(after)
	change := expression.
		Set(expression.Name("percent"), expression.Value(r.Percent)).
		Set(expression.Name("amount"), expression.Value(r.Amount)).
		Set(expression.Name("minimum"), expression.Value(r.Minimum)).
		Set(expression.Name(attrStartsAt), expression.Value(r.StartsAt)).
		Set(expression.Name(attrEndsAt), expression.Value(r.EndsAt)).
		Set(expression.Name(attrMax), expression.Value(r.MaxUses)).
		Set(expression.Name(attrMaxEach), expression.Value(r.MaxUsesPerCustomer)).
		Set(expression.Name(attrVersion), expression.Value(r.Version)).
		Set(expression.Name("updated_at"), expression.Value(r.UpdatedAt))
	return s.commit(ctx, s.table.Update(discountKey(after.Code), change).IfElse(is(before.Version), func(old ddb.Item) error {
		return notReplaced(old, func(stored discountRecord) bool {
			stored.Uses = r.Uses
			return reflect.DeepEqual(stored, r)
		})
	}))
}

// DeleteDiscount implements pricing.Store. The item is kept, so that the code is not given again and its uses can be
// returned.
func (s *Store) DeleteDiscount(ctx context.Context, code string, version int64) error {
	change := expression.
		Set(expression.Name(attrDeleted), expression.Value(true)).
		Remove(expression.Name(index + "PK")).Remove(expression.Name(index + "SK"))
	return s.commit(ctx, s.table.Update(discountKey(code), change).IfElse(is(version), func(old ddb.Item) error {
		return notReplaced(old, func(discountRecord) bool { return false })
	}))
}

// is is the condition that the discount has the version and is not deleted.
func is(version int64) expression.ConditionBuilder {
	return expression.Name(attrVersion).Equal(expression.Value(version)).
		And(expression.Name(attrDeleted).Equal(expression.Value(false)))
}

// notReplaced returns the reason why a stored discount was not changed: nothing is wrong if it has the change already.
func notReplaced(old ddb.Item, done func(discountRecord) bool) error {
	if old == nil {
		return pricing.ErrDiscountNotFound
	}
	var stored discountRecord
	if err := ddb.Decode(old, &stored); err != nil {
		return err
	}
	switch {
	case stored.Deleted:
		return pricing.ErrDiscountNotFound
	case done(stored):
		return ddb.ErrDone
	default:
		return pricing.ErrStale
	}
}

// position is where the next page of a list starts.
type position struct {
	// Before is the sort key of the last discount that was returned.
	Before string `json:"before"`
}

// maxSortKey is the longest sort key: 15 digits, # and a code.
const maxSortKey = 48

// Discounts implements pricing.Store. A page is one query. A list shows a change a moment later.
func (s *Store) Discounts(ctx context.Context, limit int, after []byte) ([]pricing.Discount, []byte, error) {
	where := expression.Key(index + "PK").Equal(expression.Value(listPartition))
	if len(after) > 0 {
		var start position
		if err := json.Unmarshal(after, &start); err != nil || !strings.Contains(start.Before, "#") || len(start.Before) > maxSortKey {
			return nil, nil, page.ErrInvalidCursor
		}
		where = where.And(expression.Key(index + "SK").LessThan(expression.Value(start.Before)))
	}
	// One more shows whether there is a next page. 101 discounts are far from the 1 MB that cut an answer.
	items, _, err := s.table.Query(ctx, ddb.Query{Index: index, Where: where, Descending: true, Limit: int32(limit + 1)})
	if err != nil {
		return nil, nil, err
	}
	discounts := make([]pricing.Discount, 0, limit)
	for _, item := range items[:min(len(items), limit)] {
		var record discountRecord
		if err := ddb.Decode(item, &record); err != nil {
			return nil, nil, err
		}
		discounts = append(discounts, record.discount())
	}
	if len(items) <= limit {
		return discounts, nil, nil
	}
	next, err := json.Marshal(position{Before: sortKey(discounts[limit-1])})
	return discounts, next, err
}
