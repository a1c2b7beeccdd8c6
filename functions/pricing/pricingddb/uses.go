package pricingddb

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/shared/ddb"
)

var (
	// errNotUsed: a use is returned that was not made, which no call can cause.
	errNotUsed = errors.New("pricingddb: the discount was not used")
	// errLimitMoved: the limit for each customer changed between the read and the transaction.
	errLimitMoved = errors.New("pricingddb: the discount changed in the meantime")
)

// useRecord is how many orders of a customer use a discount.
type useRecord struct {
	PK   string `dynamodbav:"PK"`
	SK   string `dynamodbav:"SK"`
	Uses int64  `dynamodbav:"uses"`
}

func useKey(code, customer string) ddb.Key {
	return ddb.Key{PK: discountKey(code).PK, SK: "C#" + customer}
}

// UseCode returns the writes that count one use of the code by the customer, for the transaction that makes an order.
// The code is in capitals. The error, and that of Commit, is a *pricing.CodeError of pricing.ErrCodeInvalid or
// pricing.ErrCodeUsedUp.
//
// It reads the discount, because the limit of the customer's item is in the discount's. The writes hold only while that
// limit is the same; a change of it in between is ddb.ErrUnavailable.
func (s *Store) UseCode(ctx context.Context, code, customer string, now time.Time) ([]ddb.Write, error) {
	read, err := s.discount(ctx, code)
	if errors.Is(err, pricing.ErrDiscountNotFound) {
		return nil, pricing.UnknownCode(code)
	}
	if err != nil {
		return nil, err
	}
	if err := read.discount().Valid(now); err != nil {
		return nil, err
	}
	ms := expression.Value(now.UnixMilli())
	usable := expression.Name(attrDeleted).Equal(expression.Value(false)).
		And(expression.Name(attrStartsAt).LessThanEqual(ms)).
		And(expression.Name(attrEndsAt).GreaterThan(ms)).
		And(left(read))
	return s.use(read, customer, usable, func(stored discountRecord) error {
		if stored.Deleted {
			return pricing.UnknownCode(code)
		}
		return stored.discount().Valid(now)
	}), nil
}

// UseQuotedCode is UseCode for the code of a quote, which keeps its price: the code may have ended or be deleted in the
// meantime, but its limits hold.
func (s *Store) UseQuotedCode(ctx context.Context, code, customer string) ([]ddb.Write, error) {
	var read discountRecord
	found, err := s.table.Get(ctx, discountKey(code), &read, true)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, pricing.UnknownCode(code)
	}
	return s.use(read, customer, left(read), func(discountRecord) error { return nil }), nil
}

// left is the condition that the discount has a use left, and the limit for each customer that was read.
func left(read discountRecord) expression.ConditionBuilder {
	return expression.Name(attrUses).LessThan(expression.Name(attrMax)).
		And(expression.Name(attrMaxEach).Equal(expression.Value(read.MaxUsesPerCustomer)))
}

// use returns the writes that count one use while the condition holds for the discount. invalid returns why a stored
// discount is not valid, and nil if that is not the reason.
func (s *Store) use(read discountRecord, customer string, usable expression.ConditionBuilder, invalid func(discountRecord) error) []ddb.Write {
	inAll := s.table.Update(discountKey(read.Code), add(1)).IfElse(usable, func(old ddb.Item) error {
		var stored discountRecord
		if err := ddb.Decode(old, &stored); err != nil {
			return err
		}
		if stored.PK == "" {
			return pricing.UnknownCode(read.Code)
		}
		if err := invalid(stored); err != nil {
			return err
		}
		if stored.Uses >= stored.MaxUses {
			return pricing.UsedUp(read.Code)
		}
		return ddb.ErrUnavailable.WithCause(errLimitMoved)
	})
	uses := expression.Name(attrUses)
	mayUse := expression.AttributeNotExists(uses).Or(uses.LessThan(expression.Value(read.MaxUsesPerCustomer)))
	byCustomer := s.table.Update(useKey(read.Code, customer), addOrBegin()).If(mayUse, pricing.UsedUp(read.Code))
	return []ddb.Write{inAll, byCustomer}
}

// ReturnCode returns the writes that take back one use of the code by the customer, for the transaction that cancels an
// order. The code is in capitals, and may be deleted in the meantime.
func (s *Store) ReturnCode(code, customer string) []ddb.Write {
	used := expression.Name(attrUses).GreaterThan(expression.Value(0)) // and so the discount has at least one use too
	return []ddb.Write{
		s.table.Update(useKey(code, customer), add(-1)).If(used, errNotUsed),
		s.table.Update(discountKey(code), add(-1)),
	}
}

func add(n int) expression.UpdateBuilder {
	uses := expression.Name(attrUses)
	return expression.Set(uses, uses.Plus(expression.Value(n)))
}

// addOrBegin adds 1 to the uses, or sets 1 if there are none.
func addOrBegin() expression.UpdateBuilder {
	uses := expression.Name(attrUses)
	return expression.Set(uses, expression.Plus(expression.IfNotExists(uses, expression.Value(0)), expression.Value(1)))
}
