package ordersddb

import (
	"fmt"
	"time"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/money"
)

// The indexes that lists read.
const (
	byCustomer = "GSI1"
	byStatus   = "GSI2"
	byExpiry   = "GSI1"
)

// orderRecord is an order's item. Times are in milliseconds since 1970.
type orderRecord struct {
	PK     string `dynamodbav:"PK"`
	SK     string `dynamodbav:"SK"`
	GSI1PK string `dynamodbav:"GSI1PK"`
	GSI1SK string `dynamodbav:"GSI1SK"`
	GSI2PK string `dynamodbav:"GSI2PK"`
	GSI2SK string `dynamodbav:"GSI2SK"`

	ID               string                        `dynamodbav:"id"`
	Status           orders.Status                 `dynamodbav:"status"`
	PaymentStatus    orders.PaymentStatus          `dynamodbav:"payment_status"`
	FulfilmentStatus orders.FulfilmentStatus       `dynamodbav:"fulfilment_status"`
	Lines            []orders.Line                 `dynamodbav:"lines"`
	Subtotal         money.Money                   `dynamodbav:"subtotal"`
	Discount         money.Money                   `dynamodbav:"discount"`
	Shipping         money.Money                   `dynamodbav:"shipping"`
	Tax              money.Money                   `dynamodbav:"tax"`
	Total            money.Money                   `dynamodbav:"total"`
	ShipTo           policy.Address                `dynamodbav:"ship_to"`
	ExpiresAt        int64                         `dynamodbav:"expires_at"`
	Version          int64                         `dynamodbav:"version"`
	CreatedAt        int64                         `dynamodbav:"created_at"`
	UpdatedAt        int64                         `dynamodbav:"updated_at"`
	Customer         string                        `dynamodbav:"customer"`
	QuoteID          string                        `dynamodbav:"quote_id,omitempty"`
	Codes            []string                      `dynamodbav:"codes"`
	PaymentID        string                        `dynamodbav:"payment_id,omitempty"`
	Shipments        map[string]orders.ParcelState `dynamodbav:"shipments"`
}

func newOrderRecord(o orders.Order) orderRecord {
	o = o.Clone()
	key, created := orderKey(o.ID), sortKey(o.CreatedAt.Time, o.ID)
	return orderRecord{
		PK: key.PK, SK: key.SK,
		GSI1PK: customerPartition(o.Customer), GSI1SK: customerPrefix + created,
		GSI2PK: statusPartition(o.Status, o.CreatedAt.Time), GSI2SK: created,

		ID:               o.ID,
		Status:           o.Status,
		PaymentStatus:    o.PaymentStatus,
		FulfilmentStatus: o.FulfilmentStatus,
		Lines:            o.Lines,
		Subtotal:         o.Subtotal,
		Discount:         o.Discount,
		Shipping:         o.Shipping,
		Tax:              o.Tax,
		Total:            o.Total,
		ShipTo:           o.ShipTo,
		ExpiresAt:        o.ExpiresAt.UnixMilli(),
		Version:          o.Version,
		CreatedAt:        o.CreatedAt.UnixMilli(),
		UpdatedAt:        o.UpdatedAt.UnixMilli(),
		Customer:         o.Customer,
		QuoteID:          o.QuoteID,
		Codes:            o.Codes,
		PaymentID:        o.PaymentID,
		Shipments:        o.Shipments,
	}
}

func (r orderRecord) order() orders.Order {
	return orders.Order{
		ID:               r.ID,
		Status:           r.Status,
		PaymentStatus:    r.PaymentStatus,
		FulfilmentStatus: r.FulfilmentStatus,
		Lines:            r.Lines,
		Subtotal:         r.Subtotal,
		Discount:         r.Discount,
		Shipping:         r.Shipping,
		Tax:              r.Tax,
		Total:            r.Total,
		ShipTo:           r.ShipTo,
		ExpiresAt:        api.NewTime(ddb.FromMillis(r.ExpiresAt)),
		Version:          r.Version,
		CreatedAt:        api.NewTime(ddb.FromMillis(r.CreatedAt)),
		UpdatedAt:        api.NewTime(ddb.FromMillis(r.UpdatedAt)),
		Customer:         r.Customer,
		QuoteID:          r.QuoteID,
		Codes:            r.Codes,
		PaymentID:        r.PaymentID,
		Shipments:        r.Shipments,
	}.Clone()
}

// reservationRecord is the stock that an order holds. The keys of GSI1 are absent unless it holds any.
type reservationRecord struct {
	PK        string                  `dynamodbav:"PK"`
	SK        string                  `dynamodbav:"SK"`
	GSI1PK    string                  `dynamodbav:"GSI1PK,omitempty"`
	GSI1SK    string                  `dynamodbav:"GSI1SK,omitempty"`
	OrderID   string                  `dynamodbav:"order_id"`
	State     orders.Hold             `dynamodbav:"state"`
	Pieces    []orders.ReservedPieces `dynamodbav:"pieces"`
	ExpiresAt int64                   `dynamodbav:"expires_at"`
}

func newReservationRecord(o orders.Order) reservationRecord {
	key := reservationKey(o.ID)
	return reservationRecord{
		PK: key.PK, SK: key.SK, GSI1PK: heldPartition, GSI1SK: sortKey(o.ExpiresAt.Time, o.ID),
		OrderID: o.ID, State: orders.Held, Pieces: o.ReservedPieces(), ExpiresAt: o.ExpiresAt.UnixMilli(),
	}
}

func (r reservationRecord) reservation() orders.Reservation {
	return orders.Reservation{OrderID: r.OrderID, State: r.State, Pieces: r.Pieces, ExpiresAt: ddb.FromMillis(r.ExpiresAt)}
}

const (
	heldPartition  = "RES#held"
	customerPrefix = "O#"
	orderSK        = "META"
	reservationSK  = "RES"
)

// partition is the partition of the order and of everything that belongs to it.
func partition(id string) string { return "O#" + id }

func orderKey(id string) ddb.Key { return ddb.Key{PK: partition(id), SK: orderSK} }

func reservationKey(id string) ddb.Key { return ddb.Key{PK: partition(id), SK: reservationSK} }

func customerPartition(customer string) string { return "C#" + customer }

func statusPartition(status orders.Status, created time.Time) string {
	return "OST#" + string(status) + "#" + created.UTC().Format("20060102")
}

// sortKey orders by time, then by id.
func sortKey(at time.Time, id string) string { return fmt.Sprintf("%015d#%s", at.UnixMilli(), id) }
