//go:build openapi

package auth

import (
	"net/http"

	"github.com/tienda-dev/tienda/internal/openapi"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/password"
	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/shared/session"
)

// OpenAPI describes users, sessions and tokens for the API's document.
func OpenAPI() openapi.Resource {
	noContent := func(description string) []openapi.Response {
		return []openapi.Response{{Status: http.StatusNoContent, Description: description}}
	}
	tokens := []openapi.Response{{Status: http.StatusOK, Description: "Tokens.", Body: session.Tokens{}, Example: true, ExampleOf: LoginRoute.Name, Headers: notStored()}}
	user := openapi.PathID("id", "The user's id.")
	return openapi.Resource{
		Name:        "auth",
		Description: "Users, sessions and tokens. An access token lives for minutes; a refresh token, used once, brings the next pair.",
		Schemas:     schemas(),
		Operations: []openapi.Operation{
			{
				Route: RegisterUserRoute, Summary: "Register a user", Body: registerUserRequest{},
				Description: "Starts no session. The user has the role customer.",
				Responses: []openapi.Response{{
					Status: http.StatusCreated, Description: "The user.", Body: registeredUser{}, Example: true,
					Headers: []openapi.ResponseHeader{openapi.Location()},
				}},
				Problems: []*problem.Error{ErrEmailExists},
			},
			{
				Route: LoginRoute, Summary: "Log in with a password", Body: loginRequest{}, Responses: tokens,
				Description: "An unknown address gets the same answer as a wrong password. Wrong passwords make the next attempt wait.",
				Problems:    []*problem.Error{ErrInvalidCredentials, errLocked},
			},
			{
				Route: RefreshTokenRoute, Summary: "Exchange a refresh token for new tokens", Body: refreshTokenRequest{}, Responses: tokens,
				Description: "The old refresh token is then used up. Repeated within a minute, because the answer was lost, it brings " +
					"the same successor; any other use ends the session.",
				Problems: []*problem.Error{session.ErrInvalidGrant},
			},
			{
				Route: LogoutRoute, Summary: "End the session of the access token", Responses: noContent("The session has ended."),
			},
			{
				Route: LogoutAllRoute, Summary: "End all sessions of the caller", Responses: noContent("The sessions have ended."),
			},
			{
				Route: ChangePasswordRoute, Summary: "Change the caller's password", Body: changePasswordRequest{}, Responses: tokens,
				Description: "Ends all sessions and starts a new one.",
				Problems:    []*problem.Error{ErrWrongPassword, ErrUserNotFound, ErrChanged, errLocked},
			},
			{
				Route: ListSessionsRoute, Summary: "List the caller's sessions, newest first",
				Responses: []openapi.Response{{
					Status: http.StatusOK, Description: "The live ones among the newest 100.", Body: sessionsResponse{}, Example: true,
				}},
			},
			{
				Route: RevokeSessionRoute, Summary: "End one of the caller's sessions",
				Parameters: []openapi.Parameter{openapi.PathID("id", "The session's id.")},
				Responses:  noContent("The session has ended."), Problems: []*problem.Error{session.ErrNotFound},
			},
			{
				Route: IntrospectTokenRoute, Summary: "Check an access token for another service",
				Description: "Token introspection (RFC 7662). A token that is not valid is `{\"active\": false}`.",
				Body:        tokenForm{}, BodyType: contentTypeForm,
				Responses: []openapi.Response{{
					Status: http.StatusOK, Description: "The claims of the token.", Body: introspection{}, Or: inactive{}, Example: true, Headers: notStored(),
				}},
			},
			{
				Route: RevokeTokenRoute, Summary: "Revoke a token",
				Description: "Token revocation (RFC 7009). A refresh token ends its session. An unknown token is not an error.",
				Body:        tokenForm{}, BodyType: contentTypeForm,
				Responses: []openapi.Response{{Status: http.StatusOK, Description: "The token is no longer valid.", Headers: notStored()}},
			},
			{
				Route: GetJwksRoute, Summary: "Read the public keys of access tokens",
				Description: "A JSON Web Key Set (RFC 7517). It is empty while tokens have a symmetric signature.",
				Responses: []openapi.Response{{
					Status: http.StatusOK, Description: "The keys.", Body: jwt.JWKS{}, Example: true,
				}},
			},
			{
				Route: SetUserRolesRoute, Summary: "Set the roles of a user", Parameters: []openapi.Parameter{user}, Body: setUserRolesRequest{},
				Description: "The user's access tokens stop working; a refresh brings one with the new roles.",
				Responses:   []openapi.Response{{Status: http.StatusOK, Description: "The user.", Body: userResponse{}, Example: true}},
				Problems:    []*problem.Error{ErrUserNotFound, ErrChanged},
			},
			{
				Route: LogoutUserRoute, Summary: "End all sessions of a user", Parameters: []openapi.Parameter{user},
				Responses: noContent("The sessions have ended."), Problems: []*problem.Error{ErrUserNotFound},
			},
			{
				Route: UnlockUserRoute, Summary: "Forget the failed logins of a user", Parameters: []openapi.Parameter{user},
				Responses: noContent("The next login need not wait."), Problems: []*problem.Error{ErrUserNotFound},
			},
		},
	}
}

