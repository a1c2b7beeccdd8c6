package shipments

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
)

type shipmentTracker interface {
	Track(ctx context.Context, token string) (Shipment, error)
}

// tracking is what everybody with the token sees of a parcel: nothing of the order, its address or its customer.
type tracking struct {
	// Status is where the parcel is.
	Status Status `json:"status"`
	// Carrier is the name of the company that carries it.
	Carrier string `json:"carrier"`
	// Milestones are the latest reports of each type, by time.
	Milestones []Milestone `json:"milestones"`
	// CreatedAt is when the parcel was packed.
	CreatedAt api.Time `json:"created_at"`
	// UpdatedAt is when the last of these members changed.
	UpdatedAt api.Time `json:"updated_at"`
}

// TrackShipment answers 200 with where the parcel of a tracking token is, to everybody who has the token.
func TrackShipment(shipments shipmentTracker) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		token := r.PathValue("token")
		if !tokenPattern.MatchString(token) { // it cannot be one
			return ErrNotFound
		}
		s, err := shipments.Track(r.Context(), token)
		if err != nil {
			return err
		}
		return api.Write(w, http.StatusOK, tracking{
			Status: s.Status, Carrier: s.Carrier, Milestones: s.Milestones, CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt,
		})
	}
}
