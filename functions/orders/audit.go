package orders

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tienda-dev/tienda/shared/clock"
	"github.com/tienda-dev/tienda/shared/money"
)

// The rules that an Auditor checks.
const (
	// RuleLedger: available + reserved + sold pieces are the sum of the stock ledger, and none is negative.
	RuleLedger = "stock_ledger"
	// RuleReserved: the reserved pieces of a product are those of the reservations that hold it.
	RuleReserved = "stock_reserved"
	// RuleReservation: an order and its reservation agree about whether the stock is held, sold or released.
	RuleReservation = "order_reservation"
	// RuleOverdue: nobody waits longer than promised for stock that an unpaid order holds, and a paid order is confirmed.
	RuleOverdue = "order_overdue"
	// RuleMoney: the amounts of an order add up to its total.
	RuleMoney = "order_money"
	// RulePayments: the payments of an order add up, and keep at most its total, or nothing if it has ended. A
	// confirmed order has money, or is cancelled.
	RulePayments = "order_payments"
)

// Violation is a rule that the stored data break. It is for an alarm: nothing repairs it by itself.
type Violation struct {
	Rule string
	// Subject is a SKU or the id of an order.
	Subject string
	// Detail has numbers and states, and no personal data.
	Detail string
}

// Balance is the stock of a product in pieces, read at once.
type Balance struct {
	ProductID, SKU            string
	Available, Reserved, Sold int64
	// Adjusted is the sum of the stock ledger.
	Adjusted int64
	// Version is the number of the stock's changes.
	Version int64
}

// Balances reads the stock. catalogddb.Store implements it, by checkout.
type Balances interface {
	// Balances returns the stock of some products and the position of the next ones, nil at the end, as Store.List does.
	Balances(ctx context.Context, limit int, after []byte) ([]Balance, []byte, error)
	// Balance returns the stock of a product as it is now.
	Balance(ctx context.Context, productID string) (Balance, error)
}

// Ledger reads the payments. paymentsddb.Store implements it, by checkout.
type Ledger interface {
	// Unbalanced returns how the payments of the order contradict themselves or the order, and "" if they do not. What an
	// event asks for must be recorded when neither has changed since settled.
	Unbalanced(ctx context.Context, o Order, settled time.Time) (string, error)
}

const (
	// sweepSlack is how late Expire may be: it runs each minute.
	sweepSlack = 10 * time.Minute
	// auditDays is of how many days, with today, the orders are checked: by the day on which they were made. The check
	// runs each night.
	auditDays = 2
	// auditParallel is how many orders are read at once: each costs four reads or more.
	auditParallel = 16
	// auditTries is how often stock that does not balance is read again. A list of reservations may be a moment late.
	auditTries = 3
)

// Auditor checks the rules that no sequence of requests, faults and repetitions may break.
type Auditor struct {
	store    Store
	balances Balances
	ledger   Ledger
	now      func() time.Time
	settle   time.Duration
}

// NewAuditor returns an Auditor; now is the clock. settle is the longest delay of the list of reservations. It panics when
// one of the others is nil.
func NewAuditor(store Store, balances Balances, ledger Ledger, now func() time.Time, settle time.Duration) *Auditor {
	if store == nil || balances == nil || ledger == nil || now == nil {
		panic("orders: NewAuditor needs a store, balances, a ledger and a clock")
	}
	return &Auditor{store: store, balances: balances, ledger: ledger, now: clock.Wall(now), settle: settle}
}

// Invariants returns every rule that is broken, by rule and subject. It may run while the shop is open: stock is compared
// while it does not change, and left out if it changes all the time. It changes nothing.
func (a *Auditor) Invariants(ctx context.Context) ([]Violation, error) {
	stock, stockErr := a.stock(ctx)
	open, ordersErr := a.orders(ctx)
	broken := slices.Concat(stock, open)
	slices.SortFunc(broken, func(x, y Violation) int {
		return cmp.Or(cmp.Compare(x.Rule, y.Rule), cmp.Compare(x.Subject, y.Subject))
	})
	return broken, errors.Join(stockErr, ordersErr)
}