// notStored are the headers of an answer about tokens (RFC 6749 section 5.1).
func notStored() []openapi.ResponseHeader {
	return []openapi.ResponseHeader{{Name: "Pragma", Description: "For caches of HTTP/1.0.", Rules: openapi.Rules{Enum: []any{"no-cache"}}}}
}

func schemas() []openapi.Schema {
	email := openapi.Rules{Format: "email", MaxLength: maxEmail}
	name := openapi.Name(policy.MaxPersonName)
	given := openapi.Rules{Format: "password", MinLength: 1}
	chosen := openapi.Rules{Format: "password", MinLength: password.MinLength, MaxLength: password.MaxLength}
	device := openapi.Line(MaxDeviceName)
	role := openapi.OneOf(policy.Roles()...)
	roles := openapi.Rules{Items: &role}
	seconds := openapi.Between(0, money.MaxAmount)
	return []openapi.Schema{
		{
			Name: "RegisterUser", Value: registerUserRequest{}, Required: []string{"email", "password", "name"},
			Members: map[string]openapi.Rules{"email": email, "password": chosen, "name": name},
		},
		{Name: "RegisteredUser", Value: registeredUser{}, Members: map[string]openapi.Rules{"id": openapi.ULID(), "email": email, "name": name, "roles": roles}},
		{
			Name: "Login", Value: loginRequest{}, Required: []string{"email", "password"},
			Members: map[string]openapi.Rules{"email": {MinLength: 1}, "password": given, "device_name": device},
		},
		{Name: "Tokens", Value: session.Tokens{}, Members: map[string]openapi.Rules{
			"token_type": {Enum: []any{"Bearer"}}, "expires_in": seconds, "refresh_expires_in": seconds,
		}},
		{
			Name: "RefreshToken", Value: refreshTokenRequest{}, Required: []string{"refresh_token"},
			Members: map[string]openapi.Rules{"refresh_token": {MinLength: 1}},
		},
		{
			Name: "ChangePassword", Value: changePasswordRequest{}, Required: []string{"current_password", "new_password"},
			Members: map[string]openapi.Rules{"current_password": given, "new_password": chosen, "device_name": device},
		},
		{Name: "Session", Value: sessionResponse{}, Members: map[string]openapi.Rules{"id": openapi.ULID(), "device_name": device}},
		{Name: "Sessions", Value: sessionsResponse{}},
		{Name: "TokenForm", Value: tokenForm{}, Required: []string{"token"}, Open: true, Members: map[string]openapi.Rules{"token": {MinLength: 1}}},
		{Name: "Introspection", Value: introspection{}, Members: map[string]openapi.Rules{
			"active": {Type: "boolean", Enum: []any{true}}, "token_type": {Enum: []any{"Bearer"}}, "iat": seconds, "exp": seconds,
		}},
		{Name: "InactiveToken", Value: inactive{}, Members: map[string]openapi.Rules{"active": {Type: "boolean", Enum: []any{false}}}},
		{Name: "Keys", Value: jwt.JWKS{}},
		{Name: "Key", Value: jwt.JWK{}, Members: map[string]openapi.Rules{"use": {Enum: []any{"sig"}}}},
		{Name: "SetUserRoles", Value: setUserRolesRequest{}, Required: []string{"roles"}, Members: map[string]openapi.Rules{
			"roles": {Items: &role, MaxItems: len(policy.Roles())},
		}},
		{Name: "User", Value: userResponse{}, Members: map[string]openapi.Rules{"id": openapi.ULID(), "roles": roles}},
	}
}
