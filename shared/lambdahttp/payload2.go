package lambdahttp

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/internal/rawjson"
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

func (p *payload2) read(r *rawjson.Reader) {
	r.Object(func(name string) {
		switch name {
		case "version":
			p.version = r.Text()
		case "routeKey":
			p.routeKey = r.Text()
		case "rawPath":
			p.rawPath = r.Text()
		case "rawQueryString":
			p.rawQuery = r.Text()
		case "cookies":
			r.Array(func() { p.cookies = append(p.cookies, r.Text()) })
		case "headers":
			p.headers = readPairs(r, 24)
		case "queryStringParameters":
			p.query = readPairs(r, 4)
		case "pathParameters":
			p.pathParameters = readPairs(r, 2)
		case "stageVariables":
			p.stageVariables = readPairs(r, 4)
		case "requestContext":
			r.Object(func(name string) { p.context.read(r, name) })
		case "body":
			p.body = r.Text()
		case "isBase64Encoded":
			p.isBase64Encoded = r.Bool()
		default:
			r.Skip()
		}
	})
	if p.routeKey == "" {
		p.routeKey = p.context.routeKey
	}
}

func readPairs(r *rawjson.Reader, expected int) []pair {
	var pairs []pair
	r.Object(func(name string) {
		if pairs == nil {
			pairs = make([]pair, 0, expected)
		}
		pairs = append(pairs, pair{name, r.Text()})
	})
	return pairs
}

func (c *requestContext2) read(r *rawjson.Reader, name string) {
	switch name {
	case "accountId":
		c.accountID = r.Text()
	case "apiId":
		c.apiID = r.Text()
	case "domainName":
		c.domainName = r.Text()
	case "domainPrefix":
		c.domainPrefix = r.Text()
	case "requestId":
		c.requestID = r.Text()
	case "routeKey":
		c.routeKey = r.Text()
	case "stage":
		c.stage = r.Text()
	case "time":
		c.time = r.Text()
	case "timeEpoch":
		c.timeEpoch = r.Integer()
	case "http":
		r.Object(func(name string) { readHTTP(r, name, &c.http) })
	case "authorizer":
		r.Object(func(name string) {
			c.hasAuthorizer = true
			c.readAuthorizer(r, name)
		})
	default:
		r.Skip()
	}
}

func readHTTP(r *rawjson.Reader, name string, d *events.APIGatewayV2HTTPRequestContextHTTPDescription) {
	switch name {
	case "method":
		d.Method = r.Text()
	case "path":
		d.Path = r.Text()
	case "protocol":
		d.Protocol = r.Text()
	case "sourceIp":
		d.SourceIP = r.Text()
	case "userAgent":
		d.UserAgent = r.Text()
	default:
		r.Skip()
	}
}

// readAuthorizer keeps the scalars of a Lambda authorizer's context, as text. Objects, lists and
// nulls in it are dropped: the context is flat.
func (c *requestContext2) readAuthorizer(r *rawjson.Reader, name string) {
	switch name {
	case "lambda":
		if r.Null() {
			return
		}
		c.lambda = make(map[string]string, 8)
		r.Object(func(name string) {
			if text, ok := r.Scalar(); ok {
				c.lambda[name] = text
			}
		})
	case "jwt":
		c.jwt = r.Skip()
	case "iam":
		c.iam = r.Skip()
	default:
		r.Skip()
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