// stock checks the stock of every product.
func (a *Auditor) stock(ctx context.Context) ([]Violation, error) {
	held, broken, err := a.held(ctx)
	if err != nil {
		return nil, err
	}
	suspects := map[string]string{} // SKUs by product id
	seen := map[string]bool{}
	for after := []byte(nil); ; {
		found, next, err := a.balances.Balances(ctx, heldPage, after)
		if err != nil {
			return broken, err
		}
		for _, b := range found {
			seen[b.ProductID] = true
			if b.Reserved != held[b.ProductID].Quantity {
				suspects[b.ProductID] = b.SKU
			}
			if b.Available+b.Reserved+b.Sold != b.Adjusted || min(b.Available, b.Reserved, b.Sold) < 0 {
				broken = append(broken, Violation{RuleLedger, b.SKU, fmt.Sprintf(
					"product %s has %d available, %d reserved, %d sold; the ledger has %d", b.ProductID, b.Available, b.Reserved, b.Sold, b.Adjusted)})
			}
		}
		if next == nil {
			break
		}
		after = next
	}
	for id, pieces := range held {
		if !seen[id] {
			suspects[id] = pieces.SKU
		}
	}
	unequal, err := a.compare(ctx, suspects)
	return append(broken, unequal...), err
}

// held returns the pieces that reservations hold by product, and the reservations that should have been released.
func (a *Auditor) held(ctx context.Context) (map[string]ReservedPieces, []Violation, error) {
	held := map[string]ReservedPieces{}
	var late []Violation
	overdue := a.now().Add(-PaymentGrace - sweepSlack)
	forever := time.Date(9999, time.January, 1, 0, 0, 0, 0, time.UTC)
	for after := []byte(nil); ; {
		found, next, err := a.store.Held(ctx, forever, heldPage, after)
		if err != nil {
			return nil, nil, err
		}
		for _, r := range found {
			for _, pieces := range r.Pieces {
				sum := held[pieces.ProductID].Quantity + pieces.Quantity
				held[pieces.ProductID] = ReservedPieces{ProductID: pieces.ProductID, SKU: pieces.SKU, Quantity: sum}
			}
			if r.ExpiresAt.Before(overdue) {
				late = append(late, Violation{RuleOverdue, r.OrderID, "should be released since " + r.ExpiresAt.UTC().Format(time.RFC3339)})
			}
		}
		if next == nil {
			return held, late, nil
		}
		after = next
	}
}

// compare reads stock that does not balance again, as long as it changes meanwhile or the list may be late. suspects maps the
// ids of its products to their SKUs.
func (a *Auditor) compare(ctx context.Context, suspects map[string]string) ([]Violation, error) {
	var broken []Violation
	for try := 0; try < auditTries && len(suspects) > 0; try++ {
		if err := pause(ctx, a.settle); err != nil {
			return nil, err
		}
		broken = nil
		before := map[string]Balance{}
		for id := range suspects {
			b, err := a.balances.Balance(ctx, id)
			if err != nil {
				return nil, err
			}
			before[id] = b
		}
		held, _, err := a.held(ctx)
		if err != nil {
			return nil, err
		}
		for _, id := range slices.Sorted(maps.Keys(suspects)) {
			b, err := a.balances.Balance(ctx, id)
			if err != nil {
				return nil, err
			}
			switch {
			case b.Reserved == held[id].Quantity:
				delete(suspects, id)
			case b.Version == before[id].Version:
				broken = append(broken, Violation{RuleReserved, suspects[id], fmt.Sprintf("product %s has %d reserved; reservations hold %d", id, b.Reserved, held[id].Quantity)})
			}
		}
	}
	return broken, nil
}

