package customers

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/problem"
)

type customerUpdater interface {
	Update(ctx context.Context, id string, matches func(version int64) bool, change func(Customer) Customer) (Customer, error)
}

// updateMyProfileRequest is a merge patch (RFC 7396).
type updateMyProfileRequest struct {
	Name api.PatchField[string] `json:"name"`
}

// Validate implements api.Validator.
func (in updateMyProfileRequest) Validate() []problem.FieldError {
	var fault string
	switch {
	case in.Name.Null:
		fault = "must not be null"
	case in.Name.Set:
		fault = policy.PersonNameFault(in.Name.Value)
	}
	if fault == "" {
		return nil
	}
	return []problem.FieldError{{Pointer: "/name", Detail: fault}}
}

// UpdateMyProfile applies a merge patch to a version of the caller's profile that If-Match names and
// answers 200 with the profile and its new ETag; 428 without If-Match, 412 when it has changed.
func UpdateMyProfile(customers customerUpdater) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		matches, err := api.IfMatch(r)
		if err != nil {
			return err
		}
		in, err := api.Decode[updateMyProfileRequest](r)
		if err != nil {
			return err
		}

		c, err := customers.Update(r.Context(), identity.MustUserID(r.Context()), matches, func(c Customer) Customer {
			in.Name.Apply(&c.Name)
			return c
		})
		if err != nil {
			return err
		}

		w.Header().Set("ETag", api.ETag(c.Version))
		return api.Write(w, http.StatusOK, c)
	}
}
