package gateway

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// defaultBodyTimeout is Config.BodyTimeout's default.
const defaultBodyTimeout = 30 * time.Second

// limitReading bounds how long the connection waits for the request. The server asks for the rest of
// a body even when the answer does not need it, so the bound begins before anybody reads.
func (g *Gateway) limitReading(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(g.bodyTimeout)) // a recorder in a test has none
}

// readBody returns the whole body, or the answer to a client that did not send it.
func (x *exchange) readBody(w http.ResponseWriter) ([]byte, *response) {
	body, err := io.ReadAll(http.MaxBytesReader(w, x.r.Body, MaxBodyBytes))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, refuse(http.StatusRequestEntityTooLarge, "Request Entity Too Large")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, refuse(http.StatusRequestTimeout, "Request Timeout")
	case err != nil:
		return nil, refuse(http.StatusBadRequest, "Bad Request")
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // the function's time is not the client's
	return body, nil
}
