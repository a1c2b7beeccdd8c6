// Package authorizer is the decision of an API Gateway HTTP API Lambda authorizer (payload format
// 2.0, simple responses). It authenticates and never denies: it annotates the request with what
// it found out, and the function behind it answers 401, 403 or 503. HTTP API turns every denial
// into a bare 403 and offers no 503 at all.
package authorizer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/tracing"
)

// VerifierFunc checks an access token. An error with a method Outcome() identity.Outcome says why the
// token is not accepted; any other error means that the token could not be checked. It must be safe for
// concurrent use.
type VerifierFunc func(ctx context.Context, token string) (identity.Identity, error)

// Sessions reports whether a verified token was revoked (session.Checker). Its errors are like a
// VerifierFunc's. It must be safe for concurrent use.
type Sessions interface {
	Check(ctx context.Context, id identity.Identity, class identity.Revocation) error
}

// Config says what the decision needs and what API Gateway does with it. Its zero value works.
type Config struct {
	// Sessions is asked about every verified token. Nil asks nobody: tokens live until they expire.
	Sessions Sessions
	// Classes are the routes' classes of revocation by route key ("POST /v1/orders"). A route that
	// is not among them is identity.Strict.
	Classes map[string]identity.Revocation
	// ResultTTLSeconds is how long API Gateway keeps an answer ("ReauthorizeEvery"). 0, the
	// default, is not at all. With more, an unavailable dependency becomes an error of the
	// authorizer, so that it is not remembered.
	ResultTTLSeconds int `env:"AUTHORIZER_RESULT_TTL_SECONDS"`
}

// ErrUnavailable is returned, only when answers are cached, where the outcome is
// identity.Unavailable. API Gateway answers the client with 500.
var ErrUnavailable = errors.New("authorizer: a dependency of the decision did not answer")

// Authorizer answers authorizer events. It is safe for concurrent use.
type Authorizer struct {
	verify   VerifierFunc
	sessions Sessions
	classes  map[string]identity.Revocation
	cached   bool
}

// authMethod is the way of authentication in metrics.
const authMethod = "bearer"

// decisionLimit bounds a decision: API Gateway waits 10 s for an authorizer and then answers 500, where a function answers
// 503 with Retry-After to a decision that could not be made.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
const decisionLimit = 9 * time.Second

// New returns an Authorizer. It refuses a nil verifier and a negative TTL.
func New(verify VerifierFunc, cfg Config) (*Authorizer, error) {
	if verify == nil {
		return nil, errors.New("authorizer: no verifier")
	}
	if cfg.ResultTTLSeconds < 0 {
		return nil, fmt.Errorf("authorizer: AUTHORIZER_RESULT_TTL_SECONDS is %d", cfg.ResultTTLSeconds)
	}
	return &Authorizer{
		verify: verify, sessions: cfg.Sessions, classes: cfg.Classes, cached: cfg.ResultTTLSeconds > 0,
	}, nil
}

// Authorize is Decide with the types of aws-lambda-go. It answers IsAuthorized: true, always.
func (a *Authorizer) Authorize(ctx context.Context, event events.APIGatewayV2CustomAuthorizerV2Request) (events.APIGatewayV2CustomAuthorizerSimpleResponse, error) {
	answer, err := a.Decide(ctx, request(&event))
	if err != nil {
		return events.APIGatewayV2CustomAuthorizerSimpleResponse{}, err
	}
	return answer.response(), nil
}

// Decide answers an event, always with an Answer that authorizes the request, and identity.Annotation.Map in it. It
// does not panic, and returns no error but ErrUnavailable. app.Func serves it without encoding/json.
func (a *Authorizer) Decide(ctx context.Context, req Request) (Answer, error) {
	limited, cancel := context.WithTimeout(ctx, decisionLimit)
	defer cancel()
	annotation := a.decide(limited, req)
	note(ctx, annotation)
	metrics.From(ctx).Decided(ctx, string(annotation.Outcome))
	if a.cached && annotation.Outcome == identity.Unavailable {
		return nil, ErrUnavailable
	}
	answer := annotation.Map()
	maps.Copy(answer, tracing.Carry(ctx, req.RequestID))
	return answer, nil
}

// note leaves the decision on the invocation's line, and the key that signed what was accepted: by it a
// rotation of keys is followed.
func note(ctx context.Context, annotation identity.Annotation) {
	fields := []zap.Field{zap.String("auth", string(annotation.Outcome))}
	if annotation.Identity.KeyID != "" {
		fields = append(fields, zap.String("kid", annotation.Identity.KeyID))
	}
	logging.EntryFrom(ctx).Add(fields...)
}

func (a *Authorizer) decide(ctx context.Context, req Request) (annotation identity.Annotation) {
	defer func() {
		if p := recover(); p != nil {
			logging.From(ctx).Error("authorizer panicked", logging.Error(logging.Panicked(p)))
			annotation = identity.Annotation{Outcome: identity.Unavailable}
		}
	}()

	token, outcome := credentials(req)
	if outcome != identity.OK {
		return identity.Annotation{Outcome: outcome}
	}
	start := time.Now()
	id, err := a.verify(ctx, token)
	metrics.From(ctx).TokenValidated(ctx, authMethod, time.Since(start))
	if err != nil {
		return identity.Annotation{Outcome: refusal(ctx, err)}
	}
	if id.Subject == "" { // the function would not take it for an identity
		logging.From(ctx).Error("verifier accepted a token without a subject")
		return identity.Annotation{Outcome: identity.Unavailable}
	}
	if a.sessions != nil {
		if err := a.sessions.Check(ctx, id, a.class(req.RouteKey)); err != nil {
			return identity.Annotation{Outcome: refusal(ctx, err)}
		}
	}
	return identity.Annotation{Outcome: identity.OK, Identity: id}
}

// class returns the route's class. The event names the route of the API and not the path of the
// request, so the client has no say in it.
func (a *Authorizer) class(routeKey string) identity.Revocation {
	if class, ok := a.classes[routeKey]; ok {
		return class
	}
	return identity.Strict
}

// refusal returns the outcome of err.
func refusal(ctx context.Context, err error) identity.Outcome {
	var refused interface{ Outcome() identity.Outcome }
	if errors.As(err, &refused) {
		switch outcome := refused.Outcome(); outcome {
		case identity.InvalidToken, identity.InvalidClaims, identity.TokenExpired, identity.TokenRevoked, identity.InvalidRequest:
			return outcome
		case identity.OK, identity.Anonymous, identity.UnsupportedScheme, identity.Unavailable:
			// An error is none of the first three.
		}
	}
	logging.From(ctx).Error("token could not be checked", zap.Error(err))
	return identity.Unavailable
}

// credentials returns the Bearer token of the request. Without an Authorization header the
// outcome is Anonymous; jwt.Bearer names the others. A token is never taken from the query string.
func credentials(req Request) (string, identity.Outcome) {
	values := req.Authorization
	if len(values) == 0 {
		// The gateway's copy of the header, beside other identity sources such as the route key.
		for _, value := range req.IdentitySource {
			if isBearer(value) {
				values = append(values, value)
			}
		}
	}
	return jwt.Bearer(values)
}

// isBearer reports whether the value begins with the scheme, which is compared without case (RFC
// 9110 section 11.1).
func isBearer(value string) bool {
	const scheme = "bearer "
	value = strings.TrimLeft(value, " \t")
	return len(value) >= len(scheme) && strings.EqualFold(value[:len(scheme)], scheme)
}
