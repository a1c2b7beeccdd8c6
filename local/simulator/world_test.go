package simulator_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/payments/paymentsstripe"
	"github.com/tienda-dev/tienda/functions/payments/paymentstest"
	"github.com/tienda-dev/tienda/local/simulator"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/outbox"
)

const (
	customer = "customer-1"
	apiKey   = "sk_test_1"
	hookKey  = "whsec_1"
)

// clock is a clock that tests move.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ms.Store(time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC).UnixMilli())
	return c
}

func (c *clock) now() time.Time { return time.UnixMilli(c.ms.Load()).UTC() }

func (c *clock) advance(d time.Duration) { c.ms.Add(d.Milliseconds()) }

// died is the panic of a process that was killed.
type died struct{}

// process is one process of the shop: it can be killed before or after every call of the store and of the provider.
type process struct {
	payments.Store
	payments.Provider

	mu    sync.Mutex
	calls int
	// killAt is the boundary at which the process dies; 0 is never.
	killAt int
	dead   bool
}

func (p *process) boundary() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	if p.calls == p.killAt {
		p.dead = true
	}
	if p.dead {
		panic(died{})
	}
}

// around calls f between two boundaries.
func around[T any](p *process, f func() (T, error)) (T, error) {
	p.boundary()
	v, err := f()
	p.boundary()
	return v, err
}

func void(f func() error) func() (struct{}, error) {
	return func() (struct{}, error) { return struct{}{}, f() }
}

// store and provider put the process's boundaries around each call.
type (
	store    struct{ *process }
	provider struct{ *process }
)

func (s store) Order(ctx context.Context, id string) (payments.Order, error) {
	return around(s.process, func() (payments.Order, error) { return s.Store.Order(ctx, id) })
}

func (s store) Get(ctx context.Context, id string) (payments.Payment, error) {
	return around(s.process, func() (payments.Payment, error) { return s.Store.Get(ctx, id) })
}

func (s store) OfOrder(ctx context.Context, id string) ([]string, error) {
	return around(s.process, func() ([]string, error) { return s.Store.OfOrder(ctx, id) })
}

func (s store) Create(ctx context.Context, c payments.Creation) error {
	_, err := around(s.process, void(func() error { return s.Store.Create(ctx, c) }))
	return err
}

func (s store) Apply(ctx context.Context, c payments.Change) error {
	_, err := around(s.process, void(func() error { return s.Store.Apply(ctx, c) }))
	return err
}

func (s store) Complete(ctx context.Context, begun idempotency.Record, a idempotency.Answer) error {
	_, err := around(s.process, void(func() error { return s.Store.Complete(ctx, begun, a) }))
	return err
}

func (s store) Due(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return around(s.process, func() ([]string, error) { return s.Store.Due(ctx, now, limit) })
}

func (s provider) Create(ctx context.Context, key string, p payments.Payment) (string, error) {
	return around(s.process, func() (string, error) { return s.Provider.Create(ctx, key, p) })
}

func (s provider) Confirm(ctx context.Context, key string, p payments.Payment) (payments.Report, error) {
	return around(s.process, func() (payments.Report, error) { return s.Provider.Confirm(ctx, key, p) })
}

func (s provider) Capture(ctx context.Context, key string, p payments.Payment, m money.Money, final bool) (payments.Report, error) {
	return around(s.process, func() (payments.Report, error) { return s.Provider.Capture(ctx, key, p, m, final) })
}

func (s provider) Cancel(ctx context.Context, key string, p payments.Payment) (payments.Report, error) {
	return around(s.process, func() (payments.Report, error) { return s.Provider.Cancel(ctx, key, p) })
}

func (s provider) Refund(ctx context.Context, key string, p payments.Payment, r payments.Refund) (payments.Report, error) {
	return around(s.process, func() (payments.Report, error) { return s.Provider.Refund(ctx, key, p, r) })
}

func (s provider) Lookup(ctx context.Context, p payments.Payment) (payments.Report, error) {
	return around(s.process, func() (payments.Report, error) { return s.Provider.Lookup(ctx, p) })
}

// storage is a payments.Store with its orders.
type storage interface {
	payments.Store

	// NewOrder stores an open order of the customer.
	NewOrder(t *testing.T, now time.Time) payments.Order
	// MoveOrder changes the state of an order, as the order's own functions do.
	MoveOrder(id string, state payments.OrderState)
}

// memory is storage in memory.
type memory struct{ *paymentstest.Memory }

func (m memory) NewOrder(t *testing.T, now time.Time) payments.Order {
	t.Helper()
	o := payments.Order{
		ID: paymentstest.NewID(), Customer: customer, Total: money.Money{AmountMinor: 1000, Currency: "EUR"},
		State: payments.OrderOpen, Version: 1, ExpiresAt: api.NewTime(now.Add(15 * time.Minute)),
	}
	m.PutOrder(o)
	return o
}

