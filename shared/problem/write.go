package problem

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/logging"
)

// validRequestID reports whether a client's request id may be kept: 1 to 128 characters of
// A-Z a-z 0-9 . _ : and -. Any other could forge log lines.
func validRequestID(id string) bool {
	const longest = 128
	if id == "" || len(id) > longest {
		return false
	}
	for i := range len(id) {
		c := id[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '.', c == '_', c == ':', c == '-':
		default:
			return false
		}
	}
	return true
}

// RequestID returns the request's own id if it is valid, and a new one otherwise.
func RequestID(r *http.Request) string {
	if id := r.Header.Get(HeaderRequestID); validRequestID(id) {
		return id
	}
	return rand.Text()
}

const (
	// ContentType is the media type of every error answer (RFC 9457 section 3).
	ContentType = "application/problem+json"
	// HeaderRequestID carries the request id; Write repeats it in the body.
	HeaderRequestID = "X-Request-Id"
	// HeaderWWWAuthenticate carries the challenge of a 401 (RFC 6750 section 3).
	HeaderWWWAuthenticate = "WWW-Authenticate"
	// Challenge is the challenge of a 401 for which nobody has set a more precise one. It has no error
	// code, and must have a parameter (RFC 6750 sections 3 and 3.1).
	Challenge = `Bearer realm="api"`
)

// document is the RFC 9457 body with our extension members. "type" is left out where it is about:blank, its default:
// Code is the stable name.
type document struct {
	Type      string       `json:"type,omitempty"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail,omitempty"`
	Code      string       `json:"code"`
	RequestID string       `json:"request_id,omitempty"`
	Errors    []FieldError `json:"errors,omitempty"`
	OAuth     string       `json:"error,omitempty"`
	Violated  []string     `json:"violated-policies,omitempty"` //nolint:tagliatelle // the name in the draft of QuotaExceeded
}

// Write answers the request with err. An *Error in err's chain decides status, code, sentence and the
// headers that belong to its kind; context.DeadlineExceeded is 504; anything else is a bare 500. The
// cause goes to the request's log entry.
func Write(w http.ResponseWriter, r *http.Request, err error) {
	e := classify(err)
	entry := logging.EntryFrom(r.Context())
	entry.Add(zap.String("error_code", e.Code))
	if cause := privateCause(e, err); cause != nil {
		entry.SetError(cause)
	}

	h := w.Header()
	maps.DeleteFunc(h, func(name string, _ []string) bool { return describesAnswer(http.CanonicalHeaderKey(name)) })
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", ContentType)
	if wait := e.retryAfter(); wait > 0 {
		h.Set("Retry-After", strconv.FormatInt(wait, 10))
	}
	if e.Kind == Unauthorized && h.Get(HeaderWWWAuthenticate) == "" {
		h.Set(HeaderWWWAuthenticate, Challenge)
	}

	status := e.Kind.Status()
	body, marshalErr := e.document(h.Get(HeaderRequestID), e.oauthError(r.Context()))
	if marshalErr != nil { // strings and ints always marshal, and members that the code chose
		status, body = http.StatusInternalServerError, nil
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // fails if the client has gone
}

// Document returns the body that Write sends for e in the answer to the request with the id, except on an OAuth route.
func (e *Error) Document(requestID string) ([]byte, error) { return e.document(requestID, "") }

func (e *Error) document(requestID, oauth string) ([]byte, error) {
	status := e.Kind.Status()
	return encode(document{
		Type:      e.Type.URI,
		Title:     cmp.Or(e.Type.Title, http.StatusText(status)),
		Status:    status,
		Detail:    e.Detail,
		Code:      e.Code,
		RequestID: requestID,
		Errors:    e.Errors,
		OAuth:     oauth,
		Violated:  e.ViolatedPolicies,
	}, e.members)
}

// encode returns the document's JSON with the extension members behind its own ones, by name.
func encode(d document, members map[string]any) ([]byte, error) {
	body, err := json.Marshal(d)
	if err != nil || len(members) == 0 {
		return body, err
	}
	more, err := json.Marshal(members)
	if err != nil {
		return nil, err
	}
	return slices.Concat(body[:len(body)-1], []byte(","), more[1:]), nil
}

// describesAnswer reports whether a header describes one answer: the handler may have set it, in any spelling,
// for an answer that it then did not give.
func describesAnswer(name string) bool {
	switch name {
	case "Cache-Control", "Content-Encoding", "Content-Length", "Content-Type", "Etag", "Last-Modified", "Retry-After":
		return true
	default:
		return false
	}
}

// retryAfter returns the Retry-After header in seconds, rounded up; 0 for none.
func (e *Error) retryAfter() int64 {
	if e.RetryAfter > 0 {
		return int64((e.RetryAfter + time.Second - 1) / time.Second)
	}
	if e.Kind == Unavailable {
		return 1
	}
	return 0
}

func classify(err error) *Error {
	if e, ok := As(err); ok {
		return e
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return New(Timeout, "timeout", "The request took too long.")
	}
	return New(Internal, "internal", "")
}

// privateCause returns what the log needs beyond the code, or nil.
func privateCause(e *Error, err error) error {
	if e.cause != nil || e.Kind.Status() >= http.StatusInternalServerError {
		return err
	}
	return nil
}
