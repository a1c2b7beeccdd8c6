// Package middleware holds the parts of the request chain as plain net/http middleware, one
// concern in each file, and Chain, which puts them in order. Nothing here imports another
// concern (metrics, rate limits, tokens): those come in as Middleware and Authenticator values.
package middleware

import (
	"net/http"
	"slices"
)

// Middleware wraps a handler with one concern.
type Middleware func(http.Handler) http.Handler

// wrap puts the layers around h, the first one outermost. A nil layer is left out.
func wrap(layers []Middleware, h http.Handler) http.Handler {
	for _, layer := range slices.Backward(layers) {
		if layer != nil {
			h = layer(h)
		}
	}
	return h
}
