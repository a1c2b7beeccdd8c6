//go:build openapi

package shipments

import (
	"net/http"

	"github.com/tienda-dev/tienda/internal/openapi"
	"github.com/tienda-dev/tienda/shared/page"
	"github.com/tienda-dev/tienda/shared/problem"
)

// OpenAPI describes the shipments for the API's document.
func OpenAPI() openapi.Resource {
	return openapi.Resource{
		Name:        "shipments",
		Description: "The parcels of orders. Staff ship orders, carriers report where parcels are, customers follow them.",
		Schemas:     schemas(),
		Operations: []openapi.Operation{
			{
				Route: CreateShipmentRoute, Summary: "Ship an order or a part of it",
				Description: "Without lines it ships everything that is left. Where a payment waits for its shipment, the amount of the shipment is then captured.",
				Parameters:  []openapi.Parameter{orderID()},
				Body:        createShipmentRequest{},
				Responses: []openapi.Response{{
					Status: http.StatusCreated, Description: "The shipment.", Body: Shipment{}, Example: true,
					Headers: []openapi.ResponseHeader{openapi.Location()},
				}},
				Problems: []*problem.Error{ErrOrderNotFound, ErrNotPaid, ErrInvalidTransition, ErrOverShip, ErrOrderChanged},
			},
			{
				Route: ListOrderShipmentsRoute, Summary: "List the shipments of an order, oldest first",
				Description: "For the customer who ordered, and for support, fulfilment and admin.",
				Parameters:  append(openapi.PageParameters(), orderID()),
				Responses: []openapi.Response{{
					Status: http.StatusOK, Description: "A page of shipments.", Body: page.Page[Shipment]{}, Example: true,
				}},
				Problems: []*problem.Error{ErrOrderNotFound, page.ErrInvalidCursor},
			},
			{
				Route: GetShipmentRoute, Summary: "Read a shipment",
				Description: "For the customer who ordered, and for support, fulfilment and admin.",
				Parameters:  []openapi.Parameter{openapi.PathID("id", "The shipment's id.")},
				Responses: []openapi.Response{{
					Status: http.StatusOK, Description: "The shipment.", Body: Shipment{}, Example: true,
					Headers: []openapi.ResponseHeader{openapi.ETag()},
				}},
				Problems: []*problem.Error{ErrNotFound},
			},
			{
				Route: AddShipmentEventRoute, Summary: "Report what happened to a shipment",
				Description: "A report counts once for each event_id, and may come late: the status then remains as it is.",
				Parameters:  []openapi.Parameter{openapi.PathID("id", "The shipment's id.")},
				Body:        reportRequest{},
				Responses: []openapi.Response{{
					Status: http.StatusAccepted, Description: "The report, as it was answered the first time.", Body: Scan{}, Example: true,
				}},
				Problems: []*problem.Error{ErrNotFound, ErrChanged},
			},
			{
				Route: ReceiveCarrierEventRoute, Summary: "Receive a carrier's report",
				Description: "For carriers, who sign their requests. A report counts once for each event_id, and may come late: the status then remains as it is.",
				Parameters: []openapi.Parameter{{
					In: openapi.Header, Name: HeaderSignature, Required: true,
					Description: "The time in seconds since 1970, and the HMAC-SHA256 of that text, a full stop and the body, in hex, with the shared key.",
					Rules:       openapi.Rules{Type: "string"},
					Example:     "t=1772366430,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd",
				}},
				Body: carrierReportRequest{},
				Responses: []openapi.Response{{
					Status: http.StatusAccepted, Description: "The report, as it was answered the first time.", Body: Scan{}, Example: true, ExampleOf: AddShipmentEventRoute.Name,
				}},
				Problems: []*problem.Error{ErrNotFound, ErrChanged, ErrBadSignature, ErrStaleSignature},
			},
			{
				Route: TrackShipmentRoute, Summary: "Follow a parcel by its tracking token",
				Description: "For everybody who has the token. It shows nothing of the order and of its customer.",
				Parameters: []openapi.Parameter{{
					In: openapi.Path, Name: "token", Description: "The shipment's tracking_token.", Required: true,
					Rules: openapi.Rules{Type: "string"}, Example: "MFRGGZDFMZTWQ2LKNNWG23TPOA",
				}},
				Responses: []openapi.Response{{
					Status: http.StatusOK, Description: "Where the parcel is.", Body: tracking{}, Example: true,
				}},
				Problems: []*problem.Error{ErrNotFound},
			},
		},
	}
}

func orderID() openapi.Parameter { return openapi.PathID("id", "The order's id.") }

func schemas() []openapi.Schema {
	sku := openapi.Rules{Pattern: skuPattern.String()}
	quantity, event := openapi.Between(1, MaxQuantity), openapi.Rules{Pattern: eventPattern.String()}
	carrier, token := openapi.Name(MaxCarrier), openapi.Rules{Pattern: tokenPattern.String()}
	line := map[string]openapi.Rules{"sku": sku, "quantity": quantity}
	return []openapi.Schema{
		{Name: "Shipment", Value: Shipment{}, Members: map[string]openapi.Rules{
			"id": openapi.ULID(), "order_id": openapi.ULID(), "carrier": carrier, "tracking_token": token, "version": openapi.AtLeast(1),
		}},
		{Name: "ShipmentStatus", Value: Created, Members: map[string]openapi.Rules{"": openapi.OneOf(Statuses()...)}},
		{Name: "ShipmentPage", Value: page.Page[Shipment]{}, Members: map[string]openapi.Rules{"data": {MaxItems: page.MaxLimit}}},
		{Name: "ShipmentLine", Value: Line{}, Members: line},
		{Name: "ShipmentMilestone", Value: Milestone{}},
		{Name: "ShipmentEventType", Value: ScanDelivered, Members: map[string]openapi.Rules{"": openapi.OneOf(ScanTypes()...)}},
		{Name: "ShipmentEvent", Value: Scan{}, Members: map[string]openapi.Rules{"event_id": event, "shipment_id": openapi.ULID()}},
		{Name: "Tracking", Value: tracking{}, Members: map[string]openapi.Rules{"carrier": carrier}},
		{
			Name: "CreateShipment", Value: createShipmentRequest{}, Required: []string{"carrier"},
			Members: map[string]openapi.Rules{"lines": {MinItems: 1, MaxItems: MaxLines, Nullable: true}, "carrier": carrier},
		},
		{Name: "CreateShipmentLine", Value: lineRequest{}, Required: []string{"sku", "quantity"}, Members: line},
		{
			Name: "AddShipmentEvent", Value: reportRequest{}, Required: []string{"event_id", "type", "at"},
			Members: map[string]openapi.Rules{"event_id": event},
		},
		{
			Name: "CarrierEvent", Value: carrierReportRequest{}, Required: []string{"shipment_id", "event_id", "type", "at"},
			Members: map[string]openapi.Rules{"shipment_id": openapi.ULID(), "event_id": event},
		},
	}
}
