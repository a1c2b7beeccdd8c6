package auth

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

type userRegistrar interface {
	Register(ctx context.Context, email, password, name string) (Registration, error)
}

type registerUserRequest struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	Name     string `json:"name"`
}

// Validate implements api.Validator.
func (in registerUserRequest) Validate() []problem.FieldError {
	var r rules
	r.email(in.Email)
	r.name(in.Name)
	r.newPassword("/password", in.Password, in.Email, in.Name)
	return r.broken
}

type registeredUser struct {
	ID        string   `json:"id"`
	Email     string   `json:"email"`
	Name      string   `json:"name"`
	Roles     []string `json:"roles"`
	CreatedAt api.Time `json:"created_at"`
}

// RegisterUser adds a user with the role customer and answers 201 with it and the Location of its
// profile; 409 when the address is taken. It starts no session.
func RegisterUser(users userRegistrar) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		in, err := api.Decode[registerUserRequest](r)
		if err != nil {
			return err
		}

		u, err := users.Register(r.Context(), in.Email, in.Password, in.Name)
		if err != nil {
			return err
		}

		// Relative to the request's URL (RFC 9110 section 10.2.2), which may have a stage or a mapping key.
		w.Header().Set("Location", "../customers/me")
		return api.Write(w, http.StatusCreated, registeredUser{
			ID: u.User.ID, Email: u.Email, Name: u.Name, Roles: u.User.Roles, CreatedAt: api.NewTime(u.User.CreatedAt),
		})
	}
}
