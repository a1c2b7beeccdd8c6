package auth

import (
	"fmt"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/password"
	"github.com/tienda-dev/tienda/shared/problem"
)

// MaxDeviceName is the length of a device's name in characters (Unicode code points).
const MaxDeviceName = 100

// rules collects the fields that break a rule. No message repeats a value: it may be a secret.
type rules struct {
	broken []problem.FieldError
}

func (r *rules) refuse(pointer, format string, args ...any) {
	r.broken = append(r.broken, problem.FieldError{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
}

func (r *rules) required(pointer, value string) {
	if value == "" {
		r.refuse(pointer, "is required")
	}
}

func (r *rules) email(email string) {
	if !validEmail(email) {
		r.refuse("/email", "must be an e-mail address in ASCII, such as maria@shop.example")
	}
}

func (r *rules) name(name string) {
	if fault := policy.PersonNameFault(name); fault != "" {
		r.refuse("/name", "%s", fault)
	}
}

// line checks one line of text, which may be empty.
func (r *rules) line(pointer, s string, limit int) {
	if fault := policy.LineFault(s, limit); fault != "" {
		r.refuse(pointer, "%s", fault)
	}
}

// newPassword checks the policy for a new password; known is text that others know about its owner.
func (r *rules) newPassword(pointer, chosen string, known ...string) {
	if chosen == "" {
		r.required(pointer, chosen)
	} else if err := password.Check(chosen, known...); err != nil {
		r.refuse(pointer, "%s", err.Error())
	}
}
