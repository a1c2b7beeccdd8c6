package jwt

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/tienda-dev/tienda/shared/identity"
)

// Authenticate returns a middleware.Authenticator for where no Lambda authorizer runs: behind a
// Function URL, or in a server of one's own. verify is Verifier.Verify with a context, so that it
// can look up newer keys or a revocation. An error of verify that has a method Outcome()
// identity.Outcome says why the token is not accepted; any other error is returned, because the
// question could not be answered.
//
// The token comes from the Authorization header and from nowhere else: not from the query (RFC
// 9700 section 4.3.2), not from the body.
func Authenticate(verify func(ctx context.Context, token string) (identity.Identity, error)) func(*http.Request) (identity.Annotation, error) {
	return func(r *http.Request) (identity.Annotation, error) {
		token, outcome := Bearer(r.Header.Values("Authorization"))
		if outcome != identity.OK {
			return identity.Annotation{Outcome: outcome}, nil
		}
		id, err := verify(r.Context(), token)
		var refused interface{ Outcome() identity.Outcome }
		switch {
		case err == nil && id.Subject == "":
			return identity.Annotation{}, errors.New("jwt: the verifier accepted a token without a subject")
		case err == nil:
			return identity.Annotation{Outcome: identity.OK, Identity: id}, nil
		case errors.As(err, &refused) && refused.Outcome() != identity.OK && refused.Outcome() != identity.Anonymous:
			return identity.Annotation{Outcome: refused.Outcome()}, nil
		default:
			return identity.Annotation{}, err
		}
	}
}

// Bearer returns the token in the values of a request's Authorization header. Without any the
// outcome is identity.Anonymous; for anything but exactly one well-formed Bearer credential (RFC
// 6750 section 2.1) it is identity.InvalidRequest. A gateway that joins repeated headers joins
// them with a comma, which no token holds.
func Bearer(values []string) (token string, outcome identity.Outcome) {
	if len(values) == 0 {
		return "", identity.Anonymous
	}
	if len(values) == 1 {
		if token, ok := cutScheme(values[0]); ok && isToken68(token) {
			return token, identity.OK
		}
	}
	return "", identity.InvalidRequest
}

// cutScheme returns what follows the scheme, which is compared without case (RFC 9110 11.1).
func cutScheme(header string) (string, bool) {
	const scheme = "bearer "
	header = strings.Trim(header, " \t")
	if len(header) < len(scheme) || !strings.EqualFold(header[:len(scheme)], scheme) {
		return "", false
	}
	return strings.TrimLeft(header[len(scheme):], " "), true
}

// isToken68 reports whether s is a b64token of RFC 6750.
func isToken68(s string) bool {
	s = strings.TrimRight(s, "=")
	for i := range len(s) {
		if c := s[i]; !isBase64URL(c) && c != '.' && c != '~' && c != '+' && c != '/' {
			return false
		}
	}
	return s != ""
}
