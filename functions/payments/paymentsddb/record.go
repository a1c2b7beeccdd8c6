package paymentsddb

import (
	"strings"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/money"
)

const (
	paymentPrefix = "PAY#"
	refundPrefix  = "RF#"
	paymentSK     = "META"
)

func orderPartition(id string) string { return "O#" + id }

func paymentKey(id string) ddb.Key { return ddb.Key{PK: paymentPrefix + id, SK: paymentSK} }

// paymentRecord is a payment's item. Amounts are in minor units of the amount's currency, times in milliseconds since
// 1970.
type paymentRecord struct {
	PK     string `dynamodbav:"PK"`
	SK     string `dynamodbav:"SK"`
	GSI1PK string `dynamodbav:"GSI1PK,omitempty"`
	GSI1SK string `dynamodbav:"GSI1SK,omitempty"`

	ID          string            `dynamodbav:"id"`
	OrderID     string            `dynamodbav:"order_id"`
	Customer    string            `dynamodbav:"customer"`
	Status      payments.Status   `dynamodbav:"status"`
	Capture     payments.Capture  `dynamodbav:"capture"`
	Method      string            `dynamodbav:"method"`
	Ref         string            `dynamodbav:"provider_ref,omitempty"`
	Amount      money.Money       `dynamodbav:"amount"`
	Authorized  int64             `dynamodbav:"authorized_minor"`
	Captured    int64             `dynamodbav:"captured_minor"`
	Refunded    int64             `dynamodbav:"refunded_minor"`
	Capturable  int64             `dynamodbav:"capturable_minor"`
	Refundable  int64             `dynamodbav:"refundable_minor"`
	Shipped     int64             `dynamodbav:"shipped_minor"`
	DeclineCode string            `dynamodbav:"decline_code,omitempty"`
	Pending     *payments.Attempt `dynamodbav:"pending,omitempty"`
	Sequence    int64             `dynamodbav:"sequence"`
	Refused     []int64           `dynamodbav:"refused,omitempty"`
	Reverse     bool              `dynamodbav:"reverse"`
	Failures    int64             `dynamodbav:"failures"`
	NextAt      int64             `dynamodbav:"next_at,omitempty"`
	Version     int64             `dynamodbav:"version"`
	CreatedAt   int64             `dynamodbav:"created_at"`
	UpdatedAt   int64             `dynamodbav:"updated_at"`
}

func newPaymentRecord(p payments.Payment) paymentRecord {
	key := paymentKey(p.ID)
	r := paymentRecord{
		PK: key.PK, SK: key.SK, ID: p.ID, OrderID: p.OrderID, Customer: p.Customer, Status: p.Status, Capture: p.Capture,
		Method: p.Method, Ref: p.Ref, Amount: p.Amount, Authorized: p.Authorized.AmountMinor, Captured: p.Captured.AmountMinor,
		Refunded: p.Refunded.AmountMinor, Capturable: p.Capturable, Refundable: p.Refundable, Shipped: p.Shipped,
		DeclineCode: p.DeclineCode, Pending: p.Pending, Sequence: p.Sequence, Refused: p.Refused, Reverse: p.Reverse, Failures: p.Failures,
		Version: p.Version, CreatedAt: p.CreatedAt.UnixMilli(), UpdatedAt: p.UpdatedAt.UnixMilli(),
	}
	if !p.NextAt.IsZero() {
		r.NextAt = p.NextAt.UnixMilli()
		r.GSI1PK, r.GSI1SK = work, dueKey(p.NextAt.Time, p.ID)
	}
	return r
}

