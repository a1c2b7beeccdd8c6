package ordersddb

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/idempotency/idempotencyddb"
	"github.com/tienda-dev/tienda/shared/outbox/outboxddb"
)

// Consumer is the name under which the records of consumed events are kept.
const Consumer = "advance-orders"

// errContradiction: the items of an order contradict each other, which no call can cause.
var errContradiction = errors.New("ordersddb: the items of an order contradict each other")

// shortage is the error of Stock.Reserve.
type shortage interface {
	error
	Shortage() (productID string, available int64)
}

// unusable is the error of Offers.UseCode and UseQuotedCode.
type unusable interface {
	error
	Unusable() (code, detail string)
}

// Create implements orders.Store. The idempotency record is the first write, so that a repeated request gets its first
// answer although the stock is gone. An order of MaxLines SKUs, three codes and a quote has 91 writes.
func (s *Store) Create(ctx context.Context, c orders.Creation) error {
	o, now := c.Order, c.Order.CreatedAt.Time
	writes := append(idempotencyddb.Write(s.table, c.Record),
		s.table.Put(newOrderRecord(o)).If(ddb.Absent(), errContradiction),
		s.table.Put(newReservationRecord(o)),
		outboxddb.Write(s.table, partition(o.ID), c.Event),
	)
	for _, line := range o.Lines {
		writes = append(writes, s.stock.Reserve(line.ProductID, line.Quantity, now))
	}
	for _, id := range slices.Sorted(maps.Keys(c.Versions)) {
		writes = append(writes, s.stock.CheckPrice(id, c.Versions[id]))
	}
	if o.QuoteID != "" { // before its codes: an order of a used quote is refused for the quote
		writes = append(writes, s.offers.ConsumeQuote(o.QuoteID, o.Customer, o.ID, now))
	}
	for _, code := range o.Codes {
		uses, err := s.useCode(ctx, o, code)
		if err != nil {
			return refusal(o, err)
		}
		writes = append(writes, uses...)
	}
	return refusal(o, s.commit(ctx, writes...))
}

func (s *Store) useCode(ctx context.Context, o orders.Order, code string) ([]ddb.Write, error) {
	if o.QuoteID != "" {
		return s.offers.UseQuotedCode(ctx, code, o.Customer)
	}
	return s.offers.UseCode(ctx, code, o.Customer, o.CreatedAt.Time)
}

// refusal returns the error of Create with the member of the request that it is about.
func refusal(o orders.Order, err error) error {
	if short, ok := errors.AsType[shortage](err); ok {
		return o.OutOfStock(short.Shortage())
	}
	if bad, ok := errors.AsType[unusable](err); ok {
		code, detail := bad.Unusable()
		return o.CodeRefused(err, code, detail)
	}
	return err
}

// Apply implements orders.Store.
func (s *Store) Apply(ctx context.Context, c orders.Change) error {
	writes := idempotencyddb.Write(s.table, c.Record)
	if c.Consumed != nil {
		writes = append(writes, outboxddb.Consume(s.table, Consumer, *c.Consumed, c.At))
	}
	writes = append(writes, s.replace(c.Before, c.After))
	writes = append(writes, s.moveStock(c)...)
	for _, e := range c.Events {
		writes = append(writes, outboxddb.Write(s.table, partition(c.After.ID), e))
	}
	return s.commit(ctx, writes...)
}

// replace writes the next version of an order over the one that was read. Without a next version it checks that the
// order still is as it was read.
func (s *Store) replace(before, after orders.Order) ddb.Write {
	if after.Version == before.Version {
		return s.table.Check(orderKey(before.ID)).If(unchanged(before), orders.ErrChanged)
	}
	return s.table.Put(newOrderRecord(after)).If(unchanged(before), orders.ErrChanged)
}

// unchanged is the condition that the stored order has the state and version that were read.
func unchanged(o orders.Order) expression.ConditionBuilder {
	return expression.Name("version").Equal(expression.Value(o.Version)).
		And(expression.Name("status").Equal(expression.Value(o.Status)))
}

// moveStock changes the reservation and the stock of its products, and gives the codes back where the order ends.
func (s *Store) moveStock(c orders.Change) []ddb.Write {
	from, to, ok := c.Stock.Holds()
	if !ok {
		return nil
	}
	change := expression.Set(expression.Name("state"), expression.Value(to)).
		Remove(expression.Name("GSI1PK")).Remove(expression.Name("GSI1SK"))
	is := expression.Name("state").Equal(expression.Value(from))
	writes := []ddb.Write{s.table.Update(reservationKey(c.Before.ID), change).If(is, errContradiction)}
	for _, line := range c.Before.Lines {
		writes = append(writes, s.move(c.Stock)(line.ProductID, line.Quantity, c.At))
	}
	if c.ReturnsCodes() {
		for _, code := range c.Before.Codes {
			writes = append(writes, s.offers.ReturnCode(code, c.Before.Customer)...)
		}
	}
	return writes
}

func (s *Store) move(m orders.Move) func(productID string, quantity int64, now time.Time) ddb.Write {
	switch m {
	case orders.Commit:
		return s.stock.Sell
	case orders.Restock:
		return s.stock.Restock
	default:
		return s.stock.Release
	}
}
