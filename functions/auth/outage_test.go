package auth_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/shared/session"
)

// outage is how a call of a store fails.
type outage string

const (
	refused       outage = "Refused"       // the call has no effect
	lost          outage = "Lost"          // it has its effect, and the response is lost
	late          outage = "Late"          // it has no effect, and the request's time is over
	lostAndLate   outage = "LostAndLate"   // it has its effect, and the request's time is over
	misunderstood outage = "Misunderstood" // the response is not what the program expects: 500
)

// outages counts the calls of the stores and makes one of them fail.
type outages struct {
	mu     sync.Mutex
	calls  map[string]int
	spoils string // the call, "Create 1"
	how    outage
	hit    bool
	expire func() // ends the request's time
}

// spoil makes a call fail once from now on; "" is none.
func (o *outages) spoil(call string, how outage) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls, o.spoils, o.how, o.hit = map[string]int{}, call, how, false
}

// made returns the calls since spoil.
func (o *outages) made() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []string
	for call, n := range o.calls {
		for i := range n {
			all = append(all, fmt.Sprint(call, " ", i+1))
		}
	}
	slices.Sort(all)
	return all
}

func (o *outages) next(call string) outage {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls[call]++
	if fmt.Sprint(call, " ", o.calls[call]) != o.spoils {
		return ""
	}
	o.hit = true
	return o.how
}

// through makes a call, or spoils it.
func (o *outages) through(call string, f func() error) error {
	how := o.next(call)
	if how == "" {
		return f()
	}
	if how == lost || how == lostAndLate {
		_ = f()
	}
	switch how {
	case late, lostAndLate:
		o.expire()
		return context.DeadlineExceeded
	case misunderstood:
		return fmt.Errorf("the item of %s is broken", call)
	default:
		return session.ErrUnavailable
	}
}

// ending is a context whose time is over when its channel is closed.
type ending struct {
	context.Context
	over chan struct{}
}

func (e ending) Done() <-chan struct{} { return e.over }

