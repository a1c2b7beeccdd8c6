package shipments

import (
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/money"
)

// The types of the events of a shipment: the prefix with its new status.
const (
	eventPrefix  = "shipment."
	eventCreated = eventPrefix + string(Created)
)

// createdData is the data of shipment.created.
type createdData struct {
	OrderID    string `json:"order_id"`
	ShipmentID string `json:"shipment_id"`
	// Version is the shipment's.
	Version int64  `json:"version"`
	Lines   []Line `json:"lines"`
	// Amount is what to capture where the payment waits for the shipment.
	Amount money.Money `json:"amount"`
}

func newCreatedData(s Shipment) createdData {
	return createdData{OrderID: s.OrderID, ShipmentID: s.ID, Version: s.Version, Lines: s.Lines, Amount: s.Amount}
}

// movedData is the data of the events of a shipment's other statuses.
type movedData struct {
	OrderID    string   `json:"order_id"`
	ShipmentID string   `json:"shipment_id"`
	Version    int64    `json:"version"`
	At         api.Time `json:"at"`
}

func newMovedData(s Shipment, scan Scan) movedData {
	return movedData{OrderID: s.OrderID, ShipmentID: s.ID, Version: s.Version, At: scan.At}
}
