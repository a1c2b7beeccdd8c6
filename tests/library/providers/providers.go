// Package providers turns the claims of other identity providers into a caller, after API Gateway's JWT authorizer
// has verified the token. Copy the one that you use, and pass it to middleware.JWTAuthenticator.
package providers

import (
	"errors"

	"github.com/tienda-dev/tienda/shared/identity"
)

// errNotAnAccessToken is returned for an ID token: it is for the client, not for an API.
var errNotAnAccessToken = errors.New("the token is not an access token")

// Cognito reads an access token of a Cognito user pool; the roles are the user's groups. The authorizer's audience is
// the app client's id.
// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
func Cognito(c identity.Claims) (identity.Identity, error) {
	if c["token_use"] != "access" {
		return identity.Identity{}, errNotAnAccessToken
	}
	id := common(c)
	id.ClientID = c["client_id"]
	id.Roles = c.List("cognito:groups")
	id.Scopes = c.List("scope")
	id.SessionID = c["origin_jti"]
	return id, nil
}

// Auth0 reads an access token of Auth0; the roles are the API's permissions, which "Add Permissions in the Access
// Token" puts there. The authorizer's audience is the API's identifier.
// https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles
func Auth0(c identity.Claims) (identity.Identity, error) {
	id := common(c)
	id.ClientID = c["azp"]
	id.Roles = c.List("permissions")
	id.Scopes = c.List("scope")
	return id, nil
}

// Entra reads a version 2.0 access token of Microsoft Entra ID; the roles are the app roles. The subject is the user's
// object id: "sub" differs between applications. The authorizer's audience is the API's application id.
// https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference
func Entra(c identity.Claims) (identity.Identity, error) {
	if c["ver"] != "2.0" {
		return identity.Identity{}, errNotAnAccessToken
	}
	id := common(c)
	id.Subject = c["oid"]
	id.ClientID = c["azp"]
	id.Roles = c.List("roles")
	id.Scopes = c.List("scp")
	id.SessionID = c["sid"]
	return id, nil
}

// common reads the claims that all have (RFC 7519).
func common(c identity.Claims) identity.Identity {
	return identity.Identity{
		Subject: c["sub"], TokenID: c["jti"], AuthTime: c.Time("auth_time"), IssuedAt: c.Time("iat"), ExpiresAt: c.Time("exp"),
	}
}
