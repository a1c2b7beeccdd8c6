package lambdahttp

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/tienda-dev/tienda/shared/problem"
)

// maxResponse is the largest synchronous answer that Lambda takes, in bytes of JSON: 6 MiB and 100 bytes
// ("Response payload size exceeded maximum allowed payload size (6291556 bytes)").
const maxResponse = 6<<20 + 100

// errTooLarge is the error of an answer that Lambda would not take.
var errTooLarge = problem.New(problem.Internal, "response_too_large", "The answer is too large to be delivered.")

// writer is the http.ResponseWriter of one request. It holds the answer back until the handler has
// returned, and has the rules of net/http's: the first status wins, the header is what it was then,
// and statuses without a body have none.
type writer struct {
	event    payload
	head     bool // the request is a HEAD
	header   http.Header
	sent     fields // header as it was at the first WriteHeader
	status   int    // 0 until then
	declared int64  // the handler's Content-Length; -1 when it set none
	written  int64
	body     []byte
	tooLarge bool
	encoded  []byte // the answer for Lambda, from Finish
}

// usualHeaders is how many headers an answer of the whole chain has. A smaller map would grow twice.
const usualHeaders = 20

func newWriter(event payload) *writer {
	return &writer{event: event, head: event.method() == http.MethodHead, header: make(http.Header, usualHeaders), declared: -1}
}

// Finish completes the answer and encodes it for Lambda. The middleware chain calls it while it can
// still replace the answer. It returns an error for an answer that net/http would have broken off, or
// that Lambda would not take.
func (w *writer) Finish() error {
	a, err := w.finish()
	if err != nil {
		return err
	}
	encoded := w.event.encode(a)
	if len(encoded) > maxResponse {
		return errTooLarge
	}
	w.encoded = encoded
	return nil
}

// result returns the encoded answer. It calls Finish unless the chain has.
func (w *writer) result() ([]byte, error) {
	if w.encoded == nil {
		if err := w.Finish(); err != nil {
			return nil, err
		}
	}
	return w.encoded, nil
}

// Discard takes back everything that was written, and the headers that make sense in that answer
// alone. It always can.
func (w *writer) Discard() bool {
	maps.DeleteFunc(w.header, func(name string, _ []string) bool {
		return strings.EqualFold(name, "Location") || strings.EqualFold(name, "Set-Cookie")
	})
	*w = writer{event: w.event, head: w.head, header: w.header, declared: -1}
	return true
}

// Header returns the header that the first WriteHeader or Write sends.
func (w *writer) Header() http.Header { return w.header }

// WriteHeader sets the status, once. Informational statuses are dropped, because no event source can
// send them. As in net/http, it panics for a number that is not a status.
func (w *writer) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("lambdahttp: invalid WriteHeader code %d", status))
	}
	if status < 200 && status != http.StatusSwitchingProtocols {
		return
	}
	w.status = status
	w.sent = canonical(w.header)
	if text := w.sent.get("Content-Length"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			n = -1
		}
		w.declared = n
	}
}

// Write adds to the body. It fails as net/http's does: with http.ErrBodyNotAllowed for a status
// that has none, with http.ErrContentLength beyond the length that the handler declared.
func (w *writer) Write(p []byte) (int, error) { return write(w, p) }

// WriteString is Write for a string, without a copy.
func (w *writer) WriteString(s string) (int, error) { return write(w, s) }

func write[T string | []byte](w *writer, p T) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.encoded = nil
	if len(p) == 0 {
		return 0, nil
	}
	if !bodyAllowed(w.status) {
		return 0, http.ErrBodyNotAllowed
	}
	w.written += int64(len(p))
	if w.declared >= 0 && w.written > w.declared {
		return 0, http.ErrContentLength
	}
	if w.written > maxResponse { // of a HEAD too, which answers like GET
		w.tooLarge, w.body = true, nil
		return 0, errTooLarge
	}
	if !w.head || len(w.body) < sniffLength {
		w.body = append(w.body, p...)
	}
	return len(p), nil
}

// bodyAllowed is net/http's rule, RFC 9110 section 6.4.1.
func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// answer is a finished response.
type answer struct {
	status int
	header fields
	body   []byte
}

// sniffLength is how many bytes http.DetectContentType looks at.
const sniffLength = 512

// finish completes the answer as net/http does when a handler returns.
func (w *writer) finish() (answer, error) {
	w.WriteHeader(http.StatusOK)
	allowed := bodyAllowed(w.status)
	if w.tooLarge {
		return answer{}, errTooLarge
	}
	if allowed && !w.head && w.declared >= 0 && w.declared != w.written {
		return answer{}, fmt.Errorf("lambdahttp: the handler declared %d bytes of body and wrote %d", w.declared, w.written)
	}

	w.sent = w.sent.endToEnd()
	if allowed && len(w.body) > 0 && !w.sent.has("Content-Type") && w.sent.get("Content-Encoding") == "" {
		w.sent.set("Content-Type", http.DetectContentType(w.body))
	}
	// As in net/http, a HEAD has a length only if the handler wrote or declared one.
	switch {
	case allowed && (!w.head || w.written > 0):
		w.sent.set("Content-Length", strconv.FormatInt(w.written, 10))
	case allowed && w.declared >= 0:
		w.sent.set("Content-Length", strconv.FormatInt(w.declared, 10))
	default:
		w.sent.drop("Content-Length")
	}
	if w.status == http.StatusNotModified {
		w.sent.drop("Content-Type")
	}
	a := answer{status: w.status, header: w.sent, body: w.body}
	if w.head || !allowed {
		a.body = nil
	}
	return a, nil
}
