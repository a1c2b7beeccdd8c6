package sam

import (
	"context"
	"errors"
	"net/http"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/payments/paymentsstripe"
	"github.com/tienda-dev/tienda/internal/checkout"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/outbox"
)

// The payments in the sample events, and their orders: one holds money, and one has taken it.
const (
	givenHeldOrder    = "01JD7R2M4T6W8X0Z1B3D5F7H9K"
	givenHeldPayment  = "01JD7R5V9Q3N7K1M5P9T2W6X0Z"
	givenTakenOrder   = "01JD7R2M4T6W8X0Z1B3D5F7H9M"
	givenTakenPayment = "01JD7R5V9Q3N7K1M5P9T2W6X10"
)

// givenPayments writes the payments of the sample events, at the simulated Stripe too. The suffix is that of the tables.
func (d *Data) givenPayments(ctx context.Context, suffix string) error {
	if d.Stripe == "" {
		return nil
	}
	api, webhooks, err := stack.StripeKeys(d.cli.cacheDir())()
	if err != nil {
		return err
	}
	sender := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	provider, err := paymentsstripe.New(paymentsstripe.Config{BaseURL: d.Stripe, HTTP: sender}, paymentsstripe.Keys{API: api, Webhooks: webhooks})
	if err != nil {
		return err
	}
	client, err := ddb.Open(ddb.Config{Config: awsclient.Config{Region: region, AccessKeyID: "local", SecretAccessKey: "local"}, Endpoint: d.Endpoint})
	if err != nil {
		return err
	}
	table := ddb.NewTable(client, "CommerceTable"+suffix)
	for _, one := range []struct {
		orderID, id string
		capture     payments.Capture
	}{
		{givenHeldOrder, givenHeldPayment, payments.Manual}, {givenTakenOrder, givenTakenPayment, payments.Automatic},
	} {
		if err := givenPayment(ctx, table, provider, suffix, one.orderID, one.id, one.capture); err != nil {
			return err
		}
	}
	return nil
}

func givenPayment(
	ctx context.Context, table *ddb.Table, provider payments.Provider, suffix, orderID, id string, capture payments.Capture,
) error {
	store := checkout.Payments(table)
	if _, err := store.Get(ctx, id); !errors.Is(err, payments.ErrNotFound) {
		return err
	}
	order, err := givenOpenOrder(ctx, table, orderID, givenNeighbour)
	if err != nil {
		return err
	}
	at, none := api.NewTime(givenAt()), eur(0)
	p := payments.Payment{
		ID: id, OrderID: order.ID, Status: payments.Authorizing, Capture: capture, Amount: order.Total,
		Authorized: none, Captured: none, Refunded: none, Version: 1, CreatedAt: at, UpdatedAt: at,
		Customer: givenNeighbour, Method: "pm_card_visa", Sequence: 1,
	}
	if p.Ref, err = provider.Create(ctx, id+suffix+":create:1", p); err != nil {
		return err
	}
	if _, err = provider.Confirm(ctx, id+suffix+":authorize:1", p); err != nil {
		return err
	}
	event, err := outbox.New(at.Time, payments.EventCreated, order.ID, map[string]string{"order_id": order.ID, "payment_id": id})
	if err != nil {
		return err
	}
	read, err := store.Order(ctx, order.ID)
	if err != nil {
		return err
	}
	if err := store.Create(ctx, payments.Creation{Payment: p, Order: read, Event: event}); err != nil {
		return err
	}
	after := p.Clone()
	after.Version, after.Status, after.Authorized, after.Capturable = 2, payments.Authorized, p.Amount, p.Amount.AmountMinor
	if capture == payments.Automatic {
		after.Status, after.Captured, after.Refundable, after.Capturable = payments.Captured, p.Amount, p.Amount.AmountMinor, 0
	}
	return store.Apply(ctx, payments.Change{Before: p, After: after, At: at.Time})
}