func (e ending) Err() error {
	select {
	case <-e.over:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// patient is a server with a user on unreliable stores.
type patient struct {
	*server
	*outages
	user        user
	pair, other tokens // of two logins
}

func newPatient(t *testing.T) *patient {
	t.Helper()
	o := &outages{calls: map[string]int{}}
	p := &patient{outages: o, server: newServer(t, func(s auth.Store) auth.Store { return unreliableUsers{s, o} })}
	p.line.Store = unreliableSessions{p.sessions, o}
	p.user = p.register(email)
	p.pair, p.other = p.login(email), p.login(email)
	p.pass(2 * time.Second)
	return p
}

// try sends a request whose time ends when a late outage hits it.
func (p *patient) try(token, method, path, body string) answer {
	over := make(chan struct{})
	p.expire = sync.OnceFunc(func() { close(over) })
	return p.do(token, method, path, body, func(r *http.Request) *http.Request {
		return r.WithContext(ending{r.Context(), over})
	})
}

// identityRoute is a request to a route, and what it does.
type identityRoute struct {
	method, path, body string
	token              string
	status             int
	// again are further statuses of the same request after a lost response.
	again []int
	// ends: the session of pair; endsAll: the other one too; endsAccess: the access token of pair alone.
	ends, endsAll, endsAccess bool
	// password is the one that logs in after the request; "" is rightPW.
	password string
	// event is the route's own security event.
	event string
}

// identityRoutes are requests by the names of their routes, and a few variants.
func identityRoutes(p *patient) map[string]identityRoute {
	admin := p.as("admin")
	const fresh = "fresh@shop.example"
	own := []int{http.StatusUnauthorized} // the token has ended itself
	return map[string]identityRoute{
		"register-user":    {path: "/v1/auth/register", body: registration(fresh), status: 201, again: []int{http.StatusConflict}},
		"login":            {path: "/v1/auth/login", body: credentials(email, rightPW), status: 200},
		"refresh-token":    {path: "/v1/auth/refresh", body: text(map[string]string{"refresh_token": p.pair.Refresh}), status: 200},
		"logout":           {path: "/v1/auth/logout", token: p.pair.Access, status: 204, again: own, ends: true},
		"logout-all":       {path: "/v1/auth/logout-all", token: p.pair.Access, status: 204, again: own, ends: true, endsAll: true},
		"list-sessions":    {method: http.MethodGet, path: "/v1/auth/sessions", token: p.pair.Access, status: 200},
		"introspect-token": {path: "/v1/auth/introspect", token: p.as("service"), body: form(p.pair.Access), status: 200},
		"unlock-user":      {path: "/v1/users/" + p.user.ID + "/unlock", token: admin, status: 204, event: "account_unlocked"},
		"revoke-token":     {path: "/v1/auth/revoke", body: form(p.pair.Refresh), status: 200, ends: true},
		"revoke-token access": {
			path: "/v1/auth/revoke", body: form(p.pair.Access), status: 200, endsAccess: true,
		},
		"revoke-session": {
			method: http.MethodDelete, path: "/v1/auth/sessions/" + p.session(p.pair.Access), token: p.other.Access, status: 204, ends: true,
		},
		"change-password": {
			path: "/v1/auth/password", token: p.pair.Access, body: text(map[string]string{"current_password": rightPW, "new_password": secondPW}),
			status: 200, again: own, ends: true, endsAll: true, password: secondPW,
		},
		"set-user-roles": {
			method: http.MethodPut, path: "/v1/users/" + p.user.ID + "/roles", token: admin, body: `{"roles":["customer","support"]}`,
			status: 200, endsAccess: true, event: "account_roles_set",
		},
		"logout-user": {
			path: "/v1/users/" + p.user.ID + "/logout", token: admin, status: 204, ends: true, endsAll: true, event: "account_logged_out",
		},
		"get-jwks": {method: http.MethodGet, path: "/.well-known/jwks.json", status: 200},
	}
}

func (p *patient) send(r identityRoute) answer {
	method := r.method
	if method == "" {
		method = http.MethodPost
	}
	return p.try(r.token, method, r.path, r.body)
}

// Nobody is punished for our outage: each call of each store fails in each way, nine times, on each route.
// The client hears of it, nothing is lost, nothing that was ended lives on, nobody is locked out and no theft
// is reported.
func TestNobodyIsPunishedForOurOutage(t *testing.T) {
	t.Parallel()
	routes := identityRoutes(newPatient(t))
	for _, route := range auth.Routes() {
		if _, ok := routes[route.Name]; !ok {
			t.Errorf("no request to %s", route.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(routes)) {
		p := newPatient(t)
		p.spoil("", "")
		p.send(identityRoutes(p)[name]).want(routes[name].status)
		for _, call := range p.made() {
			for _, how := range []outage{refused, lost, late, lostAndLate, misunderstood} {
				t.Run(strings.Join([]string{name, call, string(how)}, "/"), func(t *testing.T) {
					t.Parallel()
					p := newPatient(t)
					p.suffers(t, identityRoutes(p)[name], call, how)
				})
			}
		}
	}
}

func (p *patient) suffers(t *testing.T, r identityRoute, call string, how outage) {
	t.Helper()
	done := append([]int{r.status}, r.again...)
	for n := range 9 {
		p.spoil(call, how)
		a := p.send(r)
		if n == 0 && !p.hit {
			t.Fatalf("%s was not called", call)
		}
		failed := []int{http.StatusInternalServerError, http.StatusServiceUnavailable, http.StatusGatewayTimeout}
		if !slices.Contains(done, a.Status) && !(p.hit && slices.Contains(failed, a.Status)) {
			t.Errorf("outage %d: got %d %s", n+1, a.Status, a.Body)
		}
		if a.Status == http.StatusServiceUnavailable && a.Header.Get("Retry-After") == "" {
			t.Error("503 without Retry-After")
		}
	}
	p.spoil("", "")
	if a := p.send(r); !slices.Contains(done, a.Status) {
		t.Errorf("after the outage: got %d %s", a.Status, a.Body)
	}

	p.wantAccepted(p.pair.Access, !r.ends && !r.endsAccess)
	p.wantAccepted(p.other.Access, !r.endsAll && (!r.endsAccess || r.event == ""))
	for refresh, ended := range map[string]bool{p.pair.Refresh: r.ends, p.other.Refresh: r.endsAll} {
		want := http.StatusOK
		if ended {
			want = http.StatusBadRequest
		}
		p.post("/v1/auth/refresh", text(map[string]string{"refresh_token": refresh})).want(want)
	}
	password := r.password
	if password == "" {
		password = rightPW
	}
	for range 2 * auth.FreeAttempts {
		p.post("/v1/auth/login", credentials(email, password)).want(http.StatusOK)
	}
	p.wantNoAlarm(t, r.event)
}

// wantNoAlarm checks that there was no security event but the route's own.
func (p *patient) wantNoAlarm(t *testing.T, own string) {
	t.Helper()
	for _, e := range p.events {
		if e.Kind.Security() {
			t.Errorf("the session event %+v", e)
		}
	}
	for _, e := range p.accountEvents() {
		if e["account_event"] != own {
			t.Errorf("the event %v", e)
		}
	}
}

// Attempts of changes are counted apart from logins, which do not reset them.
func TestOutageCountsNoAttemptOfAChange(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"Attempt 1", "Credentials 1", "ReplacePassword 1"} {
		for _, how := range []outage{refused, late, misunderstood} {
			t.Run(call+"/"+string(how), func(t *testing.T) {
				t.Parallel()
				p := newPatient(t)
				change := func(current string) answer {
					return p.try(p.pair.Access, http.MethodPost, "/v1/auth/password", text(map[string]string{"current_password": current, "new_password": secondPW}))
				}
				for range 9 {
					p.spoil(call, how)
					if a := change(rightPW); a.Status < http.StatusInternalServerError {
						t.Errorf("got %d %s", a.Status, a.Body)
					}
				}
				p.spoil("", "")
				for range auth.FreeAttempts {
					change(wrongPW).wantProblem(http.StatusUnprocessableEntity, "wrong_password", "/current_password")
				}
				change(rightPW).wantProblem(http.StatusTooManyRequests, "too_many_attempts")
			})
		}
	}
}
