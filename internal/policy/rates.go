package policy

import (
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// The classes of rate limits, to declare routes with.
const (
	// Meta is for what must answer without a database: probes, public keys, routes that do not exist. Each instance
	// counts for itself.
	Meta api.Rate = "meta"
	// PublicRead is for reads of everybody.
	PublicRead api.Rate = "public-read"
	// UserRead and UserWrite are for users' own data.
	UserRead  api.Rate = "user-read"
	UserWrite api.Rate = "user-write"
	// Sensitive is for what a stolen token must not do often.
	Sensitive api.Rate = "sensitive"
	// Staff is for the work of staff.
	Staff api.Rate = "staff"
	// Service is for other services.
	Service api.Rate = "service"
	// Login, Register and Token are for anonymous routes on which secrets can be guessed. Their handlers have limits
	// for each account besides.
	Login    api.Rate = "login"
	Register api.Rate = "register"
	Token    api.Rate = "token"
)

// Class is what a class of rate limits allows.
type Class struct {
	// Rate is the name that routes declare.
	Rate api.Rate
	// IP limits each client address (IPv6: each /64); nil is no such limit.
	IP []ratelimit.Policy
	// User limits each authenticated user; nil is no such limit.
	User []ratelimit.Policy
	// OnError is what happens when the store of the limits fails.
	OnError ratelimit.Mode
	// Hide leaves out of answers how much is left: an address may be shared with the account's owner.
	Hide bool
}

// Classes returns every class, by name.
func Classes() []Class {
	return []Class{
		{Rate: Login, IP: perMinute("login-ip", 60, 30), OnError: ratelimit.Closed, Hide: true},
		{Rate: Meta, IP: perSecond("meta", 50, 100), OnError: ratelimit.Open},
		{Rate: PublicRead, IP: perSecond("public-read", 20, 40), OnError: ratelimit.Open},
		{Rate: Register, IP: perMinute("register-ip", 10, 10), OnError: ratelimit.Closed, Hide: true},
		{Rate: Sensitive, User: perMinute("sensitive", 5, 5), OnError: ratelimit.Closed},
		{Rate: Service, User: perSecond("service", 50, 100), OnError: ratelimit.Open},
		{Rate: Staff, User: perSecond("staff", 5, 50), OnError: ratelimit.Open},
		{Rate: Token, IP: perMinute("token-ip", 120, 60), OnError: ratelimit.Closed, Hide: true},
		{Rate: UserRead, User: perSecond("user-read", 10, 30), OnError: ratelimit.Open},
		{Rate: UserWrite, User: perSecond("user-write", 2, 10), OnError: ratelimit.Open},
	}
}

// ClassOf returns the class that a route declares, and false for an unknown name.
func ClassOf(rate api.Rate) (Class, bool) {
	for _, class := range Classes() {
		if class.Rate == rate {
			return class, true
		}
	}
	return Class{}, false
}

func perSecond(name string, limit, burst int64) []ratelimit.Policy {
	return []ratelimit.Policy{{Name: name, Limit: limit, Burst: burst, Window: time.Second}}
}

func perMinute(name string, limit, burst int64) []ratelimit.Policy {
	return []ratelimit.Policy{{Name: name, Limit: limit, Burst: burst, Window: time.Minute}}
}
