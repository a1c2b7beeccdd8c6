package authorizer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/tienda-dev/tienda/shared/internal/rawjson"
)

// errEvent is the error of an event that is not an authorizer's (payload format 2.0).
var errEvent = errors.New("authorizer: not an authorizer event")

// headerAuthorization is compared without case: API Gateway sends it in lower case, sam local
// does not.
const headerAuthorization = "authorization"

// Request is what a decision needs of an authorizer event (payload format 2.0).
type Request struct {
	// RouteKey is the route of the API ("POST /v1/orders").
	RouteKey string
	// RequestID is the gateway's id of the request.
	RequestID string
	// Authorization has the values of the header.
	Authorization []string
	// IdentitySource has the gateway's copies of the identity sources.
	IdentitySource []string

	trace map[string]string
}

// TraceHeaders returns the headers of the client's trace, by their names in lower case.
func (r Request) TraceHeaders() map[string]string { return r.trace }

// UnmarshalJSON implements json.Unmarshaler. It reads what a decision needs and skips the rest of the event.
func (r *Request) UnmarshalJSON(event []byte) error {
	*r = Request{}
	in := rawjson.NewReader(string(event)) // the runtime may reuse its buffer
	in.Object(func(name string) {
		switch name {
		case "routeKey":
			r.RouteKey = in.Text()
		case "identitySource":
			in.Array(func() { r.IdentitySource = append(r.IdentitySource, in.Text()) })
		case "headers":
			in.Object(func(name string) { r.header(name, in.Text()) })
		case "requestContext":
			in.Object(func(name string) {
				if name == "requestId" {
					r.RequestID = in.Text()
					return
				}
				in.Skip()
			})
		default:
			in.Skip()
		}
	})
	in.End()
	if err := in.Err(); err != nil {
		return fmt.Errorf("%w: %w", errEvent, err)
	}
	return nil
}

func (r *Request) header(name, value string) {
	if strings.EqualFold(name, headerAuthorization) {
		r.Authorization = append(r.Authorization, value)
		return
	}
	for _, known := range [...]string{"traceparent", "tracestate", "baggage"} {
		if strings.EqualFold(name, known) {
			if r.trace == nil {
				r.trace = make(map[string]string)
			}
			r.trace[known] = value
		}
	}
}

// request returns what a decision needs of the event.
func request(event *events.APIGatewayV2CustomAuthorizerV2Request) Request {
	r := Request{RouteKey: event.RouteKey, RequestID: event.RequestContext.RequestID, IdentitySource: event.IdentitySource}
	for name, value := range event.Headers {
		r.header(name, value)
	}
	return r
}

// Answer is the context of a simple response, which is authorized: identity.Annotation.Map and the trace.
type Answer map[string]string

// MarshalJSON implements json.Marshaler. It writes a simple response, with the names in order.
func (a Answer) MarshalJSON() ([]byte, error) {
	size := len(`{"isAuthorized":true,"context":{}}`)
	for name, value := range a {
		size += len(name) + len(value) + len(`"":"",`)
	}
	out := append(make([]byte, 0, size), `{"isAuthorized":true,"context":{`...)
	for i, name := range slices.Sorted(maps.Keys(a)) {
		if i > 0 {
			out = append(out, ',')
		}
		out = rawjson.AppendString(out, name)
		out = append(out, ':')
		out = rawjson.AppendString(out, a[name])
	}
	return append(out, '}', '}'), nil
}

// response returns the answer as aws-lambda-go has it.
func (a Answer) response() events.APIGatewayV2CustomAuthorizerSimpleResponse {
	context := make(map[string]any, len(a))
	for name, value := range a {
		context[name] = value
	}
	return events.APIGatewayV2CustomAuthorizerSimpleResponse{IsAuthorized: true, Context: context}
}
