package middleware

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rs/cors"
)

// CORSConfig is the cross-origin policy. The zero value is off, which is right behind an API
// Gateway HTTP API: there the template's CorsConfiguration answers preflights and replaces the
// function's CORS headers.
type CORSConfig struct {
	// AllowOrigins are exact origins ("https://shop.example"), patterns with one wildcard label
	// ("https://*.shop.example"), or "*". Empty turns CORS off.
	AllowOrigins []string `env:"CORS_ALLOW_ORIGINS"`
	// AllowMethods are the methods of preflights; empty is GET, HEAD and POST.
	AllowMethods []string `env:"CORS_ALLOW_METHODS"`
	// AllowHeaders are the request headers of preflights.
	AllowHeaders []string `env:"CORS_ALLOW_HEADERS"`
	// ExposeHeaders are the response headers that scripts may read.
	ExposeHeaders []string `env:"CORS_EXPOSE_HEADERS"`
	// AllowCredentials lets browsers send cookies and Authorization. Refused with origin "*".
	AllowCredentials bool `env:"CORS_ALLOW_CREDENTIALS"`
	// MaxAge is how long a browser may keep a preflight's answer, in whole seconds.
	MaxAge time.Duration `env:"CORS_MAX_AGE" envDefault:"10m"`
}

// CORS returns the middleware for the policy, nil when the policy is off, and an error for one
// that contradicts itself: credentials for every origin, or an origin that is not scheme://host.
func CORS(cfg CORSConfig) (Middleware, error) {
	if len(cfg.AllowOrigins) == 0 {
		return nil, nil //nolint:nilnil // a nil Middleware is a place left out of the chain
	}
	if cfg.AllowCredentials && slices.Contains(cfg.AllowOrigins, "*") {
		return nil, errors.New(`CORS_ALLOW_ORIGINS: "*" cannot be combined with CORS_ALLOW_CREDENTIALS`)
	}
	for _, origin := range cfg.AllowOrigins {
		if err := checkOrigin(origin); err != nil {
			return nil, err
		}
	}
	if len(cfg.AllowMethods) == 0 {
		cfg.AllowMethods = []string{http.MethodGet, http.MethodHead, http.MethodPost}
	}
	policy := cors.New(cors.Options{
		AllowOriginFunc:      matchOrigin(cfg.AllowOrigins),
		AllowedMethods:       cfg.AllowMethods,
		AllowedHeaders:       cfg.AllowHeaders,
		ExposedHeaders:       cfg.ExposeHeaders,
		AllowCredentials:     cfg.AllowCredentials,
		MaxAge:               int(cfg.MaxAge / time.Second),
		OptionsSuccessStatus: http.StatusNoContent,
	})
	return policy.Handler, nil
}

func checkOrigin(origin string) error {
	if origin == "*" {
		return nil
	}
	scheme, host, ok := strings.Cut(origin, "://")
	if !ok || (scheme != "http" && scheme != "https") || host == "" || strings.ContainsAny(host, "/?# ") ||
		(strings.Contains(host, "*") && (!strings.HasPrefix(host, "*.") || strings.Count(host, "*") > 1)) {
		return fmt.Errorf("CORS_ALLOW_ORIGINS: %q is not an origin such as https://shop.example or https://*.shop.example", origin)
	}
	return nil
}

// matchOrigin compares without letter case; a wildcard matches exactly one DNS label.
func matchOrigin(allowed []string) func(string) bool {
	return func(origin string) bool {
		origin = strings.ToLower(origin)
		return slices.ContainsFunc(allowed, func(pattern string) bool {
			pattern = strings.ToLower(pattern)
			if pattern == "*" || pattern == origin {
				return true
			}
			before, after, ok := strings.Cut(pattern, "*")
			if !ok || len(origin) <= len(before)+len(after) ||
				!strings.HasPrefix(origin, before) || !strings.HasSuffix(origin, after) {
				return false
			}
			label := origin[len(before) : len(origin)-len(after)]
			return !strings.ContainsAny(label, "./:")
		})
	}
}
