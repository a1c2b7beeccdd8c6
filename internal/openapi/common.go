package openapi

import (
	"math"
	"net/http"
	"slices"

	"github.com/swaggest/openapi-go/openapi31"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/problem"
)

const (
	headerPrefix    = "#/components/headers/"
	contentTypeForm = "application/x-www-form-urlencoded"
	// ofFunctions ends the name of a header that each answer of a function has, where API Gateway may answer too.
	ofFunctions = "-of-functions"
)

// Problems returns all errors of an operation: those of its policy and its body, and its own.
func Problems(o Operation) []*problem.Error { return slices.Concat(common(o), o.Problems) }

// common returns the errors that the library answers for every operation with this policy. They are listed here
// because the packages that make them keep them private; a test collects their codes from the source.
func common(o Operation) []*problem.Error {
	all := []*problem.Error{
		problem.New(problem.BadRequest, "malformed_request", "The request could not be read."),
		problem.New(problem.Internal, "internal", "The server failed."),
		problem.New(problem.Internal, "response_too_large", "The answer is too large to be delivered."),
		api.BodyTooLarge(o.Route.BodyLimit()), // of every method: a body that nobody reads has the same limit
		problem.New(problem.Unavailable, "unavailable", "The service cannot answer at the moment. Try again shortly."),
		problem.New(problem.Timeout, "timeout", "The request took too long."),
	}
	if o.Route.Auth != api.Public {
		all = append(all, authentication(o.Route)...)
	}
	all = append(all, limited(o.Route.Rate)...)
	all = append(all, keyed(o.Route.Idempotency)...)
	switch {
	case o.Body == nil:
	case bodyType(o) == contentTypeForm:
		all = append(all,
			problem.New(problem.BadRequest, "invalid_request", "The request body is not a form that has what is needed."),
			api.ContentTypeRefused(contentTypeForm),
			api.ContentEncodingRefused(),
		)
	default:
		all = append(all,
			problem.New(problem.BadRequest, "malformed_json", "The request body is not valid JSON."),
			api.ContentTypeRefused(api.BodyTypes(o.Route.Method)...),
			api.ContentEncodingRefused(),
			problem.Fields(),
		)
	}
	for _, p := range o.parameters() {
		if p.In != Path && !ignorable(p.Name) {
			all = append(all, problem.Parameter(p.Name, ""))
		}
		if p.Name == headerIfMatch && p.Required {
			all = append(all, problem.New(problem.PreconditionRequired, "precondition_required",
				"Send the entity tag that the change is based on as If-Match."))
		}
		if p.In == Query {
			all = append(all, api.MalformedQuery(problem.FieldError{Pointer: p.Name}))
		}
	}
	return all
}

// ignorable reports whether a parameter with a value that is not well-formed counts as absent: a header that says
// what the client has or prefers, or a signature, which is wrong then.
func ignorable(name string) bool {
	return slices.Contains([]string{headerIfNoneMatch, "Accept", "Accept-Encoding", "Carrier-Signature"}, name)
}

func authentication(route api.Route) []*problem.Error {
	all := []*problem.Error{
		problem.New(problem.BadRequest, "invalid_request", "The Authorization header must be one Bearer token."),
		problem.New(problem.Unauthorized, "missing_token", "This operation needs an access token."),
		problem.New(problem.Unauthorized, "invalid_token", "The access token is not valid."),
		problem.New(problem.Unauthorized, "token_expired", "The access token has expired."),
		problem.New(problem.Unauthorized, "token_revoked", "The access token was revoked."),
		problem.New(problem.Unavailable, "auth_unavailable", "The access token cannot be checked at the moment."),
	}
	if len(route.Roles) > 0 {
		all = append(all, problem.New(problem.Forbidden, "insufficient_role", "Your roles do not allow this operation."))
	}
	if len(route.Scopes) > 0 {
		all = append(all, problem.New(problem.Forbidden, "insufficient_scope", "The access token's scope does not allow this operation."))
	}
	if route.MaxAuthAge > 0 {
		all = append(all, problem.New(problem.Unauthorized, problem.OAuthInsufficientLogin, "This operation needs a more recent login."))
	}
	return all
}

// challenge returns the header of an answer that a token is the reason of.
func challenge() ResponseHeader {
	return ResponseHeader{Name: problem.HeaderWWWAuthenticate, Description: "The challenge, if the token is the reason (RFC 6750 section 3).", Optional: true}
}