func (r paymentRecord) payment() payments.Payment {
	amount := func(minor int64) money.Money { return money.Money{AmountMinor: minor, Currency: r.Amount.Currency} }
	var next api.Time
	if r.NextAt != 0 {
		next = api.NewTime(ddb.FromMillis(r.NextAt))
	}
	return payments.Payment{
		ID: r.ID, OrderID: r.OrderID, Status: r.Status, Capture: r.Capture, Amount: r.Amount, Authorized: amount(r.Authorized),
		Captured: amount(r.Captured), Refunded: amount(r.Refunded), DeclineCode: r.DeclineCode, Pending: r.Pending,
		Refunds: []payments.Refund{}, Version: r.Version, CreatedAt: api.NewTime(ddb.FromMillis(r.CreatedAt)),
		UpdatedAt: api.NewTime(ddb.FromMillis(r.UpdatedAt)), Customer: r.Customer, Method: r.Method, Ref: r.Ref,
		Capturable: r.Capturable, Refundable: r.Refundable, Sequence: r.Sequence, Refused: r.Refused, Shipped: r.Shipped, Reverse: r.Reverse,
		Failures: r.Failures, NextAt: next,
	}
}

// refundRecord is a refund's item. Times are in milliseconds since 1970.
type refundRecord struct {
	PK        string                `dynamodbav:"PK"`
	SK        string                `dynamodbav:"SK"`
	ID        string                `dynamodbav:"id"`
	PaymentID string                `dynamodbav:"payment_id"`
	OrderID   string                `dynamodbav:"order_id"`
	Status    payments.RefundStatus `dynamodbav:"status"`
	Amount    money.Money           `dynamodbav:"amount"`
	Reason    string                `dynamodbav:"reason"`
	Ref       string                `dynamodbav:"provider_ref,omitempty"`
	CreatedAt int64                 `dynamodbav:"created_at"`
	UpdatedAt int64                 `dynamodbav:"updated_at"`
}

func newRefundRecord(r payments.Refund) refundRecord {
	return refundRecord{
		PK: paymentPrefix + r.PaymentID, SK: refundPrefix + r.ID, ID: r.ID, PaymentID: r.PaymentID, OrderID: r.OrderID,
		Status: r.Status, Amount: r.Amount, Reason: r.Reason, Ref: r.Ref,
		CreatedAt: r.CreatedAt.UnixMilli(), UpdatedAt: r.UpdatedAt.UnixMilli(),
	}
}

func (r refundRecord) refund() payments.Refund {
	return payments.Refund{
		ID: r.ID, PaymentID: r.PaymentID, OrderID: r.OrderID, Status: r.Status, Amount: r.Amount, Reason: r.Reason, Ref: r.Ref,
		CreatedAt: api.NewTime(ddb.FromMillis(r.CreatedAt)), UpdatedAt: api.NewTime(ddb.FromMillis(r.UpdatedAt)),
	}
}

// pointerRecord is the item that names a payment of an order.
type pointerRecord struct {
	PK string `dynamodbav:"PK"`
	SK string `dynamodbav:"SK"`
}

// notificationRecord is the item of a notification. TTL is in seconds since 1970.
type notificationRecord struct {
	PK   string `dynamodbav:"PK"`
	SK   string `dynamodbav:"SK"`
	Type string `dynamodbav:"type"`
	TTL  int64  `dynamodbav:"ttl"`
}

// decodePayment joins the items of a payment's partition, which are ordered by their sort keys.
func decodePayment(items []ddb.Item) (payments.Payment, error) {
	var found *paymentRecord
	refunds := []payments.Refund{}
	for _, item := range items {
		key, _ := ddb.KeyOf(item)
		switch {
		case key.SK == paymentSK:
			found = &paymentRecord{}
			if err := ddb.Decode(item, found); err != nil {
				return payments.Payment{}, err
			}
		case strings.HasPrefix(key.SK, refundPrefix):
			var r refundRecord
			if err := ddb.Decode(item, &r); err != nil {
				return payments.Payment{}, err
			}
			refunds = append(refunds, r.refund())
		}
	}
	if found == nil {
		return payments.Payment{}, payments.ErrNotFound
	}
	p := found.payment()
	p.Refunds = refunds
	return p, nil
}
