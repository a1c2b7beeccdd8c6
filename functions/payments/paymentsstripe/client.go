// Package paymentsstripe is the payments.Provider that talks to Stripe, through PaymentIntents.
//
// A payment is announced first and confirmed second. The announcement moves no money, and its id is stored before
// the confirmation is sent: however often a confirmation is repeated, Stripe carries out one for each PaymentIntent,
// and a cancelled PaymentIntent cannot be confirmed.
package paymentsstripe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v84"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/shared/money"
)

// The names of the metadata that our objects carry at Stripe.
const (
	MetadataPayment = "payment_id"
	MetadataOrder   = "order_id"
	MetadataRefund  = "refund_id"
)

const (
	defaultTimeout = 5 * time.Second
	defaultReserve = 2 * time.Second
	// maxRefunds is the most refunds that one page of Stripe's list has.
	maxRefunds = 100
)

// Config is how Stripe is reached.
type Config struct {
	// BaseURL is where the API is; empty is Stripe's own address.
	BaseURL string `env:"STRIPE_BASE_URL"`
	// Timeout is the longest that one request may take; 0 is 5 s.
	Timeout time.Duration `env:"STRIPE_TIMEOUT"`
	// HTTP sends the requests; nil is a client of its own.
	HTTP *http.Client
}

// Keys are the account's secrets.
type Keys struct {
	// API authenticates our requests.
	API string
	// Webhooks sign Stripe's notifications: one, or two while it is rotated.
	Webhooks []string
}

// ErrKeys is a secret of another form than {"api_key": "…", "webhook_secrets": ["…"]}. It does not quote the secret.
var ErrKeys = errors.New("paymentsstripe: want an object with api_key and one or two webhook_secrets")

// ParseKeys reads the secret: {"api_key": "sk_…", "webhook_secrets": ["whsec_…"]}. One webhook secret may be a string.
func ParseKeys(text []byte) (Keys, error) {
	var in struct {
		API      string          `json:"api_key"`
		Webhooks json.RawMessage `json:"webhook_secrets"`
	}
	if json.Unmarshal(text, &in) != nil || in.API == "" {
		return Keys{}, ErrKeys
	}
	keys := Keys{API: in.API}
	var one string
	if json.Unmarshal(in.Webhooks, &one) == nil {
		keys.Webhooks = []string{one}
	} else if json.Unmarshal(in.Webhooks, &keys.Webhooks) != nil {
		return Keys{}, ErrKeys
	}
	if len(keys.Webhooks) < 1 || len(keys.Webhooks) > 2 {
		return Keys{}, ErrKeys
	}
	if slices.Contains(keys.Webhooks, "") {
		return Keys{}, ErrKeys
	}
	return keys, nil
}

// Client is Stripe with one set of keys. It is safe for concurrent use.
type Client struct {
	api     *stripe.Client
	keys    Keys
	timeout time.Duration
}

var _ payments.Provider = (*Client)(nil)

// New returns a client. It sends nothing.
func New(cfg Config, keys Keys) (*Client, error) {
	if keys.API == "" || len(keys.Webhooks) == 0 {
		return nil, ErrKeys
	}
	client := cfg.HTTP
	if client == nil {
		client = &http.Client{}
	}
	backend := &stripe.BackendConfig{
		EnableTelemetry: new(false),
		HTTPClient:      client,
		// Errors quote what was sent: nothing of it may be logged.
		LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull},
		// The SDK's own retries would hide a request whose outcome is not known.
		MaxNetworkRetries: stripe.Int64(0),
	}
	if cfg.BaseURL != "" {
		backend.URL = stripe.String(strings.TrimSuffix(cfg.BaseURL, "/"))
	}
	timeout := cfg.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	api := stripe.NewClient(keys.API, stripe.WithBackends(&stripe.Backends{API: stripe.GetBackendWithConfig(stripe.APIBackend, backend)}))
	return &Client{api: api, keys: keys, timeout: timeout}, nil
}

// limit ends a request early enough to store what came of it.
func (c *Client) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	timeout := c.timeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = min(timeout, max(time.Until(deadline)-defaultReserve, 0)) //nolint:forbidigo // a context's deadline is on the wall clock
	}
	return context.WithTimeout(ctx, timeout)
}

// Create implements payments.Provider.
func (c *Client) Create(ctx context.Context, key string, p payments.Payment) (string, error) {
	ctx, cancel := c.limit(ctx)
	defer cancel()
	amount, err := toStripe(p.Amount)
	if err != nil {
		return "", err
	}
	params := &stripe.PaymentIntentCreateParams{
		Amount:        &amount,
		Currency:      stripe.String(strings.ToLower(p.Amount.Currency)),
		CaptureMethod: stripe.String(string(p.Capture)),
		PaymentMethod: &p.Method,
		AutomaticPaymentMethods: &stripe.PaymentIntentCreateAutomaticPaymentMethodsParams{
			Enabled: new(true), AllowRedirects: stripe.String("never"),
		},
		Metadata: map[string]string{MetadataPayment: p.ID, MetadataOrder: p.OrderID},
	}
	if p.Capture == payments.Manual { // so that each shipment can capture its own part
		params.PaymentMethodOptions = &stripe.PaymentIntentCreatePaymentMethodOptionsParams{
			Card: &stripe.PaymentIntentCreatePaymentMethodOptionsCardParams{RequestMulticapture: stripe.String("if_available")},
		}
	}
	params.SetIdempotencyKey(key)
	intent, err := c.api.V1PaymentIntents.Create(ctx, params)
	if err != nil {
		return "", failure("create a payment", err)
	}
	if intent.ID == "" || intent.Metadata[MetadataPayment] != p.ID {
		return "", errors.New("create a payment: the answer is about another payment")
	}
	return intent.ID, nil
}

