// Command mux is a function of as many routes as the variable ROUTES says, for the bench: what does a request cost when a
// function has more of them? It has no backend and no telemetry.
package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/middleware"
)

func main() { app.MainMux(build) }

func build(_ context.Context, s *app.Setup) ([]middleware.Endpoint, error) {
	var cfg struct {
		// Routes is how many there are.
		Routes int `env:"ROUTES,required"`
	}
	if err := s.Env(&cfg); err != nil {
		return nil, err
	}
	endpoints := make([]middleware.Endpoint, cfg.Routes)
	for i := range endpoints {
		endpoints[i] = middleware.Endpoint{Handler: get, Route: api.Route{
			Name: "get-" + word(i), Method: http.MethodGet, Path: fmt.Sprintf("/v1/things%04d/{id}", i),
			Auth: api.Public, Rate: api.Unlimited,
		}}
	}
	return endpoints, nil
}

// word writes a number below 26³ in letters: the name of a route has no digits.
func word(i int) string {
	return string([]byte{'a' + byte(i/26/26%26), 'a' + byte(i/26%26), 'a' + byte(i%26)})
}

// get answers 200 with the id.
func get(w http.ResponseWriter, r *http.Request) error {
	return api.Write(w, http.StatusOK, map[string]string{"id": r.PathValue("id")})
}
