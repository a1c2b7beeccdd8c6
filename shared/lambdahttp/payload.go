package lambdahttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/internal/rawjson"
)

// payload is one kind of event: the request in it and the shape of its answer.
type payload interface {
	// facts returns the gateway's facts about the request.
	facts() Event
	// method returns the request's method as the client sent it.
	method() string
	// headerValue returns a request header's value, whatever its letter case; "" when it is absent.
	headerValue(name string) string
	// authorizer returns the Lambda authorizer's context, and false when no authorizer ran.
	authorizer() (map[string]string, bool)
	// claims returns what the JWT authorizer has verified, and false when none ran.
	claims() (identity.Claims, bool)
	// request returns the request that a net/http server would hand to a handler. Its errors are
	// the client's faults.
	request(ctx context.Context, base basePath) (*http.Request, error)
	// core returns ctx with what core's accessors return.
	core(ctx context.Context) context.Context
	// encode returns the answer in the JSON that the event's source expects.
	encode(a answer) []byte
}

// errNotHTTP is the fault of an event that does not come from a source this package serves.
var errNotHTTP = errors.New("lambdahttp: not an HTTP API or Function URL event (payload format 2.0)")

// decode recognises the kind of the event.
func decode(event []byte) (payload, error) {
	p := new(payload2)
	r := rawjson.NewReader(string(event)) // the runtime may reuse its buffer
	p.read(r)
	r.End()
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", errNotHTTP, err)
	}
	// Every HTTP event of format 2.0 has a method there; format 1.0, the load balancer's and
	// events of other sources have no requestContext.http.
	if p.method() == "" {
		return nil, fmt.Errorf("%w: no requestContext.http.method (version %q)", errNotHTTP, p.version)
	}
	return p, nil
}
