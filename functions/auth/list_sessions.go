package auth

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/session"
)

type sessionLister interface {
	List(ctx context.Context, subject string) (live []session.Session, more bool, err error)
}

type sessionResponse struct {
	ID string `json:"id"`
	// DeviceName is the name from the login; may be empty.
	DeviceName string `json:"device_name"`
	// Current is whether this is the session of the request.
	Current bool `json:"current"`
	// CreatedAt is when the login happened.
	CreatedAt api.Time `json:"created_at"`
	// RefreshedAt is when the tokens were last refreshed.
	RefreshedAt api.Time `json:"refreshed_at"`
	// ExpiresAt is when the session ends unless it is refreshed before.
	ExpiresAt api.Time `json:"expires_at"`
}

type sessionsResponse struct {
	Data []sessionResponse `json:"data"`
	// HasMore is whether there are older sessions, which only logout-all can end.
	HasMore bool `json:"has_more"`
}

// ListSessions answers 200 with the caller's live sessions among the newest 100, newest first.
func ListSessions(sessions sessionLister) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		caller, _ := identity.From(r.Context())
		all, more, err := sessions.List(r.Context(), caller.Subject)
		if err != nil {
			return err
		}
		out := sessionsResponse{Data: make([]sessionResponse, len(all)), HasMore: more}
		for i, s := range all {
			out.Data[i] = sessionResponse{
				ID: s.ID, DeviceName: s.Device.Name, Current: s.ID == caller.SessionID,
				CreatedAt: api.NewTime(s.CreatedAt), RefreshedAt: api.NewTime(s.RotatedAt), ExpiresAt: api.NewTime(s.ExpiresAt()),
			}
		}
		return api.Write(w, http.StatusOK, out)
	}
}
