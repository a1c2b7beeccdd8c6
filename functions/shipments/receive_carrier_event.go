package shipments

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/clock"
	"github.com/tienda-dev/tienda/shared/problem"
)

// CarrierKeys returns the current keys of carriers: they may be rotated while the process runs.
type CarrierKeys interface {
	Get(ctx context.Context) []CarrierKey
}

type carrierReportRequest struct {
	// ShipmentID is the id of the parcel.
	ShipmentID *string `json:"shipment_id"`
	// EventID is the carrier's name for the report. The same id is the same report: it counts once.
	EventID *string `json:"event_id"`
	// Type is what happened.
	Type *ScanType `json:"type"`
	// At is when it happened, by the carrier's clock: not more than 5 minutes in the future.
	At *api.Time `json:"at"`
}

// Validate implements api.Validator.
func (in carrierReportRequest) Validate() []problem.FieldError {
	var r rules
	if r.given("/shipment_id", in.ShipmentID != nil) {
		if _, ok := api.ULID(*in.ShipmentID); !ok {
			r.refuse("/shipment_id", "must be the id of a shipment")
		}
	}
	r.report(in.EventID, in.Type, in.At)
	return r.broken
}

// ReceiveCarrierEvent takes a report of a carrier about a parcel and answers 202 with it, as AddShipmentEvent does. The
// header Carrier-Signature proves who sends it: 401 bad_signature and 400 stale_signature are answered before the body
// is looked at. Reports may come late, in any order and repeatedly.
func ReceiveCarrierEvent(shipments scanRecorder, keys CarrierKeys, now func() time.Time) api.Handler {
	now = clock.Wall(now)
	return func(w http.ResponseWriter, r *http.Request) error {
		body, err := api.ReadBody(r)
		if err != nil {
			return err
		}
		if err := verify(r.Header.Values(HeaderSignature), body, keys.Get(r.Context()), now()); err != nil {
			return err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		in, err := api.Decode[carrierReportRequest](r)
		if err != nil {
			return err
		}

		scan, err := shipments.Record(r.Context(), *in.ShipmentID, *in.EventID, *in.Type, *in.At)
		if err != nil {
			return err
		}
		return api.Write(w, http.StatusAccepted, scan)
	}
}
