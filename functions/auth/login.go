package auth

import (
	"context"
	"net"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/shared/session"
)

type passwordLogin interface {
	Login(ctx context.Context, email, password string, device session.Device) (session.Tokens, error)
}

type loginRequest struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	// DeviceName is how the user recognises the session in the list of sessions.
	DeviceName string `json:"device_name"`
}

// Validate implements api.Validator. It does not check the password's policy or the address's form: every
// wrong pair gets the same answer.
func (in loginRequest) Validate() []problem.FieldError {
	var r rules
	r.required("/email", in.Email)
	r.required("/password", in.Password)
	r.line("/device_name", in.DeviceName, MaxDeviceName)
	return r.broken
}

// Login answers 200 with tokens; 401 when there is no such user or the password is wrong, without saying
// which; 429 with Retry-After after too many failures.
func Login(users passwordLogin) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		in, err := api.Decode[loginRequest](r)
		if err != nil {
			return err
		}

		tokens, err := users.Login(r.Context(), in.Email, in.Password, deviceOf(r, in.DeviceName))
		if err != nil {
			return err
		}
		return writeTokens(w, tokens)
	}
}

// deviceOf returns the device that sent the request.
func deviceOf(r *http.Request, name string) session.Device {
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		ip = r.RemoteAddr
	}
	return session.Device{Name: name, UserAgent: r.UserAgent(), IP: ip}
}

func writeTokens(w http.ResponseWriter, tokens session.Tokens) error {
	noStore(w)
	return api.Write(w, http.StatusOK, tokens)
}
