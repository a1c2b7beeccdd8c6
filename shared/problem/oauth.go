package problem

import "context"

// The error codes of OAuth 2.0 (RFC 6749 sections 4.1.2.1 and 5.2, RFC 6750 section 3.1).
const (
	OAuthInvalidRequest         = "invalid_request"
	OAuthInvalidClient          = "invalid_client"
	OAuthInvalidGrant           = "invalid_grant"
	OAuthInvalidToken           = "invalid_token"
	OAuthInsufficientScope      = "insufficient_scope"
	OAuthInsufficientLogin      = "insufficient_user_authentication" // RFC 9470 section 3
	OAuthUnauthorizedClient     = "unauthorized_client"
	OAuthTemporarilyUnavailable = "temporarily_unavailable"
	OAuthServerError            = "server_error"
)

type oauthKey struct{}

// ForOAuth returns a context whose request is answered with OAuth's errors: Write adds the member "error".
func ForOAuth(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauthKey{}, true)
}

// oauthError returns the member "error" of an answer; empty for a request that is not OAuth's.
func (e *Error) oauthError(ctx context.Context) string {
	if ctx.Value(oauthKey{}) == nil {
		return ""
	}
	if e.oauth != "" {
		return e.oauth
	}
	switch e.Kind {
	case Unauthorized:
		return OAuthInvalidClient
	case Forbidden:
		return OAuthUnauthorizedClient
	case TooManyRequests, Unavailable, Timeout:
		return OAuthTemporarilyUnavailable
	case Internal:
		return OAuthServerError
	case BadRequest, NotFound, MethodNotAllowed, NotAcceptable, Conflict, Gone, PreconditionFailed, TooLarge,
		UnsupportedMediaType, Invalid, PreconditionRequired:
		return OAuthInvalidRequest
	default:
		return OAuthServerError
	}
}
