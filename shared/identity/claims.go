package identity

import (
	"context"
	"math"
	"strconv"
	"strings"
	"time"
)

// Claims are the claims of a token that API Gateway's JWT authorizer has verified. The gateway hands every
// value on as text: a number as it is written, a list as "[a b]".
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
type Claims map[string]string

// List returns the elements of a list or of a claim whose elements are separated by spaces (RFC 8693 "scope").
// It is empty if the claim is absent. An element with a space in it cannot be told from two.
func (c Claims) List(name string) []string {
	value := c[name]
	if inner, ok := strings.CutPrefix(value, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); ok {
			value = inner
		}
	}
	return strings.Fields(value)
}

// Time returns a NumericDate (RFC 7519: seconds since 1970), in UTC. It is the zero time if the claim is absent or
// is not a number.
func (c Claims) Time(name string) time.Time {
	seconds, err := strconv.ParseFloat(c[name], 64) // large numbers may come as 1.7955e+09
	if err != nil || math.IsNaN(seconds) || math.Abs(seconds) > 1<<40 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}

type claimsKey struct{}

// WithClaims returns a context that carries the claims which the JWT authorizer has verified. Only the code that
// decodes events calls it: a client must have no way to set it.
func WithClaims(ctx context.Context, c Claims) context.Context {
	return context.WithValue(ctx, claimsKey{}, c)
}

// ClaimsFrom returns the verified claims of the request, and false when no JWT authorizer ran.
func ClaimsFrom(ctx context.Context) (Claims, bool) {
	c, ok := ctx.Value(claimsKey{}).(Claims)
	return c, ok
}
