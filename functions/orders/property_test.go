package orders_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/functions/orders/orderstest"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/outbox"
)

// A shop runs through random requests, payments, parcels, time, and events that come late, twice and in any order. After
// each step the stock is conserved, what is reserved is what reservations hold, and every order has only moved along the
// state machine.
func TestLifeOfOrders(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := newService(t)
		s.stock(7, "A", "B")
		w := &world{shop: s, status: map[string]orders.Status{}, parcels: map[string][]string{}}
		rt.Repeat(map[string]func(*rapid.T){
			"create":  w.create,
			"pay":     w.pay,
			"settle":  w.settle,
			"refund":  w.refund,
			"ship":    w.ship,
			"scan":    w.scan,
			"cancel":  w.cancel,
			"wait":    w.wait,
			"deliver": w.deliver,
			"":        w.check,
		})
	})
}

// world is a shop, and what a test remembers of it.
type world struct {
	*shop

	ids      []string
	status   map[string]orders.Status
	payments int
	parcels  map[string][]string
	events   []outbox.Event
}

func (w *world) pick(rt *rapid.T) orders.Order {
	if len(w.ids) == 0 {
		rt.Skip("no orders")
	}
	return w.get(rapid.SampledFrom(w.ids).Draw(rt, "order"))
}

// allow ends the run for an error that is not among the allowed ones.
func allow(rt *rapid.T, err error, allowed ...error) bool {
	if err != nil && !slices.ContainsFunc(allowed, func(a error) bool { return errors.Is(err, a) }) {
		rt.Fatalf("%v", err)
	}
	return err == nil
}

func (w *world) create(rt *rapid.T) {
	in := orders.NewOrder{Customer: maria, ShipTo: &policy.Address{Country: "ES"}}
	for _, sku := range rapid.SampledFrom([][]string{{"A"}, {"B"}, {"A", "B"}}).Draw(rt, "skus") {
		in.Items = append(in.Items, orders.Item{SKU: sku, Quantity: rapid.Int64Range(1, 4).Draw(rt, "quantity")})
	}
	o, err := w.service.Create(w.t.Context(), in)
	if allow(rt, err, orders.ErrOutOfStock) {
		w.ids = append(w.ids, o.ID)
		w.status[o.ID] = o.Status
	}
}

// pay begins a payment, of which the answer may be known at once or not.
func (w *world) pay(rt *rapid.T) {
	o := w.pick(rt)
	w.payments++
	id := string(rune('a'+w.payments%26)) + "-" + o.ID
	if !allow(rt, w.store.Claim(w.t.Context(), o, id, w.now()), orders.ErrExpired, orders.ErrPaid, orders.ErrPaymentInProgress, orders.ErrInvalidTransition) {
		return
	}
	w.record(rt, o.ID, id)
}

// settle learns what has become of a payment.
func (w *world) settle(rt *rapid.T) {
	o := w.pick(rt)
	if o.PaymentID == "" || !o.PaymentStatus.Open() {
		rt.Skip("nothing to settle")
	}
	w.record(rt, o.ID, o.PaymentID)
}

// refund gives a part of the money back, whether the order is confirmed already or not.
func (w *world) refund(rt *rapid.T) {
	o := w.pick(rt)
	if o.PaymentStatus != orders.PaymentCaptured {
		rt.Skip("no money to give back")
	}
	allow(rt, w.store.Record(w.t.Context(), o.ID, o.PaymentID, orders.PaymentPartiallyRefunded, w.now()))
}

func (w *world) record(rt *rapid.T, orderID, paymentID string) {
	status := rapid.SampledFrom([]orders.PaymentStatus{
		orders.PaymentUnknown, orders.PaymentAuthorized, orders.PaymentCaptured, orders.PaymentDeclined,
	}).Draw(rt, "status")
	allow(rt, w.store.Record(w.t.Context(), orderID, paymentID, status, w.now()))
	w.events = append(w.events, w.event(orderID, "payment."+string(status), map[string]any{"payment_id": paymentID}))
}

