package app

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/lambdahttp"
	"github.com/tienda-dev/tienda/shared/middleware"
)

var (
	readRoute  = api.Route{Name: "read", Method: http.MethodGet, Path: "/notes/{id}", Auth: api.Public, Rate: api.Unlimited}
	writeRoute = api.Route{Name: "write", Method: http.MethodPut, Path: "/notes/{id}", Auth: api.Public, Rate: api.Unlimited}
)

func ok(w http.ResponseWriter, r *http.Request) error {
	return api.Write(w, http.StatusOK, r.Method+" "+r.PathValue("id"))
}

func both(_ context.Context, s *Setup) ([]middleware.Endpoint, error) {
	var cfg struct {
		Name string `env:"NAME,required"`
	}
	if err := s.Env(&cfg); err != nil {
		return nil, err
	}
	return []middleware.Endpoint{{Route: readRoute, Handler: ok}, {Route: writeRoute, Handler: ok}}, nil
}

// answer invokes the handler with an event of payload format 2.0.
func answer(t *testing.T, h *lambdahttp.Handler, method, routeKey, path string, header map[string]string) (status int, headers map[string]string, body string) {
	t.Helper()
	event, err := json.Marshal(map[string]any{
		"version": "2.0", "routeKey": routeKey, "rawPath": path, "headers": header,
		"requestContext": map[string]any{"routeKey": routeKey, "http": map[string]string{"method": method, "path": path}},
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := h.Invoke(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	var a struct {
		StatusCode int               `json:"statusCode"`
		Headers    map[string]string `json:"headers"`
		Body       string            `json:"body"`
	}
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, a.Headers, a.Body
}

var (
	crossOrigin = map[string]string{"CORS_ALLOW_ORIGINS": "https://shop.example", "CORS_ALLOW_METHODS": "PUT", "NAME": "notes"}
	preflight   = map[string]string{"origin": "https://shop.example", "access-control-request-method": "PUT"}
)

// A Function URL sends every request with the route key $default; an HTTP API sends the key of its route.
func TestMuxServesEvents(t *testing.T) {
	t.Parallel()
	s := setup(t, crossOrigin)
	h, err := muxHandler(t.Context(), s, both)
	if err != nil {
		t.Fatal(err)
	}
	serving := events(s, h, lambdahttp.Config{})
	for name, tc := range map[string]struct {
		method, key, path string
		header            map[string]string
		status            int
		want              string
	}{
		"FunctionURL": {"GET", "$default", "/notes/7", nil, 200, `"GET 7"`},
		"OtherRoute":  {"PUT", "$default", "/notes/7", nil, 200, `"PUT 7"`},
		"HTTPAPI":     {"PUT", "PUT /notes/{id}", "/notes/7", nil, 200, `"PUT 7"`},
		"Proxy":       {"GET", "ANY /{proxy+}", "/notes/7", nil, 200, `"GET 7"`},
		"NoRoute":     {"GET", "$default", "/other", nil, 404, `"code":"route_not_found"`},
		"NoMethod":    {"POST", "$default", "/notes/7", nil, 405, `"code":"method_not_allowed"`},
		"Preflight":   {"OPTIONS", "$default", "/notes/7", preflight, 204, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, headers, body := answer(t, serving, tc.method, tc.key, tc.path, tc.header)
			if status != tc.status || !strings.Contains(body, tc.want) {
				t.Errorf("got %d %s, want %d with %s", status, body, tc.status, tc.want)
			}
			if allowed := headers["Access-Control-Allow-Origin"]; tc.header != nil && allowed != "https://shop.example" {
				t.Errorf("the preflight allows %q", allowed)
			}
		})
	}
}

func TestMuxHandlerReturnsErrors(t *testing.T) {
	t.Parallel()
	if _, err := MuxHandler(t.Context(), both, map[string]string{}); err == nil || !strings.Contains(err.Error(), "NAME is not set") {
		t.Errorf("got %v", err)
	}
	broken := errors.New("the secret cannot be read")
	_, err := MuxHandler(t.Context(), func(_ context.Context, s *Setup) ([]middleware.Endpoint, error) {
		s.Load(func(context.Context) error { return broken })
		return []middleware.Endpoint{{Route: readRoute, Handler: ok}}, nil
	}, map[string]string{})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want the error of the load", err)
	}
}

// An HTTP API without a CORS configuration of its own has a route OPTIONS /notes/{id} to the function.
func TestOneRouteAnswersPreflights(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		environ map[string]string
		key     string
		header  map[string]string
		status  int
	}{
		"OfItsPath":       {crossOrigin, "OPTIONS /notes/{id}", preflight, 204},
		"OfAnotherPath":   {crossOrigin, "OPTIONS /other/{id}", preflight, 500},
		"NotAPreflight":   {crossOrigin, "OPTIONS /notes/{id}", nil, 500},
		"WithoutVariable": {map[string]string{}, "OPTIONS /notes/{id}", preflight, 500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := setup(t, tc.environ)
			s.route = writeRoute
			h, err := handler(t.Context(), s, func(context.Context, *Setup) (api.Handler, error) { return ok, nil })
			if err != nil {
				t.Fatal(err)
			}
			serving := events(s, h, lambdahttp.Config{RouteKey: writeRoute.Key()})
			if status, _, body := answer(t, serving, "OPTIONS", tc.key, "/notes/7", tc.header); status != tc.status {
				t.Errorf("got %d %s, want %d", status, body, tc.status)
			}
		})
	}
}
