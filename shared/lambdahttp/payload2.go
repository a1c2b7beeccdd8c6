package lambdahttp

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/tienda-dev/tienda/shared/identity"
)

// payload2 is an event of payload format 2.0
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html),
// reduced to what is used. sam local sends "", [] and null where AWS leaves a field out, and
// reading treats the three alike.
type payload2 struct {
	version         string
	routeKey        string
	rawPath         string
	rawQuery        string
	cookies         []string
	headers         []pair
	query           []pair // used only without rawQuery
	pathParameters  []pair
	stageVariables  []pair
	body            string
	isBase64Encoded bool
	context         requestContext2
}

// pair is a name and a value, in the order of the event.
type pair struct{ name, value string }

type requestContext2 struct {
	accountID, apiID, domainName, domainPrefix string
	requestID, routeKey, stage, time           string
	timeEpoch                                  int64
	http                                       events.APIGatewayV2HTTPRequestContextHTTPDescription
	hasAuthorizer                              bool
	lambda                                     map[string]string // nil when no Lambda authorizer ran
	jwt, iam                                   string            // JSON
}

func (p *payload2) read(r *reader) {
	r.object(func(name string) {
		switch name {
		case "version":
			p.version = r.string()
		case "routeKey":
			p.routeKey = r.string()
		case "rawPath":
			p.rawPath = r.string()
		case "rawQueryString":
			p.rawQuery = r.string()
		case "cookies":
			r.array(func() { p.cookies = append(p.cookies, r.string()) })
		case "headers":
			p.headers = readPairs(r, 24)
		case "queryStringParameters":
			p.query = readPairs(r, 4)
		case "pathParameters":
			p.pathParameters = readPairs(r, 2)
		case "stageVariables":
			p.stageVariables = readPairs(r, 4)
		case "requestContext":
			r.object(func(name string) { p.context.read(r, name) })
		case "body":
			p.body = r.string()
		case "isBase64Encoded":
			p.isBase64Encoded = r.bool()
		default:
			r.skip()
		}
	})
	if p.routeKey == "" {
		p.routeKey = p.context.routeKey
	}
}

func readPairs(r *reader, expected int) []pair {
	var pairs []pair
	r.object(func(name string) {
		if pairs == nil {
			pairs = make([]pair, 0, expected)
		}
		pairs = append(pairs, pair{name, r.string()})
	})
	return pairs
}

func (c *requestContext2) read(r *reader, name string) {
	switch name {
	case "accountId":
		c.accountID = r.string()
	case "apiId":
		c.apiID = r.string()
	case "domainName":
		c.domainName = r.string()
	case "domainPrefix":
		c.domainPrefix = r.string()
	case "requestId":
		c.requestID = r.string()
	case "routeKey":
		c.routeKey = r.string()
	case "stage":
		c.stage = r.string()
	case "time":
		c.time = r.string()
	case "timeEpoch":
		c.timeEpoch = r.integer()
	case "http":
		r.object(func(name string) { readHTTP(r, name, &c.http) })
	case "authorizer":
		r.object(func(name string) {
			c.hasAuthorizer = true
			c.readAuthorizer(r, name)
		})
	default:
		r.skip()
	}
}

func readHTTP(r *reader, name string, d *events.APIGatewayV2HTTPRequestContextHTTPDescription) {
	switch name {
	case "method":
		d.Method = r.string()
	case "path":
		d.Path = r.string()
	case "protocol":
		d.Protocol = r.string()
	case "sourceIp":
		d.SourceIP = r.string()
	case "userAgent":
		d.UserAgent = r.string()
	default:
		r.skip()
	}
}

