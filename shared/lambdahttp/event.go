package lambdahttp

import (
	"context"
	"sync"
	"time"

	"github.com/awslabs/aws-lambda-go-api-proxy/core"
)

// Event holds the facts about a request that the gateway adds to HTTP. A client cannot set any of it.
type Event struct {
	// RequestID is the gateway's id of the request. It is not the Lambda invocation's id, which
	// lambdacontext has.
	RequestID string
	// RouteKey is the route that matched ("GET /v1/products/{id}", "$default"). A Function URL
	// has "$default" or nothing.
	RouteKey string
	// Stage is the name of the API's stage; "$default" for the one that has no path prefix.
	Stage string
	// APIID names the HTTP API or the Function URL.
	APIID string
	// DomainName is the domain that the client called.
	DomainName string
	// SourceIP is the address of the TCP connection to the gateway: the client, or the last
	// proxy before the gateway.
	SourceIP string
	// Time is when the gateway received the request, in UTC. Zero if the event has no time.
	Time time.Time
}

type eventKey struct{}

// eventContext is the context of a request: it has the gateway's facts, and what core's accessors return. core makes
// that when it is asked for: few handlers ask, and it would be a fifth of reading the event.
type eventContext struct {
	context.Context //nolint:containedctx // it is a context

	event   Event
	payload payload
	coreKey any
	made    sync.Once
	core    any
}

func withEvent(ctx context.Context, p payload, coreKey any) *eventContext {
	return &eventContext{Context: ctx, event: p.facts(), payload: p, coreKey: coreKey}
}

// Value implements context.Context.
func (c *eventContext) Value(key any) any {
	switch key {
	case eventKey{}:
		return &c.event
	case c.coreKey:
		c.made.Do(func() { c.core = c.payload.core(c.Context).Value(key) })
		return c.core
	default:
		return c.Context.Value(key)
	}
}

// coreKey returns the key under which core keeps its value in a context. core does not export it, so this is what one
// of its accessors asks for.
func coreKey() any {
	asked := &askedContext{Context: context.Background()}
	core.GetAPIGatewayV2ContextFromContext(asked)
	return asked.key
}

// askedContext remembers the key that it was asked for.
type askedContext struct {
	context.Context //nolint:containedctx // it is a context

	key any
}

// Value implements context.Context.
func (c *askedContext) Value(key any) any {
	c.key = key
	return nil
}

// EventFrom returns the gateway's facts about the request, and false when the request did not
// come through a Handler.
func EventFrom(ctx context.Context) (Event, bool) {
	e, ok := ctx.Value(eventKey{}).(*Event)
	if !ok {
		return Event{}, false
	}
	return *e, true
}