// Confirm implements payments.Provider.
func (c *Client) Confirm(ctx context.Context, key string, p payments.Payment) (payments.Report, error) {
	ctx, cancel := c.limit(ctx)
	defer cancel()
	params := &stripe.PaymentIntentConfirmParams{PaymentMethod: &p.Method, ErrorOnRequiresAction: new(true)}
	params.SetIdempotencyKey(key)
	intent, err := c.api.V1PaymentIntents.Confirm(ctx, p.Ref, params)
	if declined, ok := declinedBy(err); ok {
		return report(declined)
	}
	return answer("confirm a payment", intent, err)
}

// Capture implements payments.Provider.
func (c *Client) Capture(ctx context.Context, key string, p payments.Payment, amount money.Money, final bool) (payments.Report, error) {
	ctx, cancel := c.limit(ctx)
	defer cancel()
	minor, err := toStripe(amount)
	if err != nil {
		return payments.Report{}, err
	}
	params := &stripe.PaymentIntentCaptureParams{AmountToCapture: &minor}
	if !final {
		params.FinalCapture = new(false)
	}
	params.SetIdempotencyKey(key)
	intent, err := c.api.V1PaymentIntents.Capture(ctx, p.Ref, params)
	return answer("capture a payment", intent, err)
}

// Cancel implements payments.Provider.
func (c *Client) Cancel(ctx context.Context, key string, p payments.Payment) (payments.Report, error) {
	ctx, cancel := c.limit(ctx)
	defer cancel()
	params := &stripe.PaymentIntentCancelParams{}
	params.SetIdempotencyKey(key)
	intent, err := c.api.V1PaymentIntents.Cancel(ctx, p.Ref, params)
	return answer("cancel a payment", intent, err)
}

// Refund implements payments.Provider.
func (c *Client) Refund(ctx context.Context, key string, p payments.Payment, r payments.Refund) (payments.Report, error) {
	ctx, cancel := c.limit(ctx)
	defer cancel()
	amount, err := toStripe(r.Amount)
	if err != nil {
		return payments.Report{}, err
	}
	params := &stripe.RefundCreateParams{
		Amount: &amount, PaymentIntent: &p.Ref,
		Metadata: map[string]string{MetadataPayment: p.ID, MetadataOrder: p.OrderID, MetadataRefund: r.ID},
	}
	params.SetIdempotencyKey(key)
	refund, err := c.api.V1Refunds.Create(ctx, params)
	if err != nil {
		return payments.Report{}, failure("refund a payment", err)
	}
	return payments.Report{
		PaymentID: refund.Metadata[MetadataPayment], Ref: p.Ref, Currency: currency(string(refund.Currency)),
		Refunds: []payments.RefundReport{refundReport(refund.ID, string(refund.Status), string(refund.Currency), refund.Amount, refund.Metadata)},
	}, nil
}

// Lookup implements payments.Provider.
func (c *Client) Lookup(ctx context.Context, p payments.Payment) (payments.Report, error) {
	ctx, cancel := c.limit(ctx)
	defer cancel()
	intent, err := c.api.V1PaymentIntents.Retrieve(ctx, p.Ref, nil)
	found, err := answer("look up a payment", intent, err)
	if err != nil || len(p.Refunds) == 0 {
		return found, err
	}
	params := &stripe.RefundListParams{PaymentIntent: &p.Ref}
	params.Limit = stripe.Int64(maxRefunds)
	for refund, err := range c.api.V1Refunds.List(ctx, params) {
		if err != nil {
			return payments.Report{}, failure("list refunds", err)
		}
		found.Refunds = append(found.Refunds,
			refundReport(refund.ID, string(refund.Status), string(refund.Currency), refund.Amount, refund.Metadata))
	}
	return found, nil
}

func answer(what string, intent *stripe.PaymentIntent, err error) (payments.Report, error) {
	if err != nil {
		return payments.Report{}, failure(what, err)
	}
	return report(intent)
}

// declinedBy returns the payment in an answer of 402.
func declinedBy(err error) (*stripe.PaymentIntent, bool) {
	failed, ok := errors.AsType[*stripe.Error](err)
	if !ok || failed.HTTPStatusCode != http.StatusPaymentRequired || failed.PaymentIntent == nil {
		return nil, false
	}
	return failed.PaymentIntent, true
}

// failure sorts an error as payments.Provider asks. No text of Stripe's is kept: it may quote what was sent.
func failure(what string, err error) error {
	failed, ok := errors.AsType[*stripe.Error](err)
	switch {
	case !ok:
		return fmt.Errorf("%s: no answer: %w", what, cause(err))
	case failed.HTTPStatusCode >= http.StatusInternalServerError:
		return fmt.Errorf("%s: status %d: %w", what, failed.HTTPStatusCode, payments.ErrAnswered)
	case failed.HTTPStatusCode == http.StatusConflict || failed.HTTPStatusCode == http.StatusTooManyRequests:
		return fmt.Errorf("%s: status %d", what, failed.HTTPStatusCode)
	case failed.HTTPStatusCode == http.StatusUnauthorized || failed.HTTPStatusCode == http.StatusForbidden:
		// Our own keys: nothing is said about the payment.
		return fmt.Errorf("%s: status %d: %w", what, failed.HTTPStatusCode, payments.ErrAnswered)
	default:
		return fmt.Errorf("%s: status %d: %w", what, failed.HTTPStatusCode, &payments.RefusedError{Code: reason(string(failed.DeclineCode), string(failed.Code), string(failed.Type))})
	}
}

// cause is the part of a network error that may be logged.
func cause(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return errTimeout
	default:
		return errNetwork
	}
}

var (
	errTimeout = errors.New("timeout")
	errNetwork = errors.New("network")
)
