package simulator_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/payments/paymentsstripe"
)

// arrival is when the provider's notifications arrive.
type arrival string

const (
	// never: the endpoint is not known to the provider.
	never arrival = "NoNotifications"
	// first: each one arrives before the answer to the request that it is about.
	first arrival = "NotifiedFirst"
	// later: they arrive when the process that made the request has ended, and after each sweep.
	later arrival = "NotifiedLater"
)

// notice is a notification as it was sent.
type notice struct{ body, signature string }

// notices are the notifications that have not arrived yet.
type notices struct {
	arrive arrival
	mu     sync.Mutex
	held   []notice
}

// notify lets the provider send notifications, which arrive as arrive says.
func (w *world) notify(arrive arrival) {
	if w.arrive = arrive; arrive == never {
		return
	}
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		signature := r.Header.Get(paymentsstripe.HeaderSignature)
		if signature == "" { // another program looks for a server that had this port before
			out.WriteHeader(http.StatusNotFound)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil { // cut off: the provider sends it again
			out.WriteHeader(http.StatusBadRequest)
			return
		}
		w.mu.Lock()
		w.held = append(w.held, notice{string(body), signature})
		w.mu.Unlock()
		if arrive == first {
			w.handle()
		}
	}))
	w.t.Cleanup(server.Close)
	w.sim.Notify(server.URL)
}

// waiting returns the notifications that have not arrived, and lets them arrive nowhere else.
func (w *world) waiting() []notice {
	w.mu.Lock()
	defer w.mu.Unlock()
	waiting := w.held
	w.held = nil
	return waiting
}

// deliver delivers the notifications that were sent so far.
func (w *world) deliver() {
	w.sim.Wait()
	w.handle()
}

// handle hands the notifications that wait to processes of their own.
func (w *world) handle() {
	for _, n := range w.waiting() {
		if _, _, err := w.run(0, func(s *payments.Service) error { return w.receive(s, n) }); err != nil {
			w.t.Errorf("a notification: %v: %s", err, n)
		}
	}
}

// receive handles a notification as the function behind the webhook does.
func (w *world) receive(s *payments.Service, n notice) error {
	handler := payments.ReceiveStripeWebhook(s, paymentsstripe.Live(w.live).Notification, w.clock.now)
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, "/v1/webhooks/stripe", strings.NewReader(n.body))
	r.Header.Set(paymentsstripe.HeaderSignature, n.signature)
	answer := httptest.NewRecorder()
	if err := handler(answer, r); err != nil {
		return err
	}
	if answer.Code != http.StatusOK {
		return fmt.Errorf("the webhook answers %d", answer.Code)
	}
	return nil
}