// world is a shop with one order and the simulated Stripe.
type world struct {
	t     *testing.T
	clock *clock
	store storage
	sim   *simulator.Simulator
	api   *paymentsstripe.Client
	order payments.Order
	notices
}

func newWorld(t *testing.T, store storage) *world {
	t.Helper()
	w := &world{t: t, clock: newClock(), store: store}
	sim, err := simulator.New(simulator.Config{
		Keys: func() (string, []string, error) { return apiKey, []string{hookKey}, nil },
		Hang: time.Millisecond, Slow: time.Millisecond, Now: w.clock.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(sim)
	server.Config.ErrorLog = nil
	server.Start()
	t.Cleanup(server.Close)
	// A transport repeats a request with a key by itself when an old connection breaks; here each request has its own.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	w.sim = sim
	w.api, err = paymentsstripe.New(paymentsstripe.Config{BaseURL: server.URL, HTTP: client},
		paymentsstripe.Keys{API: apiKey, Webhooks: []string{hookKey}})
	if err != nil {
		t.Fatal(err)
	}
	w.order = store.NewOrder(t, w.clock.now())
	return w
}

// start starts a process that dies at the boundary.
func (w *world) start(killAt int) (*payments.Service, *process) {
	p := &process{Store: w.store, Provider: w.api, killAt: killAt}
	return payments.NewService(store{p}, provider{p}, w.clock.now), p
}

// run runs one step in a process that dies at the boundary, and reports whether it died and how many boundaries it had.
func (w *world) run(killAt int, step func(*payments.Service) error) (calls int, killed bool, err error) {
	service, p := w.start(killAt)
	defer func() {
		calls = p.calls
		if r := recover(); r != nil {
			if _, ok := r.(died); !ok {
				panic(r)
			}
			killed = true
		}
	}()
	err = step(service)
	return p.calls, false, err
}

// sweep runs Reconcile a minute later. The notifications of what it does arrive after it.
func (w *world) sweep() {
	w.t.Helper()
	w.clock.advance(time.Minute)
	service, _ := w.start(0)
	if err := service.Reconcile(w.t.Context()); err != nil {
		w.t.Errorf("Reconcile: %v", err)
	}
	w.deliver()
}

// payment returns the only payment of the order, and false if it has none.
func (w *world) payment() (payments.Payment, bool) {
	w.t.Helper()
	ids, err := w.store.OfOrder(w.t.Context(), w.order.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(ids) == 0 {
		return payments.Payment{}, false
	}
	p, err := w.store.Get(w.t.Context(), ids[len(ids)-1])
	if err != nil {
		w.t.Fatal(err)
	}
	return p, true
}

// agree fails unless our numbers are the provider's, nothing is open, and no limit is exceeded.
func (w *world) agree() {
	w.t.Helper()
	p, ok := w.payment()
	if !ok {
		if got := w.sim.Ledger(); len(got.Entries) != 0 {
			w.t.Errorf("no payment is stored; the provider has %+v", got.Entries)
		}
		return
	}
	ledger := w.sim.Ledger()
	sum := func(kind string) int64 { return ledger.Sum(kind, paymentsstripe.MetadataPayment, p.ID) }
	if p.Pending != nil || p.Status == payments.Authorizing || p.Status == payments.Unknown {
		w.t.Errorf("after two sweeps the payment is %s with %+v pending", p.Status, p.Pending)
	}
	if got := sum("authorize"); got != p.Authorized.AmountMinor {
		w.t.Errorf("the provider authorised %d, we have %d", got, p.Authorized.AmountMinor)
	}
	if got := sum("capture"); got != p.Captured.AmountMinor || got > p.Authorized.AmountMinor {
		w.t.Errorf("the provider captured %d, we have %d of %d", got, p.Captured.AmountMinor, p.Authorized.AmountMinor)
	}
	if got := sum("refund"); got != p.Refunded.AmountMinor || got > p.Captured.AmountMinor {
		w.t.Errorf("the provider refunded %d, we have %d of %d", got, p.Refunded.AmountMinor, p.Captured.AmountMinor)
	}
	if got := sum("authorize") - sum("capture") - sum("release"); got != p.Capturable {
		w.t.Errorf("the provider holds %d, we have %d", got, p.Capturable)
	}
	if got := ledger.Count("authorize", paymentsstripe.MetadataPayment, p.ID); got > 1 {
		w.t.Errorf("the provider authorised %d times", got)
	}
}

// keyed is the context of a request with a key, which nobody uses for another order.
func (w *world) keyed(key string) context.Context {
	return idempotency.WithKey(w.t.Context(), idempotency.Key{ID: key + "-" + w.order.ID, Fingerprint: key})
}

func (w *world) event(typ string, data map[string]any) outbox.Event {
	w.t.Helper()
	e, err := outbox.New(w.clock.now(), typ, w.order.ID, data)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// live returns the client, as a secret that is refreshed does.
func (w *world) live(context.Context) *paymentsstripe.Client { return w.api }

func read(r *http.Request) string {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return ""
	}
	return string(text)
}
