package contract

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/middleware"
)

// CORS holds the gateway's configuration and the middleware equal. Behind the HTTP API the
// middleware is off, because the gateway overrides it; where a function is served otherwise, the
// same configuration must give browsers the same answers. The routes must be within it.
func CORS(t *template.Template, routes []api.Route) []string {
	var f faults
	for _, fn := range t.Functions {
		for name := range fn.Environment {
			if strings.HasPrefix(name, "CORS_") {
				f.add("%s sets %s: the gateway's CorsConfiguration rules", fn.LogicalID, name)
			}
		}
	}
	if t.API == nil || t.API.CORS == nil {
		f.add("the API has no CorsConfiguration")
		return f
	}
	cfg := t.API.CORS
	for _, route := range routes {
		if route.Auth != api.Public && !slices.Contains(cfg.AllowMethods, route.Method) {
			f.add("%s: AllowMethods %q lacks %s", route.Name, cfg.AllowMethods, route.Method)
		}
	}

	mw, err := middleware.CORS(middleware.CORSConfig{
		AllowOrigins: cfg.AllowOrigins, AllowMethods: cfg.AllowMethods, AllowHeaders: cfg.AllowHeaders,
		ExposeHeaders: cfg.ExposeHeaders, AllowCredentials: cfg.AllowCredentials, MaxAge: cfg.MaxAge,
	})
	if err != nil || mw == nil {
		f.add("the middleware refuses the gateway's configuration: %v", err)
		return f
	}
	handler := mw(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	for _, origin := range cfg.AllowOrigins {
		for _, method := range cfg.AllowMethods {
			preflight(&f, handler, cfg, origin, method)
			actual(&f, handler, cfg, origin, method)
		}
	}
	if got := ask(handler, http.MethodOptions, "https://elsewhere.example", http.MethodGet, "").Get("Access-Control-Allow-Origin"); got != "" &&
		!slices.Contains(cfg.AllowOrigins, "*") {
		f.add("the middleware allows the origin %q, which the gateway does not know", got)
	}
	return f
}

func ask(h http.Handler, method, origin, wantMethod, wantHeaders string) http.Header {
	r := httptest.NewRequest(method, "/", http.NoBody)
	r.Header.Set("Origin", origin)
	if wantMethod != "" {
		r.Header.Set("Access-Control-Request-Method", wantMethod)
	}
	if wantHeaders != "" {
		r.Header.Set("Access-Control-Request-Headers", wantHeaders)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Header()
}

func preflight(f *faults, h http.Handler, cfg *template.CORS, origin, method string) {
	headers := slices.Clone(cfg.AllowHeaders)
	slices.Sort(headers) // the Fetch standard has browsers sort them
	got := ask(h, http.MethodOptions, origin, method, strings.ToLower(strings.Join(headers, ",")))
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin":      origin,
		"Access-Control-Allow-Methods":     method,
		"Access-Control-Allow-Credentials": credentials(cfg),
		"Access-Control-Max-Age":           strconv.Itoa(int(cfg.MaxAge / time.Second)),
	} {
		if got.Get(name) != want {
			f.add("preflight %s from %s: the middleware answers %s: %q, want %q", method, origin, name, got.Get(name), want)
		}
	}
	for _, header := range cfg.AllowHeaders {
		if !strings.Contains(got.Get("Access-Control-Allow-Headers"), strings.ToLower(header)) {
			f.add("preflight %s from %s: the middleware does not allow %s", method, origin, header)
		}
	}
}

func actual(f *faults, h http.Handler, cfg *template.CORS, origin, method string) {
	got := ask(h, method, origin, "", "")
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin":      origin,
		"Access-Control-Allow-Credentials": credentials(cfg),
	} {
		if got.Get(name) != want {
			f.add("%s from %s: the middleware answers %s: %q, want %q", method, origin, name, got.Get(name), want)
		}
	}
	exposed := strings.ToLower(got.Get("Access-Control-Expose-Headers"))
	for _, header := range cfg.ExposeHeaders {
		if !strings.Contains(exposed, strings.ToLower(header)) {
			f.add("%s from %s: the middleware does not expose %s", method, origin, header)
		}
	}
}

func credentials(cfg *template.CORS) string {
	if cfg.AllowCredentials {
		return "true"
	}
	return ""
}
