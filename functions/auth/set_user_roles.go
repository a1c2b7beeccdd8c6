package auth

import (
	"context"
	"fmt"
	"net/http"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

type roleSetter interface {
	SetRoles(ctx context.Context, id string, roles []string) (User, error)
}

type setUserRolesRequest struct {
	// Roles are all the roles of the user from now on. Null is refused.
	Roles *[]string `json:"roles"`
}

// Validate implements api.Validator.
func (in setUserRolesRequest) Validate() []problem.FieldError {
	var r rules
	if in.Roles == nil {
		r.refuse("/roles", "is required")
		return r.broken
	}
	if len(*in.Roles) > len(policy.Roles()) {
		r.refuse("/roles", "must not have more than %d entries", len(policy.Roles()))
		return r.broken
	}
	for i, role := range *in.Roles {
		if !isRole(role) {
			r.refuse(fmt.Sprintf("/roles/%d", i), "must be one of %v", policy.Roles())
		}
	}
	return r.broken
}

type userResponse struct {
	ID        string   `json:"id"`
	Roles     []string `json:"roles"`
	CreatedAt api.Time `json:"created_at"`
}

// SetUserRoles gives a user exactly the roles and answers 200 with the user. The user's access tokens stop
// working when the roles change; a refresh brings one with the new roles.
func SetUserRoles(users roleSetter) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		in, err := api.Decode[setUserRolesRequest](r)
		if err != nil {
			return err
		}

		u, err := users.SetRoles(r.Context(), r.PathValue("id"), *in.Roles)
		if err != nil {
			return err
		}
		return api.Write(w, http.StatusOK, userResponse{ID: u.ID, Roles: u.Roles, CreatedAt: api.NewTime(u.CreatedAt)})
	}
}
