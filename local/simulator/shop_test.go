package simulator_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/payments/paymentsstripe"
	"github.com/tienda-dev/tienda/functions/payments/paymentstest"
	"github.com/tienda-dev/tienda/internal/apitest"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/money"
)

// shop is a world with the routes of payments.
type shop struct {
	*world

	memory *paymentstest.Memory
	api    *apitest.API
}

func newShop(t *testing.T) *shop {
	t.Helper()
	store := paymentstest.NewMemory()
	s := &shop{world: newWorld(t, memory{store}), memory: store}
	service, _ := s.start(0)
	s.api = s.serve(service)
	return s
}

// serve returns the routes of payments on a service.
func (s *shop) serve(service *payments.Service) *apitest.API {
	handlers := map[string]api.Handler{
		"create-payment":         payments.CreatePayment(service),
		"get-payment":            payments.GetPayment(s.store),
		"capture-payment":        payments.CapturePayment(service),
		"void-payment":           payments.VoidPayment(service),
		"create-refund":          payments.CreateRefund(service),
		"receive-stripe-webhook": payments.ReceiveStripeWebhook(service, paymentsstripe.Live(s.live).Notification, s.clock.now),
	}
	return apitest.New(s.t, payments.Routes(), handlers, func(api.Route) middleware.Config {
		return middleware.Config{
			Authenticator: middleware.GatewayAuthenticator(time.Now),
			Idempotency:   idempotency.Middleware(&s.memory.Records, s.clock.now),
		}
	})
}

// killed sends a request to a process that dies at the boundary, and reports whether it has died.
func (s *shop) killed(killAt int, request func(*apitest.API) apitest.Answer) bool {
	_, killed, _ := s.run(killAt, func(service *payments.Service) error {
		if request(s.serve(service)).Status == http.StatusInternalServerError { // what the chain makes of the kill
			panic(died{})
		}
		return nil
	})
	return killed
}

// hooked is a shop that Stripe notifies.
func hooked(t *testing.T) *shop {
	t.Helper()
	s := newShop(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := s.api.Do(http.MethodPost, "/v1/webhooks/stripe", read(r), apitest.Header("Stripe-Signature", r.Header.Get("Stripe-Signature")))
		w.WriteHeader(a.Status)
	}))
	t.Cleanup(server.Close)
	s.sim.Notify(server.URL)
	return s
}

func (s *shop) as(subject, roles, method, path, key, body string) apitest.Answer {
	options := []apitest.Option{apitest.As(subject, strings.Fields(roles)...)}
	if key != "" {
		options = append(options, apitest.Header("Idempotency-Key", key))
	}
	return s.api.Do(method, path, body, options...)
}

func (s *shop) pay(key, method, capture string) apitest.Answer {
	return s.as(customer, "customer", http.MethodPost, "/v1/orders/"+s.order.ID+"/payments", key,
		fmt.Sprintf(`{"payment_method":%q,"capture":%q}`, method, capture))
}

func (s *shop) staff(path, key, body string) apitest.Answer {
	return s.as("support-1", "support", http.MethodPost, path, key, body)
}

func (s *shop) read(id string) payments.Payment {
	return apitest.Decode[payments.Payment](s.as(customer, "customer", http.MethodGet, "/v1/payments/"+id, "", "").Want(http.StatusOK))
}

func euros(minor int64) money.Money { return money.Money{AmountMinor: minor, Currency: "EUR"} }
