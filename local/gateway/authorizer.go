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
	// maxCached is how many results an authorizer keeps; the one used longest ago goes first.
	maxCached = 4096
)

// Authorizer is a Lambda (REQUEST) authorizer of payload format 2.0.
type Authorizer struct {
	// Function is the name that the Invoker knows.
	Function string
	// IdentitySources are "$request.header.NAME", "$request.querystring.NAME", "$context.NAME"
	// or "$stageVariables.NAME". A request that lacks one gets 401 and the function is not
	// asked. Together they are the cache's key.
	IdentitySources []string
	// TTL is how long a result is kept, at most an hour; 0 asks every time. A result is kept for
	// every route that uses the authorizer, so a simple one says yes to routes that it has never
	// seen, unless "$context.routeKey" is an identity source.
	TTL time.Duration
	// SimpleResponses says that the function answers isAuthorized instead of an IAM policy.
	SimpleResponses bool
	// PayloadFormat is "2.0" or empty, which is the same. Nothing else is served.
	PayloadFormat string
}

// check refuses what API Gateway or this package does not serve.
func (a Authorizer) check() error {
	switch {
	case a.Function == "":
		return errors.New("no function")
	case a.PayloadFormat != "" && a.PayloadFormat != payloadFormat:
		return fmt.Errorf("payload format %q: only %s is served", a.PayloadFormat, payloadFormat)
	case a.TTL < 0 || a.TTL > maxAuthorizerTTL:
		return fmt.Errorf("TTL %s: must be between 0 and %s", a.TTL, maxAuthorizerTTL)
	case a.TTL > 0 && len(a.IdentitySources) == 0:
		return errors.New("a TTL needs an identity source")
	}
	for _, source := range a.IdentitySources {
		if _, err := identity(source, &exchange{r: &http.Request{}, gateway: &Gateway{}}); err != nil {
			return err
		}
	}
	return nil
}

// decision is what an authorizer said.
type decision struct {
	allowed bool
	policy  *policyDocument
	context json.RawMessage
}

// allows tells whether the decision lets a request to arn through.
func (d decision) allows(arn string) bool {
	if d.policy != nil {
		return d.policy.allows(arn)
	}
	return d.allowed
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
		value, err := identity(source, x)
		if err != nil || value == "" {
			return refuse(http.StatusUnauthorized, "Unauthorized")
		}
		identities = append(identities, value)
		key.WriteString(strconv.Itoa(len(value)) + ":" + value)
	}

	verdict, hit := a.lookup(key.String(), x.gateway.now())
	x.access.AuthorizerCached = hit
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
	if !verdict.allows(x.arn()) {
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
	began := time.Now()
	result, err := x.gateway.invoker.Invoke(ctx, a.Function, payload)
	x.access.AuthorizerLatency, x.access.AuthorizerCold = time.Since(began), result.Cold
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return decision{}, fmt.Errorf("no answer within %s", authorizerTimeout)
	case err != nil:
		return decision{}, err
	case result.FunctionError:
		return decision{}, fmt.Errorf("the function failed: %.300s", result.Payload)
	}
	return a.parse(result.Payload)
}

// parse reads the function's answer in the authorizer's form.
func (a *authorizer) parse(payload []byte) (decision, error) {
	var answer struct {
		IsAuthorized   *bool           `json:"isAuthorized"`
		PrincipalID    string          `json:"principalId"`
		PolicyDocument *policyDocument `json:"policyDocument"`
		Context        json.RawMessage `json:"context"`
	}
	if err := json.Unmarshal(payload, &answer); err != nil {
		return decision{}, fmt.Errorf("the answer is not of the authorizer's form: %w", err)
	}
	context := strings.TrimSpace(string(answer.Context))
	if context == "" {
		answer.Context = json.RawMessage("null")
	} else if context != "null" && !strings.HasPrefix(context, "{") {
		return decision{}, errors.New("the context is not an object")
	}

	if a.SimpleResponses {
		if answer.IsAuthorized == nil {
			return decision{}, errors.New("the answer lacks isAuthorized")
		}
		return decision{allowed: *answer.IsAuthorized, context: answer.Context}, nil
	}
	if answer.PolicyDocument == nil || answer.PrincipalID == "" {
		return decision{}, errors.New("the answer lacks principalId or policyDocument")
	}
	if err := answer.PolicyDocument.check(); err != nil {
		return decision{}, err
	}
	return decision{policy: answer.PolicyDocument, context: answer.Context}, nil
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

// identity returns the value of an identity source in a request; empty when it is missing.
func identity(source string, x *exchange) (string, error) {
	kind, name := cutSource(source)
	switch {
	case name == "":
	case kind == "$request.header":
		if strings.EqualFold(name, "host") {
			return x.r.Host, nil
		}
		return strings.Join(x.r.Header.Values(name), ","), nil
	case kind == "$request.querystring":
		if x.r.URL == nil {
			return "", nil
		}
		return query(x.r.URL.RawQuery)[name], nil
	case kind == "$stageVariables":
		return x.gateway.stageVariables[name], nil
	case kind == "$context":
		if value, known := contextVariable(name, x); known {
			return value, nil
		}
	}
	return "", fmt.Errorf("identity source %q is not supported", source)
}

// cutSource splits an identity source into its kind and its name.
func cutSource(source string) (kind, name string) {
	for _, kind := range []string{"$request.header", "$request.querystring", "$stageVariables", "$context"} {
		if name, found := strings.CutPrefix(source, kind+"."); found {
			return kind, name
		}
	}
	return "", ""
}

// contextVariable returns a $context variable that is known before the integration. (Developer
// guide, "Customize HTTP API access logs".)
func contextVariable(name string, x *exchange) (value string, known bool) {
	c := x.context
	switch name {
	case "accountId":
		return c.AccountID, true
	case "apiId":
		return c.APIID, true
	case "domainName":
		return domain(x.r), true
	case "httpMethod":
		return x.r.Method, true
	case "identity.sourceIp":
		return c.SourceIP, true
	case "identity.userAgent":
		return x.r.UserAgent(), true
	case "path":
		return c.RawPath, true
	case "protocol":
		return x.r.Proto, true
	case "requestId":
		return c.RequestID, true
	case "routeKey":
		return c.RouteKey, true
	case "stage":
		return c.Stage, true
	}
	return "", false
}
