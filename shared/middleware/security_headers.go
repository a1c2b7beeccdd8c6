package middleware

import "net/http"

// SecurityHeadersConfig overrides single headers; the zero value is the recommended set for a
// JSON API (OWASP Secure Headers Project).
type SecurityHeadersConfig struct {
	// Override replaces the value of a default header, or removes it with "".
	Override map[string]string
}

// securityHeaders returns the defaults. X-XSS-Protection, Expect-CT and Feature-Policy are left
// out on purpose: browsers removed them, and the first one opened holes.
func securityHeaders() map[string]string {
	return map[string]string{
		"Cache-Control":                     "no-store",
		"Content-Security-Policy":           "default-src 'none'; frame-ancestors 'none'",
		"Cross-Origin-Opener-Policy":        "same-origin",
		"Cross-Origin-Resource-Policy":      "same-origin",
		"Permissions-Policy":                "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()",
		"Referrer-Policy":                   "no-referrer",
		"Strict-Transport-Security":         "max-age=31536000; includeSubDomains",
		"X-Content-Type-Options":            "nosniff",
		"X-Frame-Options":                   "DENY",
		"X-Permitted-Cross-Domain-Policies": "none",
	}
}

// header is one header of every answer.
type header struct {
	name   string
	values []string // one
}

func securityHeaderSet(cfg SecurityHeadersConfig) []header {
	set := http.Header{}
	for name, value := range securityHeaders() {
		set.Set(name, value)
	}
	for name, value := range cfg.Override {
		set.Set(name, value)
	}
	var all []header
	for name, values := range set {
		if values[0] != "" {
			all = append(all, header{name, values[:1:1]})
		}
	}
	return all
}

// SecurityHeaders sets the security headers before the handler runs, so that a handler may
// replace one, such as Cache-Control. It allocates nothing.
func SecurityHeaders(cfg SecurityHeadersConfig) Middleware {
	set := securityHeaderSet(cfg)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			for _, one := range set {
				h[one.name] = one.values // shared and never written: Add copies it
			}
			next.ServeHTTP(w, r)
		})
	}
}