func (w *world) ship(rt *rapid.T) {
	o := w.pick(rt)
	lines := o.Left()
	if len(lines) > 0 && rapid.Bool().Draw(rt, "part") {
		lines = []orders.Shipped{{SKU: lines[0].SKU, Quantity: 1}}
	}
	id := string(rune('a'+len(w.parcels[o.ID]))) + "-parcel"
	if allow(rt, w.store.Ship(w.t.Context(), o, lines, id, w.now()), orders.ErrInvalidTransition, orders.ErrOverShip) {
		w.parcels[o.ID] = append(w.parcels[o.ID], id)
	}
}

func (w *world) scan(rt *rapid.T) {
	o := w.pick(rt)
	if len(w.parcels[o.ID]) == 0 {
		rt.Skip("no parcels")
	}
	typ := rapid.SampledFrom([]string{"shipment.picked_up", "shipment.delivered", "shipment.returned", "shipment.lost"}).Draw(rt, "type")
	w.events = append(w.events, w.event(o.ID, typ, map[string]any{"shipment_id": rapid.SampledFrom(w.parcels[o.ID]).Draw(rt, "parcel")}))
}

func (w *world) cancel(rt *rapid.T) {
	o := w.pick(rt)
	_, err := w.service.Cancel(w.t.Context(), o.ID, orders.Reader{ID: maria}, orders.ReasonMistake)
	allow(rt, err, orders.ErrInvalidTransition)
}

func (w *world) wait(rt *rapid.T) {
	*w.clock = w.clock.Add(time.Duration(rapid.IntRange(1, 12).Draw(rt, "minutes")) * time.Minute)
	_, err := w.service.Expire(w.t.Context())
	allow(rt, err)
}

// deliver delivers an event, which may come again later.
func (w *world) deliver(rt *rapid.T) {
	if len(w.events) == 0 {
		rt.Skip("no events")
	}
	allow(rt, w.service.Advance(w.t.Context(), rapid.SampledFrom(w.events).Draw(rt, "event")))
}

func (w *world) check(rt *rapid.T) {
	reserved, sold := map[string]int64{}, map[string]int64{}
	for _, id := range w.ids {
		o := w.get(id)
		if was := w.status[id]; was != o.Status && !reachable(was, o.Status) {
			rt.Fatalf("the order went from %s to %s", was, o.Status)
		}
		w.status[id] = o.Status
		for _, line := range o.Lines {
			switch o.Status {
			case orders.StatusPendingPayment:
				reserved[line.SKU] += line.Quantity
			case orders.StatusCancelled, orders.StatusExpired:
			default:
				sold[line.SKU] += line.Quantity
			}
		}
	}
	for _, sku := range []string{"A", "B"} {
		got, err := w.store.Stock(w.t.Context(), orderstest.ProductOf(sku))
		want := orderstest.Stock{Available: 7 - reserved[sku] - sold[sku], Reserved: reserved[sku], Sold: sold[sku]}
		if err != nil || got != want || got.Available < 0 {
			rt.Fatalf("stock of %s is %+v, %v; want %+v", sku, got, err, want)
		}
	}
	broken, err := orders.NewAuditor(w.store, w.store, ledger(""), w.now, 0).Invariants(w.t.Context())
	broken = slices.DeleteFunc(broken, func(v orders.Violation) bool {
		return v.Rule == orders.RuleOverdue && w.get(v.Subject).PaymentStatus.Funded() // its event has not been delivered yet
	})
	if err != nil || len(broken) > 0 {
		rt.Fatalf("violations %+v, %v", broken, err)
	}
}

// reachable reports whether the state machine leads from one state to the other, in one step or in several.
func reachable(from, to orders.Status) bool {
	seen, next := map[orders.Status]bool{}, []orders.Status{from}
	for len(next) > 0 {
		at := next[0]
		next = next[1:]
		for _, row := range orders.States() {
			if row.From == at && !seen[row.To] {
				seen[row.To] = true
				next = append(next, row.To)
			}
		}
	}
	return seen[to]
}
