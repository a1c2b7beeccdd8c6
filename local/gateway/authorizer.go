package gateway

import (
	"container/list"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The limits of a Lambda authorizer.
const (
	// authorizerTimeout limits the function's answer.
	authorizerTimeout = 10 * time.Second
	// maxAuthorizerTTL is the longest that a result may be kept.
	maxAuthorizerTTL = time.Hour
	// maxCached is how many results an authorizer keeps. The one used longest ago goes first.
	maxCached = 4096
)

// The identity sources that this gateway reads.
const (
	sourceHeader   = "$request.header."
	sourceRouteKey = "$context.routeKey"
)

// Authorizer is a Lambda (REQUEST) authorizer with payload format 2.0 and simple responses: its
// function answers isAuthorized, not an IAM policy.
type Authorizer struct {
	// Function is the name that the Invoker knows.
	Function string
	// IdentitySources are "$request.header.NAME" or "$context.routeKey". A request that lacks one gets
	// 401 and the function is not invoked. Together they are the cache key. Without any, every request
	// is passed to the function, anonymous ones too.
	IdentitySources []string
	// TTL is how long a result is kept, at most an hour; 0 keeps none. A result is kept for every route
	// that uses the authorizer, so it allows routes that the function was never asked about, unless
	// "$context.routeKey" is an identity source.
	TTL time.Duration
}

// check refuses what API Gateway or this package does not serve.
func (a Authorizer) check() error {
	switch {
	case a.Function == "":
		return errors.New("no function")
	case a.TTL < 0 || a.TTL > maxAuthorizerTTL:
		return fmt.Errorf("TTL %s: must be between 0 and %s", a.TTL, maxAuthorizerTTL)
	case a.TTL > 0 && len(a.IdentitySources) == 0:
		return errors.New("a TTL needs an identity source")
	}
	for _, source := range a.IdentitySources {
		if name, isHeader := strings.CutPrefix(source, sourceHeader); source != sourceRouteKey && (!isHeader || name == "") {
			return fmt.Errorf("identity source %q is not supported", source)
		}
	}
	return nil
}

// decision is what an authorizer answered.
type decision struct {
	allowed bool
	context json.RawMessage
}

// authorizer is an Authorizer with its cache.
type authorizer struct {
	Authorizer
	mu      sync.Mutex
	entries map[string]*list.Element
	order   *list.List // of cached, the one used last in front
}

// cached is an entry of the cache.
type cached struct {
	key      string
	decision decision
	expires  time.Time
}

// newAuthorizer returns an authorizer with an empty cache.
func newAuthorizer(a Authorizer) *authorizer {
	return &authorizer{Authorizer: a, entries: make(map[string]*list.Element), order: list.New()}
}

// authorize asks the authorizer about x and sets its context, or returns the answer that refuses
// the request.
func (a *authorizer) authorize(x *exchange) *response {
	identities := make([]string, 0, len(a.IdentitySources))
	var key strings.Builder
	for _, source := range a.IdentitySources {
		value := identity(source, x)
		if value == "" {
			return refuse(http.StatusUnauthorized, "Unauthorized")
		}
		identities = append(identities, value)
		key.WriteString(strconv.Itoa(len(value)) + ":" + value)
	}

	verdict, hit := a.lookup(key.String(), x.gateway.now())
	if !hit {
		var err error
		if verdict, err = a.ask(x, identities); err != nil {
			x.access.Error = "authorizer " + x.route.Authorizer + ": " + err.Error()
			return refuse(http.StatusInternalServerError, "Internal Server Error")
		}
		if a.TTL > 0 {
			a.store(cached{key: key.String(), decision: verdict, expires: x.gateway.now().Add(a.TTL)})
		}
	}
	if !verdict.allowed {
		return refuse(http.StatusForbidden, "Forbidden")
	}
	x.context.Authorizer = verdict.context
	return nil
}

// refuse returns an answer of the gateway.
func refuse(status int, text string) *response {
	out := message(status, text)
	return &out
}

// ask invokes the authorizer's function.
func (a *authorizer) ask(x *exchange, identities []string) (decision, error) {
	e := newEvent(x.r, int(max(x.r.ContentLength, 0)), x.context)
	e.Type, e.RouteARN, e.IdentitySource = "REQUEST", x.arn(), identities
	payload, err := marshal(e)
	if err != nil {
		return decision{}, err
	}

	ctx, cancel := context.WithTimeout(x.invokeContext(), authorizerTimeout)
	defer cancel()
	result, err := x.invoke(ctx, a.Function, payload)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return decision{}, fmt.Errorf("no answer within %s", authorizerTimeout)
	case err != nil:
		return decision{}, err
	case result.FunctionError:
		return decision{}, fmt.Errorf("the function failed: %.300s", result.Payload)
	}
	return parseDecision(result.Payload)
}

// parseDecision reads the function's answer.
func parseDecision(payload []byte) (decision, error) {
	var answer struct {
		IsAuthorized *bool           `json:"isAuthorized"`
		Context      json.RawMessage `json:"context"`
	}
	if err := json.Unmarshal(payload, &answer); err != nil {
		return decision{}, fmt.Errorf("the answer is not a simple response: %w", err)
	}
	if answer.IsAuthorized == nil {
		return decision{}, errors.New("the answer lacks isAuthorized")
	}
	context := strings.TrimSpace(string(answer.Context))
	if context == "" {
		answer.Context = json.RawMessage("null")
	} else if context != "null" && !strings.HasPrefix(context, "{") {
		return decision{}, errors.New("the context is not an object")
	}
	return decision{allowed: *answer.IsAuthorized, context: answer.Context}, nil
}

// lookup returns the cached decision of key.
func (a *authorizer) lookup(key string, now time.Time) (decision, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	element, ok := a.entries[key]
	if !ok {
		return decision{}, false
	}
	entry := element.Value.(cached)
	if !now.Before(entry.expires) {
		a.order.Remove(element)
		delete(a.entries, key)
		return decision{}, false
	}
	a.order.MoveToFront(element)
	return entry.decision, true
}

// store keeps a decision.
func (a *authorizer) store(entry cached) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if element, ok := a.entries[entry.key]; ok {
		a.order.Remove(element)
	}
	a.entries[entry.key] = a.order.PushFront(entry)
	if a.order.Len() > maxCached {
		oldest := a.order.Back()
		a.order.Remove(oldest)
		delete(a.entries, oldest.Value.(cached).key)
	}
}

// identity returns the value of an identity source in a request, empty when it is missing.
func identity(source string, x *exchange) string {
	name, isHeader := strings.CutPrefix(source, sourceHeader)
	switch {
	case !isHeader:
		return x.context.RouteKey
	case strings.EqualFold(name, "host"):
		return x.r.Host
	default:
		return strings.Join(x.r.Header.Values(name), ",")
	}
}
