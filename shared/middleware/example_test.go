package middleware_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/problem"
)

var errSoldOut = problem.New(problem.Conflict, "sold_out", "Nothing is left.")

func ExampleChain() {
	route := api.Route{Name: "buy", Method: http.MethodPost, Path: "/buy", Auth: api.Required, Rate: api.Unlimited, Roles: []string{"customer"}}
	authenticate := func(*http.Request) (identity.Annotation, error) {
		return identity.Annotation{
			Outcome: identity.OK, Identity: identity.Identity{Subject: "maria", Roles: []string{"customer"}},
		}, nil
	}

	h, err := middleware.Chain(route, middleware.Config{Authenticator: authenticate},
		func(http.ResponseWriter, *http.Request) error { return errSoldOut })
	if err != nil {
		fmt.Println(err)
		return
	}
	r := httptest.NewRequest(http.MethodPost, "/buy", nil)
	r.Header.Set("X-Request-Id", "checkout-7")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	fmt.Print(rec.Code, " ", rec.Header().Get("Content-Type"), "\n", rec.Body)
	// Output:
	// 409 application/problem+json
	// {"title":"Conflict","status":409,"detail":"Nothing is left.","code":"sold_out","request_id":"checkout-7"}
}

func ExampleMux() {
	ok := func(w http.ResponseWriter, _ *http.Request) error { return api.Write(w, http.StatusOK, "ok") }
	h, err := middleware.Mux(middleware.Config{CORS: middleware.CORSConfig{
		AllowOrigins: []string{"https://shop.example"}, AllowMethods: []string{http.MethodPut},
	}},
		middleware.Endpoint{Route: api.Route{Name: "read", Method: http.MethodGet, Path: "/notes/{id}", Auth: api.Public, Rate: api.Unlimited}, Handler: ok},
		middleware.Endpoint{Route: api.Route{Name: "write", Method: http.MethodPut, Path: "/notes/{id}", Auth: api.Public, Rate: api.Unlimited}, Handler: ok},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	preflight := httptest.NewRequest(http.MethodOptions, "/notes/7", nil)
	preflight.Header.Set("Origin", "https://shop.example")
	preflight.Header.Set("Access-Control-Request-Method", http.MethodPut)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, preflight)
	fmt.Println(rec.Code, rec.Header().Get("Access-Control-Allow-Methods"))
	// Output: 204 PUT
}
