package ratelimithttp_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimithttp"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimitmem"
)

// A route that each client address may read twice at once, and then once a second.
func ExampleMiddleware() {
	policies := []ratelimit.Policy{{Name: "notes-ip", Limit: 60, Window: time.Minute, Burst: 2}}
	store, err := ratelimitmem.New(policies, ratelimitmem.Config{}) // on Lambda: ratelimitddb.New, which all instances share
	if err != nil {
		fmt.Println(err)
		return
	}
	guard, err := ratelimit.NewGuard(store, ratelimit.GuardConfig{OnError: ratelimit.Open})
	if err != nil {
		fmt.Println(err)
		return
	}
	limits, err := ratelimithttp.Middleware(ratelimithttp.Config{
		Rules: []ratelimithttp.Rule{{Key: ratelimithttp.IPKey(), Limiter: guard}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	route := api.Route{Name: "list-notes", Method: http.MethodGet, Path: "/notes", Auth: api.Public, Rate: "notes"}
	list := func(w http.ResponseWriter, _ *http.Request) error {
		return api.Write(w, http.StatusOK, []string{"Buy milk"})
	}
	h, err := middleware.Chain(route, middleware.Config{RateLimitIP: limits}, list) // with app.Main: s.Chain().RateLimitIP = limits
	if err != nil {
		fmt.Println(err)
		return
	}

	for range 3 {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/notes", nil))
		fmt.Printf("%d RateLimit: %s Retry-After: %q\n", rec.Code, rec.Header().Get("RateLimit"), rec.Header().Get("Retry-After"))
	}
	// Output:
	// 200 RateLimit: "notes-ip";r=1;t=1 Retry-After: ""
	// 200 RateLimit: "notes-ip";r=0;t=1 Retry-After: ""
	// 429 RateLimit: "notes-ip";r=0;t=1 Retry-After: "1"
}

var errWrongPassword = errors.New("wrong password")

// A login takes a unit before it checks the password, so that attempts at the same time cannot all pass, and gives it back
// if the password is right.
func ExampleDeny() {
	store, err := ratelimitmem.New([]ratelimit.Policy{
		{Name: "login-account", Limit: 2, Window: 15 * time.Minute},
	}, ratelimitmem.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	guard, err := ratelimit.NewGuard(store, ratelimit.GuardConfig{OnError: ratelimit.Closed})
	if err != nil {
		fmt.Println(err)
		return
	}
	login := func(r *http.Request, address, password string) error {
		account, err := ratelimithttp.AccountKey(address)
		if err != nil {
			return err
		}
		taken, err := guard.Take(r.Context(), account, 1)
		if err != nil {
			return err
		}
		if err := ratelimithttp.Deny(taken); err != nil {
			return err
		}
		if password != "right" {
			return errWrongPassword
		}
		return guard.Refund(r.Context(), taken)
	}

	r := httptest.NewRequest(http.MethodPost, "/login", nil)
	for _, password := range []string{"wrong", "right", "wrong", "right"} {
		fmt.Println(login(r, "maria@example.com", password))
	}
	// Output:
	// wrong password
	// <nil>
	// wrong password
	// rate_limited: You have sent too many requests. Try again after the time in Retry-After.
}
