// Package problem is the one place that turns an error into an answer: a kind for machines, a
// sentence for the client, a private cause for the log, written as application/problem+json
// (RFC 9457).
package problem

import (
	"errors"
	"maps"
	"net/http"
	"strings"
	"time"
)

// Kind classifies a failure. It decides the HTTP status.
type Kind int

// The kinds, each with its status. Internal is the zero value: the client must not learn anything
// from an error that nobody has classified.
const (
	Internal             Kind = iota // 500
	BadRequest                       // 400
	Unauthorized                     // 401
	PaymentRequired                  // 402
	Forbidden                        // 403
	NotFound                         // 404
	MethodNotAllowed                 // 405
	NotAcceptable                    // 406
	Conflict                         // 409
	Gone                             // 410
	PreconditionFailed               // 412
	TooLarge                         // 413
	UnsupportedMediaType             // 415
	Invalid                          // 422
	PreconditionRequired             // 428
	TooManyRequests                  // 429
	Unavailable                      // 503
	Timeout                          // 504
)

// Status returns the HTTP status of the kind; 500 for one that does not exist.
func (k Kind) Status() int {
	switch k {
	case BadRequest:
		return http.StatusBadRequest
	case Unauthorized:
		return http.StatusUnauthorized
	case PaymentRequired:
		return http.StatusPaymentRequired
	case Forbidden:
		return http.StatusForbidden
	case NotFound:
		return http.StatusNotFound
	case MethodNotAllowed:
		return http.StatusMethodNotAllowed
	case NotAcceptable:
		return http.StatusNotAcceptable
	case Conflict:
		return http.StatusConflict
	case Gone:
		return http.StatusGone
	case PreconditionFailed:
		return http.StatusPreconditionFailed
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case UnsupportedMediaType:
		return http.StatusUnsupportedMediaType
	case Invalid:
		return http.StatusUnprocessableEntity
	case PreconditionRequired:
		return http.StatusPreconditionRequired
	case TooManyRequests:
		return http.StatusTooManyRequests
	case Unavailable:
		return http.StatusServiceUnavailable
	case Timeout:
		return http.StatusGatewayTimeout
	case Internal:
		return http.StatusInternalServerError
	default:
		return http.StatusInternalServerError
	}
}

// Error is a failure that the client may read about. Build it with New or Fields.
type Error struct {
	// Kind decides the status.
	Kind Kind
	// Code is the stable machine-readable name, snake_case ("sku_exists").
	Code string
	// Detail is one sentence for the client. It never carries a cause.
	Detail string
	// Errors names the offending parts of the request.
	Errors []FieldError
	// RetryAfter is how long the client should wait before it tries again. 0 is a second for
	// Unavailable, and not said for other kinds.
	RetryAfter time.Duration

	// Type is the document's problem type (RFC 9457, section 3.1.1). The zero value is "about:blank".
	Type Type
	// ViolatedPolicies names the rate limits whose quota is exceeded, for the type QuotaExceeded.
	ViolatedPolicies []string

	cause   error
	oauth   string
	members map[string]any
}

// Type is a problem type: its URI and the title that goes with it.
type Type struct{ URI, Title string }

// QuotaExceeded returns the type of a request that exceeds a rate limit
// (https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-10, section 5).
func QuotaExceeded() Type {
	return Type{
		URI:   "https://iana.org/assignments/http-problem-types#quota-exceeded",
		Title: "Request cannot be satisfied as assigned quota has been exceeded",
	}
}

// TemporaryReducedCapacity returns the type of a request that is refused because the server has less capacity for a
// while (the same draft).
func TemporaryReducedCapacity() Type {
	return Type{
		URI:   "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
		Title: "Request cannot be satisfied due to temporary server capacity constraints",
	}
}

// FieldError is one part of the request that breaks a rule.
type FieldError struct {
	// Pointer is an RFC 6901 JSON pointer into the body ("/price/currency"), or the name of a
	// query parameter or header ("limit", "If-Match").
	Pointer string `json:"pointer"`
	// Detail is the rule that the value breaks.
	Detail string `json:"detail"`
}

// Pointer returns the JSON pointer (RFC 6901) of the member called name of the value at parent. The
// pointer of a whole body is "".
func Pointer(parent, name string) string {
	if strings.ContainsAny(name, "~/") {
		name = strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
	}
	return parent + "/" + name
}

// New returns an error of the kind with a stable code and a sentence for the client.
func New(kind Kind, code, detail string) *Error {
	return &Error{Kind: kind, Code: code, Detail: detail}
}

// MaxFields is how many fields one answer names at most, so that a small request cannot cause a large
// answer.
const MaxFields = 20

// Fields returns an Invalid error (422, code validation_failed) that names the offending fields, the
// first MaxFields of them.
func Fields(fields ...FieldError) *Error {
	e := New(Invalid, "validation_failed", "One or more fields are not valid.")
	e.Errors = fields[:min(len(fields), MaxFields)]
	return e
}

// Parameter returns a BadRequest error (400, code invalid_parameter) for a query parameter, path
// parameter or header that breaks a rule.
func Parameter(name, detail string) *Error {
	e := New(BadRequest, "invalid_parameter", "A request parameter is not valid.")
	e.Errors = []FieldError{{Pointer: name, Detail: detail}}
	return e
}

// RouteNotFound returns 404 route_not_found: the API has no route for the method and path.
func RouteNotFound() *Error { return New(NotFound, "route_not_found", "There is no such route.") }

// Stale returns the PreconditionFailed error (412, code precondition_failed) for a change that is based
// on an older version.
func Stale() *Error {
	return New(PreconditionFailed, "precondition_failed",
		"The resource has changed since you read it. Read it again and repeat the change.")
}

// WithCause returns a copy that carries a private cause. It goes to the log, never to the client.
func (e *Error) WithCause(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// WithFields returns a copy that names the offending parts of the request.
func (e *Error) WithFields(fields ...FieldError) *Error {
	c := *e
	c.Errors = fields
	return &c
}

// WithRetryAfter returns a copy that tells the client how long to wait.
func (e *Error) WithRetryAfter(wait time.Duration) *Error {
	c := *e
	c.RetryAfter = wait
	return &c
}

// WithMember returns a copy with an extension member (RFC 9457 section 3.2) for what a machine has to know beyond the
// code, such as the total that has changed. value is encoded as JSON. A member must not have the name of another one.
func (e *Error) WithMember(name string, value any) *Error {
	c := *e
	c.members = maps.Clone(e.members)
	if c.members == nil {
		c.members = map[string]any{}
	}
	c.members[name] = value
	return &c
}

// WithOAuth returns a copy with the error code for requests that ForOAuth marks. Without one the kind decides.
func (e *Error) WithOAuth(code string) *Error {
	c := *e
	c.oauth = code
	return &c
}

// Error returns the code, the sentence and the cause: for logs, not for clients.
func (e *Error) Error() string {
	s := e.Code
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap returns the private cause.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is a problem with the same code, so that errors.Is works with a
// package's exported error values after WithCause and the other methods that copy.
func (e *Error) Is(target error) bool {
	var t *Error
	return errors.As(target, &t) && t.Kind == e.Kind && t.Code == e.Code
}

// As returns the first *Error in err's chain, and false when there is none.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}