// readAuthorizer keeps the scalars of a Lambda authorizer's context, as text. Objects, lists and
// nulls in it are dropped: the context is flat.
func (c *requestContext2) readAuthorizer(r *reader, name string) {
	switch name {
	case "lambda":
		if r.null() {
			return
		}
		c.lambda = make(map[string]string, 8)
		r.object(func(name string) {
			if text, ok := r.scalar(); ok {
				c.lambda[name] = text
			}
		})
	case "jwt":
		c.jwt = r.skip()
	case "iam":
		c.iam = r.skip()
	default:
		r.skip()
	}
}

func (p *payload2) method() string { return p.context.http.Method }

func (p *payload2) headerValue(name string) string {
	for _, h := range p.headers {
		if strings.EqualFold(h.name, name) {
			return h.value
		}
	}
	return ""
}

func (p *payload2) facts() Event {
	c := &p.context
	return Event{
		RequestID:  c.requestID,
		RouteKey:   p.routeKey,
		Stage:      c.stage,
		APIID:      c.apiID,
		DomainName: c.domainName,
		SourceIP:   c.http.SourceIP,
		Time:       epoch(c.timeEpoch),
	}
}

// epoch reads AWS's milliseconds and sam local's seconds. Below the limit a number would be 1973
// in milliseconds, above it the year 5138 in seconds.
func epoch(n int64) time.Time {
	const limit = 100_000_000_000
	switch {
	case n <= 0:
		return time.Time{}
	case n < limit:
		return time.Unix(n, 0).UTC()
	default:
		return time.UnixMilli(n).UTC()
	}
}

func (p *payload2) authorizer() (map[string]string, bool) {
	return p.context.lambda, p.context.lambda != nil
}

func (p *payload2) claims() (identity.Claims, bool) {
	if p.context.jwt == "" {
		return nil, false
	}
	var jwt events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription
	if err := json.Unmarshal([]byte(p.context.jwt), &jwt); err != nil || jwt.Claims == nil {
		return nil, false
	}
	return jwt.Claims, true
}

// functionURL reports whether the event comes from a Function URL; the package comment says why
// the domain decides.
func (p *payload2) functionURL() bool {
	rest, ok := strings.CutPrefix(p.context.domainName, p.context.apiID)
	return ok && strings.HasPrefix(rest, ".lambda-url.")
}

// coreEvent is what core converts faithfully: the method and the gateway's context, which its
// accessors then find. Path, query, headers, cookies and body stay out.
func (p *payload2) coreEvent() events.APIGatewayV2HTTPRequest {
	c := &p.context
	e := events.APIGatewayV2HTTPRequest{
		RawPath: "/",
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey:     p.routeKey,
			AccountID:    c.accountID,
			Stage:        c.stage,
			RequestID:    c.requestID,
			APIID:        c.apiID,
			DomainName:   c.domainName,
			DomainPrefix: c.domainPrefix,
			Time:         c.time,
			TimeEpoch:    c.timeEpoch,
			HTTP:         c.http,
		},
	}
	if len(p.stageVariables) > 0 {
		e.StageVariables = make(map[string]string, len(p.stageVariables))
		for _, v := range p.stageVariables {
			e.StageVariables[v.name] = v.value
		}
	}
	if c.hasAuthorizer {
		e.RequestContext.Authorizer = c.coreAuthorizer()
	}
	return e
}

// coreAuthorizer translates the authorizer for core's accessors. A JWT or IAM part of a shape
// that their types do not know is left out: nothing here decides on it.
func (c *requestContext2) coreAuthorizer() *events.APIGatewayV2HTTPRequestContextAuthorizerDescription {
	d := new(events.APIGatewayV2HTTPRequestContextAuthorizerDescription)
	if c.lambda != nil {
		d.Lambda = make(map[string]any, len(c.lambda))
		for name, value := range c.lambda {
			d.Lambda[name] = value
		}
	}
	if c.jwt != "" && json.Unmarshal([]byte(c.jwt), &d.JWT) != nil {
		d.JWT = nil
	}
	if c.iam != "" && json.Unmarshal([]byte(c.iam), &d.IAM) != nil {
		d.IAM = nil
	}
	return d
}