// headers returns the headers of an answer of a route: those of every answer, of its status, of the route's rate
// limits, and own ones.
func (b *builder) headers(o Operation, status int, own []ResponseHeader) map[string]openapi31.HeaderOrReference {
	all := append([]ResponseHeader{
		{Name: problem.HeaderRequestID, Description: "Names the request, for support. A request may bring its own."},
		cacheControl(),
		{Name: "Vary", Description: "The request's headers that the answer depends on (RFC 9110 section 12.5.5).", Optional: true},
	}, slices.Concat(limitHeaders(o.Route.Rate), replayHeaders(o.Route.Idempotency, status), own)...)
	running := status == http.StatusConflict && o.Route.Idempotency != api.KeyIgnored // an earlier request with the key
	switch {
	case status == http.StatusUnauthorized:
		all = append(all, challenge())
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable, running:
		all = append(all, ResponseHeader{
			Name: "Retry-After", Description: "Seconds to wait before the next attempt.", Rules: Between(1, math.MaxInt32), Optional: true,
		})
	}
	out := map[string]openapi31.HeaderOrReference{}
	for _, h := range all {
		name := h.Name
		if gatewayAnswers(o)[status] && !h.Optional {
			name += ofFunctions
			h.Description += " An answer of API Gateway itself does not have it."
			h.Optional = true
		}
		header := (&openapi31.Header{}).WithDescription(h.Description).WithSchema(h.Rules.schema())
		if !h.Optional {
			header.WithRequired(true)
		}
		b.spec.ComponentsEns().WithHeadersItem(name, openapi31.HeaderOrReference{Header: header})
		out[h.Name] = openapi31.HeaderOrReference{Reference: &openapi31.Reference{Ref: headerPrefix + name}}
	}
	return out
}

// gatewayAnswers are the statuses that API Gateway also answers itself, before or instead of the function: 400 for a
// path that it cannot read, 401 without a token, 413 over its own limit, 500 and 503 if the function fails or is late
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html).
func gatewayAnswers(o Operation) map[int]bool {
	return map[int]bool{
		http.StatusBadRequest: true, http.StatusUnauthorized: o.Route.Auth == api.Required, http.StatusRequestEntityTooLarge: true, http.StatusTooManyRequests: true,
		http.StatusInternalServerError: true, http.StatusServiceUnavailable: true,
	}
}

// gatewayBody is an answer that API Gateway gives itself. It has no request id and no code.
type gatewayBody struct {
	// Message is the text of the status.
	Message string `json:"message"`
}

func gatewayMessage() Schema { return Schema{Name: gatewaySchema, Value: gatewayBody{}} }

// problemBody is the body of every error answer.
type problemBody struct {
	// Type is the problem's type, if it has one besides about:blank.
	Type string `json:"type,omitempty"`
	// Title is the text of the status.
	Title string `json:"title"`
	// Status is the HTTP status.
	Status int `json:"status"`
	// Detail is one sentence for people.
	Detail string `json:"detail,omitempty"`
	// Code is the stable name of the error, for programs.
	Code string `json:"code"`
	// RequestID is the name of the request, for support.
	RequestID string `json:"request_id,omitempty"`
	// Errors are the parts of the request that are wrong.
	Errors []problem.FieldError `json:"errors,omitempty"`
	// Total is the new total, of price_changed only.
	Total *money.Money `json:"total,omitempty"`
	// OAuth is the error code of OAuth 2.0, on its endpoints only.
	OAuth string `json:"error,omitempty"`
	// Violated are the rate limits that the request exceeds.
	Violated []string `json:"violated-policies,omitempty"` //nolint:tagliatelle // the name in the draft of the RateLimit headers
}

func problemDocument() Schema {
	return Schema{Name: problemSchema, Value: problemBody{}, Members: map[string]Rules{
		"type":   {Enum: []any{problem.QuotaExceeded().URI, problem.TemporaryReducedCapacity().URI}},
		"status": Between(http.StatusBadRequest, 599), //nolint:mnd // the last status of RFC 9110
		"errors": {MaxItems: problem.MaxFields},
	}}
}

func moneySchema() Schema {
	// In requests too, which must not have other members. All amounts of the API are prices.
	return Schema{Name: "Money", Value: money.Money{}, Required: []string{"amount_minor", "currency"}, Members: map[string]Rules{
		"amount_minor": Between(0, money.MaxAmount), "currency": Currency(),
	}}
}

func addressSchema() Schema {
	line := Name(policy.MaxAddressLine)
	return Schema{Name: "Address", Value: policy.Address{}, Required: []string{"name", "line1", "city", "country"}, Members: map[string]Rules{
		"name": Name(policy.MaxPersonName), "line1": line, "line2": Line(policy.MaxAddressLine), "city": line,
		"region": Line(policy.MaxAddressLine), "postal_code": Line(policy.MaxPostalCode), "country": Country(),
	}}
}