// pause waits, or returns the error of a context that ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// orders checks the orders of the last days.
func (a *Auditor) orders(ctx context.Context) ([]Violation, error) {
	var broken []Violation
	for back := range auditDays {
		day := a.now().AddDate(0, 0, -back)
		for _, status := range Statuses() {
			for after := []byte(nil); ; {
				found, next, err := a.store.List(ctx, status, day, heldPage, after)
				if err != nil {
					return broken, err
				}
				violations, err := a.each(ctx, found)
				broken = append(broken, violations...)
				if err != nil {
					return broken, err
				}
				if next == nil {
					break
				}
				after = next
			}
		}
	}
	return broken, nil
}

// each checks orders, auditParallel at once. With an error it returns what it has found by then.
func (a *Auditor) each(ctx context.Context, listed []Order) ([]Violation, error) {
	found := make([][]Violation, len(listed))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(auditParallel)
	for i, o := range listed {
		group.Go(func() (err error) {
			found[i], err = a.order(ctx, o)
			return err
		})
	}
	err := group.Wait()
	return slices.Concat(found...), err
}

// order checks an order. What the list has may be old; it is read again where it matters.
func (a *Auditor) order(ctx context.Context, listed Order) ([]Violation, error) {
	var broken []Violation
	if detail := listed.unbalanced(); detail != "" {
		broken = append(broken, Violation{RuleMoney, listed.ID, detail})
	}
	for range auditTries {
		before, err := a.store.Get(ctx, listed.ID)
		if err != nil {
			return broken, err
		}
		found, err := a.joined(ctx, before)
		if err != nil || len(found) == 0 {
			return broken, err
		}
		now, err := a.store.Get(ctx, listed.ID)
		if err != nil {
			return broken, err
		}
		if now.Version == before.Version {
			return append(broken, found...), nil
		}
	}
	return broken, nil
}

// joined checks what belongs to an order: its reservation and its payments.
func (a *Auditor) joined(ctx context.Context, o Order) ([]Violation, error) {
	var broken []Violation
	r, err := a.store.Reservation(ctx, o.ID)
	if err != nil {
		return nil, err
	}
	if r.State != o.Status.holds() {
		broken = append(broken, Violation{RuleReservation, o.ID, fmt.Sprintf("the order is %s, its stock %s", o.Status, r.State)})
	}
	settled := a.now().Add(-sweepSlack)
	detail, err := a.ledger.Unbalanced(ctx, o, settled)
	if detail == "" && o.Status == StatusConfirmed && !o.PaymentStatus.Funded() && o.UpdatedAt.Before(settled) {
		detail = fmt.Sprintf("the order is confirmed, its payment %s", o.PaymentStatus)
	}
	if detail != "" {
		broken = append(broken, Violation{RulePayments, o.ID, detail})
	}
	return broken, err
}

// holds returns the state of the reservation of an order in the state.
func (s Status) holds() Hold {
	switch s {
	case StatusPendingPayment:
		return Held
	case StatusCancelled, StatusExpired:
		return Released
	default:
		return Committed
	}
}

// unbalanced returns how the amounts of the order do not add up, and "" if they do.
func (o Order) unbalanced() string {
	sum := func(terms ...money.Money) money.Money {
		total := money.Money{Currency: o.Total.Currency}
		for _, term := range terms {
			var err error
			if total, err = total.Add(term); err != nil {
				return money.Money{}
			}
		}
		return total
	}
	minus := func(m money.Money) money.Money { return money.Money{AmountMinor: -m.AmountMinor, Currency: m.Currency} }
	lines := []money.Money{o.Shipping}
	for _, line := range o.Lines {
		lines = append(lines, line.Total)
	}
	switch {
	case sum(o.Subtotal, minus(o.Discount), o.Shipping, o.Tax) != o.Total:
		return fmt.Sprintf("subtotal %s - discount %s + shipping %s + tax %s is not %s", o.Subtotal, o.Discount, o.Shipping, o.Tax, o.Total)
	case sum(lines...) != o.Total:
		return fmt.Sprintf("the lines and shipping add up to %s, not %s", sum(lines...), o.Total)
	default:
		return ""
	}
}
