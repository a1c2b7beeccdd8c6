package shipments

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

type scanRecorder interface {
	Record(ctx context.Context, shipmentID, eventID string, of ScanType, at api.Time) (Scan, error)
}

// reportRequest is a report about a parcel.
type reportRequest struct {
	// EventID is the sender's name for the report. The same id is the same report: it counts once.
	EventID *string `json:"event_id"`
	// Type is what happened.
	Type *ScanType `json:"type"`
	// At is when it happened, by the sender's clock: not more than 5 minutes in the future.
	At *api.Time `json:"at"`
}

// Validate implements api.Validator.
func (in reportRequest) Validate() []problem.FieldError {
	var r rules
	r.report(in.EventID, in.Type, in.At)
	return r.broken
}

// AddShipmentEvent takes a report of the staff about a parcel and answers 202 with it. A report that arrived before is
// answered as it was then, and one that later reports have overtaken is kept and moves nothing.
func AddShipmentEvent(shipments scanRecorder) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		in, err := api.Decode[reportRequest](r)
		if err != nil {
			return err
		}

		scan, err := shipments.Record(r.Context(), r.PathValue("id"), *in.EventID, *in.Type, *in.At)
		if err != nil {
			return err
		}
		return api.Write(w, http.StatusAccepted, scan)
	}
}
