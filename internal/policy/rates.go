package policy

import (
	"slices"
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// The classes of rate limits, to declare routes with.
const (
	// RateMeta is for what must answer without a database: probes, public keys, routes that do not exist. Each instance
	// counts for itself.
	RateMeta api.Rate = "meta"
	// RatePublicRead is for reads of everybody.
	RatePublicRead api.Rate = "public-read"
	// RateUserRead and RateUserWrite are for users' own data.
	RateUserRead  api.Rate = "user-read"
	RateUserWrite api.Rate = "user-write"
	// RateSensitive is for what a stolen token must not do often.
	RateSensitive api.Rate = "sensitive"
	// RateCheckout is for what holds stock or moves money.
	RateCheckout api.Rate = "checkout"
	// RateStaff is for the work of staff.
	RateStaff api.Rate = "staff"
	// RateService is for other services.
	RateService api.Rate = "service"
	// RateLogin, RateRegister and RateToken are for anonymous routes on which secrets can be guessed. Their handlers
	// have limits for each account besides.
	RateLogin    api.Rate = "login"
	RateRegister api.Rate = "register"
	RateToken    api.Rate = "token"
	// RateWebhook is for notifications of other services, which sign them.
	RateWebhook api.Rate = "webhook"
	// RateTrack is for parcels that everybody with their token may look at.
	RateTrack api.Rate = "track"
)

// Class is what a class of rate limits allows.
type Class struct {
	// Rate is the name that routes declare.
	Rate api.Rate
	// IP limits each client address (IPv6: each /64); nil leaves addresses unlimited.
	IP []ratelimit.Policy
	// User limits each authenticated user; nil leaves users unlimited.
	User []ratelimit.Policy
	// OnError is what happens when the store of the limits fails.
	OnError ratelimit.Mode
	// Hide leaves out of answers how much is left: an address may be shared with the account's owner.
	Hide bool
	// Handlers are the limits that handlers of the class's routes count themselves.
	Handlers []Counter
}

// Kind is what a limit counts, as admins name it in a query.
type Kind string

// The kinds.
const (
	// ByIP counts client addresses (IPv6: each /64).
	ByIP Kind = "ip"
	// ByUser counts authenticated users by their ids.
	ByUser Kind = "user"
	// BySession counts sessions by their ids.
	BySession Kind = "session"
	// ByAccountAddress counts pairs of an account and a client address. Admins cannot name one: unlocking the account
	// resets its pairs.
	ByAccountAddress Kind = "account-address"
	// ByAccount counts the accounts that anonymous callers name.
	ByAccount Kind = "account"
)

// Counter is one limiter: its policies share an item for each subject.
type Counter struct {
	// By is what it counts.
	By Kind
	// Policies are the limiter's.
	Policies []ratelimit.Policy
}

// Counters returns all limiters of the class: those of its routes, and those of their handlers.
func (c Class) Counters() []Counter {
	var all []Counter
	if c.IP != nil {
		all = append(all, Counter{By: ByIP, Policies: c.IP})
	}
	if c.User != nil {
		all = append(all, Counter{By: ByUser, Policies: c.User})
	}
	return append(all, c.Handlers...)
}

// Classes returns every class, by name.
func Classes() []Class {
	return []Class{
		// Customers who share an address, such as an office's or a mobile carrier's, do not share a limit here. An address
		// cannot get round it with accounts of its own: RateRegister limits them.
		{Rate: RateCheckout, User: perMinute("checkout", 10, 10), OnError: ratelimit.Closed},
		{
			Rate: RateLogin, IP: perMinute("login-ip", 60, 30), OnError: ratelimit.Closed, Hide: true,
			Handlers: []Counter{{ByAccount, LoginAccount()}, {ByAccountAddress, LoginAccountAddress()}, {ByIP, LoginAddress()}},
		},
		{Rate: RateMeta, IP: perSecond("meta", 50, 100), OnError: ratelimit.Open},
		{Rate: RatePublicRead, IP: perSecond("public-read", 20, 40), OnError: ratelimit.Open},
		{
			Rate: RateRegister, IP: perMinute("register-ip", 10, 10), OnError: ratelimit.Closed, Hide: true,
			Handlers: []Counter{{ByAccount, RegisterAccount()}},
		},
		{Rate: RateSensitive, User: perMinute("sensitive", 5, 5), OnError: ratelimit.Closed},
		{Rate: RateService, User: perSecond("service", 50, 100), OnError: ratelimit.Open},
		{Rate: RateStaff, User: perSecond("staff", 5, 50), OnError: ratelimit.Open},
		{
			Rate: RateToken, IP: perMinute("token-ip", 120, 60), OnError: ratelimit.Closed, Hide: true,
			Handlers: []Counter{{BySession, RefreshSession()}},
		},
		{Rate: RateTrack, IP: perMinute("track-ip", 5, 20), OnError: ratelimit.Closed},
		{Rate: RateUserRead, User: perSecond("user-read", 10, 30), OnError: ratelimit.Open},
		{Rate: RateUserWrite, User: perSecond("user-write", 2, 10), OnError: ratelimit.Open},
		{Rate: RateWebhook, IP: perSecond("webhook", 50, 100), OnError: ratelimit.Open},
	}
}

// LoginAccount limits the wrong passwords for an account: those from all unknown addresses together, and those from
// each known address apart. A GCRA of 50 a day that begins with 50 answers at most 100 guesses in any 24 hours, which
// is what NIST SP 800-63B, section 5.2.2, allows in a row.
func LoginAccount() []ratelimit.Policy {
	const day = 24 * time.Hour
	return []ratelimit.Policy{{Name: "login-account", Limit: 50, Window: day}}
}

// LoginAccountAddress limits the wrong passwords for an account from each unknown address, so that one address cannot
// use up what LoginAccount has for all of them: at most 20 of 100 in any 24 hours.
func LoginAccountAddress() []ratelimit.Policy {
	return []ratelimit.Policy{{Name: "login-account-address", Limit: 10, Window: 24 * time.Hour}}
}

// LoginAddress limits the wrong passwords from an address for all accounts together. Right ones cost nothing in the
// end, but each one in flight holds a unit: an office where 20 people log in at once has 20 more for wrong passwords.
func LoginAddress() []ratelimit.Policy {
	return []ratelimit.Policy{{Name: "login-address", Limit: 20, Burst: 40, Window: 15 * time.Minute}}
}

// RegisterAccount limits how often an e-mail address is registered.
func RegisterAccount() []ratelimit.Policy {
	return []ratelimit.Policy{{Name: "register-account", Limit: 5, Window: time.Hour}}
}

// RefreshSession limits the refreshes of a session. Each session has its own limit, so that a stolen token of one
// that has ended uses up nothing of the others.
func RefreshSession() []ratelimit.Policy { return perMinute("refresh-session", 30, 30) }

// ClassOf returns the class that a route declares, and false for an unknown name.
func ClassOf(rate api.Rate) (Class, bool) {
	for _, class := range Classes() {
		if class.Rate == rate {
			return class, true
		}
	}
	return Class{}, false
}

// Known reports whether a policy of a class or of its handlers has the name, or it is ratelimit.All.
func Known(name string) bool {
	if name == ratelimit.All {
		return true
	}
	for _, class := range Classes() {
		for _, counter := range class.Counters() {
			if slices.ContainsFunc(counter.Policies, func(p ratelimit.Policy) bool { return p.Name == name }) {
				return true
			}
		}
	}
	return false
}

func perSecond(name string, limit, burst int64) []ratelimit.Policy {
	return []ratelimit.Policy{{Name: name, Limit: limit, Burst: burst, Window: time.Second}}
}

func perMinute(name string, limit, burst int64) []ratelimit.Policy {
	return []ratelimit.Policy{{Name: name, Limit: limit, Burst: burst, Window: time.Minute}}
}
