package shipmentsddb

import (
	"github.com/tienda-dev/tienda/functions/shipments"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/money"
)

// record is a shipment's item. Times are in milliseconds since 1970.
type record struct {
	ddb.Key

	ID            string            `dynamodbav:"id"`
	OrderID       string            `dynamodbav:"order_id"`
	Customer      string            `dynamodbav:"customer"`
	Status        shipments.Status  `dynamodbav:"status"`
	Carrier       string            `dynamodbav:"carrier"`
	Lines         []lineRecord      `dynamodbav:"lines"`
	Amount        money.Money       `dynamodbav:"amount"`
	TrackingToken string            `dynamodbav:"tracking_token"`
	Milestones    []milestoneRecord `dynamodbav:"milestones"`
	Version       int64             `dynamodbav:"version"`
	CreatedAt     int64             `dynamodbav:"created_at"`
	UpdatedAt     int64             `dynamodbav:"updated_at"`
}

type lineRecord struct {
	SKU      string `dynamodbav:"sku"`
	Quantity int64  `dynamodbav:"quantity"`
}

type milestoneRecord struct {
	Type shipments.ScanType `dynamodbav:"type"`
	At   int64              `dynamodbav:"at"`
}

// pointerRecord leads from an order to its shipment.
type pointerRecord struct {
	ddb.Key

	ShipmentID string `dynamodbav:"shipment_id"`
}

// scanRecord is a report of a carrier. Times are in milliseconds since 1970.
type scanRecord struct {
	ddb.Key

	EventID    string             `dynamodbav:"event_id"`
	ShipmentID string             `dynamodbav:"shipment_id"`
	Type       shipments.ScanType `dynamodbav:"type"`
	At         int64              `dynamodbav:"at"`
	Moved      bool               `dynamodbav:"moved"`
	Status     shipments.Status   `dynamodbav:"status"`
	ReceivedAt int64              `dynamodbav:"received_at"`
}

// The keys of items. A tracking token is a key of its own, so that reading it takes no index.
func shipmentKey(id string) ddb.Key { return ddb.Key{PK: "SH#" + id, SK: "META"} }

func scanKey(shipmentID, eventID string) ddb.Key {
	return ddb.Key{PK: shipmentKey(shipmentID).PK, SK: "SC#" + eventID}
}

func tokenKey(token string) ddb.Key { return ddb.Key{PK: "TRK#" + token, SK: "T"} }

func orderPartition(orderID string) string { return "O#" + orderID }

func pointerKey(orderID, id string) ddb.Key {
	return ddb.Key{PK: orderPartition(orderID), SK: pointerPrefix + id}
}

// pointerPrefix begins the sort keys of an order's pointers. Ids are ULIDs, so they are in the order of creation.
const pointerPrefix = "SH#"

func newRecord(s shipments.Shipment) record {
	r := record{
		Key: shipmentKey(s.ID), ID: s.ID, OrderID: s.OrderID, Customer: s.Customer, Status: s.Status, Carrier: s.Carrier,
		Lines: make([]lineRecord, len(s.Lines)), Amount: s.Amount, TrackingToken: s.TrackingToken,
		Milestones: make([]milestoneRecord, len(s.Milestones)),
		Version:    s.Version, CreatedAt: s.CreatedAt.UnixMilli(), UpdatedAt: s.UpdatedAt.UnixMilli(),
	}
	for i, l := range s.Lines {
		r.Lines[i] = lineRecord(l)
	}
	for i, m := range s.Milestones {
		r.Milestones[i] = milestoneRecord{Type: m.Type, At: m.At.UnixMilli()}
	}
	return r
}

func (r record) shipment() shipments.Shipment {
	s := shipments.Shipment{
		ID: r.ID, OrderID: r.OrderID, Customer: r.Customer, Status: r.Status, Carrier: r.Carrier,
		Lines: make([]shipments.Line, len(r.Lines)), Amount: r.Amount, TrackingToken: r.TrackingToken,
		Milestones: make([]shipments.Milestone, len(r.Milestones)),
		Version:    r.Version, CreatedAt: moment(r.CreatedAt), UpdatedAt: moment(r.UpdatedAt),
	}
	for i, l := range r.Lines {
		s.Lines[i] = shipments.Line(l)
	}
	for i, m := range r.Milestones {
		s.Milestones[i] = shipments.Milestone{Type: m.Type, At: moment(m.At)}
	}
	return s
}

func newScanRecord(s shipments.Scan) scanRecord {
	return scanRecord{
		Key: scanKey(s.ShipmentID, s.EventID), EventID: s.EventID, ShipmentID: s.ShipmentID, Type: s.Type,
		At: s.At.UnixMilli(), Moved: s.Moved, Status: s.Status, ReceivedAt: s.ReceivedAt.UnixMilli(),
	}
}

func (r scanRecord) scan() shipments.Scan {
	return shipments.Scan{
		EventID: r.EventID, ShipmentID: r.ShipmentID, Type: r.Type, At: moment(r.At), Moved: r.Moved, Status: r.Status,
		ReceivedAt: moment(r.ReceivedAt),
	}
}

func moment(ms int64) api.Time { return api.NewTime(ddb.FromMillis(ms)) }
