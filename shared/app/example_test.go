package app_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/middleware"
)

var greetRoute = api.Route{Name: "greet", Method: http.MethodGet, Path: "/greet/{name}", Auth: api.Public, Rate: api.Unlimited}

// A function's main passes route and build to app.Main. Handler returns what Main serves.
func ExampleHandler() {
	build := func(_ context.Context, s *app.Setup) (api.Handler, error) {
		var cfg struct {
			Greeting string `env:"GREETING,required"`
		}
		if err := s.Env(&cfg); err != nil {
			return nil, err
		}
		return func(w http.ResponseWriter, _ *http.Request) error {
			return api.Write(w, http.StatusOK, map[string]string{"say": cfg.Greeting})
		}, nil
	}

	h, err := app.Handler(context.Background(), greetRoute, build, map[string]string{"GREETING": "Hello", "LOG_LEVEL": "FATAL"})
	if err != nil {
		fmt.Println(err)
		return
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/greet/Ada", nil))
	fmt.Print(rec.Code, " ", rec.Body)
	// Output: 200 {"say":"Hello"}
}

// A main passes build to app.MainMux. MuxHandler returns what MainMux serves.
func ExampleMuxHandler() {
	build := func(context.Context, *app.Setup) ([]middleware.Endpoint, error) {
		return []middleware.Endpoint{{Route: greetRoute, Handler: func(w http.ResponseWriter, r *http.Request) error {
			return api.Write(w, http.StatusOK, "Hello "+r.PathValue("name"))
		}}}, nil
	}

	h, err := app.MuxHandler(context.Background(), build, map[string]string{"LOG_LEVEL": "FATAL"})
	if err != nil {
		fmt.Println(err)
		return
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodDelete, "/greet/Ada", nil))
	fmt.Println(rec.Code, rec.Header().Get("Allow"))
	// Output: 405 GET, HEAD
}
