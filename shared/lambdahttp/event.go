package lambdahttp

import (
	"context"
	"time"
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

func withEvent(ctx context.Context, e Event) context.Context {
	return context.WithValue(ctx, eventKey{}, e)
}

// EventFrom returns the gateway's facts about the request, and false when the request did not
// come through a Handler.
func EventFrom(ctx context.Context) (Event, bool) {
	e, ok := ctx.Value(eventKey{}).(Event)
	return e, ok
}
