package auth

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/shared/session"
)

type passwordChanger interface {
	ChangePassword(ctx context.Context, caller identity.Identity, current, next string, device session.Device) (session.Tokens, error)
}

const pointerNewPassword = "/new_password"

type changePasswordRequest struct {
	CurrentPassword string `json:"current_password"`
	NewPassword     string `json:"new_password"`
	// DeviceName is how the user recognises the new session.
	DeviceName string `json:"device_name"`
}

// Validate implements api.Validator.
func (in changePasswordRequest) Validate() []problem.FieldError {
	var r rules
	r.required("/current_password", in.CurrentPassword)
	r.newPassword(pointerNewPassword, in.NewPassword)
	if in.NewPassword != "" && in.NewPassword == in.CurrentPassword {
		r.refuse(pointerNewPassword, "must not be the current password")
	}
	r.line("/device_name", in.DeviceName, MaxDeviceName)
	return r.broken
}

// ChangePassword replaces the caller's password, ends all of the caller's sessions and answers 200 with
// the tokens of a new one; 422 wrong_password when the current one is not right, 429 with Retry-After
// after too many wrong ones.
func ChangePassword(users passwordChanger) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		in, err := api.Decode[changePasswordRequest](r)
		if err != nil {
			return err
		}

		caller, _ := identity.From(r.Context())
		tokens, err := users.ChangePassword(r.Context(), caller, in.CurrentPassword, in.NewPassword, deviceOf(r, in.DeviceName))
		if err != nil {
			return err
		}
		return writeTokens(w, tokens)
	}
}
