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
// outcome is identity.Anonymous, for one of another scheme identity.UnsupportedScheme, and for anything
// else but exactly one well-formed Bearer credential (RFC 6750 section 2.1) identity.InvalidRequest. A gateway that joins repeated headers joins
// them with a comma, which no token holds.
func Bearer(values []string) (token string, outcome identity.Outcome) {
	if len(values) == 0 {
		return "", identity.Anonymous
	}
	if len(values) > 1 {
		return "", identity.InvalidRequest
	}
	scheme, credentials := cutScheme(values[0])
	switch {
	case scheme == "":
		return "", identity.InvalidRequest
	case !strings.EqualFold(scheme, "bearer"):
		return "", identity.UnsupportedScheme
	case !strings.HasPrefix(credentials, " ") || !isToken68(strings.TrimLeft(credentials, " ")):
		return "", identity.InvalidRequest
	}
	return strings.TrimLeft(credentials, " "), identity.OK
}

// cutScheme returns the scheme, which is compared without case (RFC 9110 section 11.1), and what follows it.
func cutScheme(header string) (scheme, rest string) {
	header = strings.Trim(header, " \t")
	end := strings.IndexFunc(header, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	})
	if end < 0 {
		end = len(header)
	}
	return header[:end], header[end:]
}

// isToken68 reports whether s is a b64token of RFC 6750.
func isToken68(s string) bool {
	s = strings.TrimRight(s, "=")
	for i := range len(s) {
		if !token68[s[i]] {
			return false
		}
	}
	return s != ""
}

// token68 has the bytes of a b64token. A token has a few hundred bytes.
var token68 = func() (set [256]bool) { //nolint:gochecknoglobals // never written again
	for c := range byte(0x7f) {
		set[c] = isBase64URL(c) || strings.IndexByte(".~+/", c) >= 0
	}
	return set
}()
