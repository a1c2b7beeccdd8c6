package gateway

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CORS is the API's CorsConfiguration. With one, the gateway answers OPTIONS itself and drops
// every CORS header of a function.
type CORS struct {
	// AllowOrigins are exact origins, "*", "https://*" or "http://*".
	AllowOrigins []string
	// AllowMethods are methods, or "*".
	AllowMethods []string
	// AllowHeaders are request headers, or "*".
	AllowHeaders []string
	// ExposeHeaders are response headers that scripts may read.
	ExposeHeaders []string
	// AllowCredentials lets cookies through; not together with the origin "*".
	AllowCredentials bool
	// MaxAge is how long a preflight answer may be kept, in whole seconds. 0 sends no such header.
	MaxAge time.Duration
}

// corsPrefix starts the name of every CORS response header.
const corsPrefix = "Access-Control-"

// check refuses what API Gateway refuses.
func (c *CORS) check() error {
	switch {
	case c == nil:
		return nil
	case c.AllowCredentials && slices.Contains(c.AllowOrigins, "*"):
		return errors.New("CORS: credentials cannot be allowed for the origin \"*\"")
	case c.MaxAge < 0 || c.MaxAge > 24*time.Hour:
		return errors.New("CORS: max age must be between 0 and 86400 seconds")
	}
	return nil
}

// origin returns the value of Access-Control-Allow-Origin, empty when the origin is not allowed.
func (c *CORS) origin(origin string) string {
	switch {
	case origin == "":
		return ""
	case slices.Contains(c.AllowOrigins, "*"):
		return "*"
	case slices.Contains(c.AllowOrigins, origin),
		strings.HasPrefix(origin, "https://") && slices.Contains(c.AllowOrigins, "https://*"),
		strings.HasPrefix(origin, "http://") && slices.Contains(c.AllowOrigins, "http://*"):
		return origin
	}
	return ""
}

// decorate replaces the CORS headers of an answer by the configured ones. It adds no Vary, because AWS documents
// none: the functions do.
func (c *CORS) decorate(header http.Header, r *http.Request) {
	if c == nil {
		return
	}
	for name := range header {
		if strings.HasPrefix(name, corsPrefix) {
			delete(header, name)
		}
	}
	origin := c.origin(r.Header.Get("Origin"))
	if origin == "" {
		return
	}
	header.Set(corsPrefix+"Allow-Origin", origin)
	if c.AllowCredentials {
		header.Set(corsPrefix+"Allow-Credentials", "true")
	}
	if r.Method == http.MethodOptions {
		if r.Header.Get(corsPrefix+"Request-Method") == "" {
			return
		}
		setList(header, corsPrefix+"Allow-Methods", c.AllowMethods)
		setList(header, corsPrefix+"Allow-Headers", c.AllowHeaders)
		if c.MaxAge > 0 {
			header.Set(corsPrefix+"Max-Age", strconv.Itoa(int(c.MaxAge.Seconds())))
		}
		return
	}
	setList(header, corsPrefix+"Expose-Headers", c.ExposeHeaders)
}

// setList sets a header to a list, unless it is empty.
func setList(header http.Header, name string, values []string) {
	if len(values) > 0 {
		header.Set(name, strings.Join(values, ","))
	}
}
