package auth

import (
	"net/http"
	"time"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
)

// The largest requests in bytes, which bound the work before a token or a password is checked. They fit the fields
// in any encoding: \u escapes of JSON (6 bytes for a character of ASCII, 12 for any other), %XX of a form.
const (
	maxBody    = 8 << 10
	maxRefresh = 6*jwt.MaxToken + 1<<10
	maxForm    = 3*jwt.MaxToken + 1<<10
)

// recentLogin is the greatest age of the login on routes with which a stolen token could take over an
// account. A refreshed token keeps the time of its login.
const recentLogin = 15 * time.Minute

// The routes of the resource, and who may use them. Public ones are for callers whose access token is
// missing or has expired. Routes that change passwords, rights or other sessions are Strict: a token that
// was revoked a moment ago must not reach them. Routes that issue, revoke or describe tokens are OAuth's.
var (
	RegisterUserRoute = api.Route{
		Name: "register-user", Method: http.MethodPost, Path: "/v1/auth/register", Auth: api.Public, Rate: policy.RateRegister, MaxBody: maxBody,
	}
	LoginRoute = api.Route{
		Name: "login", Method: http.MethodPost, Path: "/v1/auth/login", Auth: api.Public, Rate: policy.RateLogin, MaxBody: maxBody, OAuth: true,
	}
	RefreshTokenRoute = api.Route{
		Name: "refresh-token", Method: http.MethodPost, Path: "/v1/auth/refresh", Auth: api.Public, Rate: policy.RateToken, MaxBody: maxRefresh, OAuth: true,
	}
	LogoutRoute = api.Route{
		Name: "logout", Method: http.MethodPost, Path: "/v1/auth/logout", Auth: api.Required, Rate: policy.RateUserWrite, MaxBody: maxBody,
	}
	LogoutAllRoute = api.Route{
		Name: "logout-all", Method: http.MethodPost, Path: "/v1/auth/logout-all",
		Auth: api.Required, Rate: policy.RateUserWrite, Revocation: identity.Strict, MaxBody: maxBody,
	}
	ChangePasswordRoute = api.Route{
		Name: "change-password", Method: http.MethodPost, Path: "/v1/auth/password",
		Auth: api.Required, Rate: policy.RateSensitive, MaxAuthAge: recentLogin, Revocation: identity.Strict, MaxBody: maxBody, OAuth: true,
	}
	ListSessionsRoute = api.Route{
		Name: "list-sessions", Method: http.MethodGet, Path: "/v1/auth/sessions", Auth: api.Required, Rate: policy.RateUserRead,
	}
	RevokeSessionRoute = api.Route{
		Name: "revoke-session", Method: http.MethodDelete, Path: "/v1/auth/sessions/{id}",
		Auth: api.Required, Rate: policy.RateUserWrite, Revocation: identity.Strict,
	}
	IntrospectTokenRoute = api.Route{
		Name: "introspect-token", Method: http.MethodPost, Path: "/v1/auth/introspect",
		Auth: api.Required, Rate: policy.RateService, Roles: []string{policy.RoleService}, MaxBody: maxForm, OAuth: true,
	}
	RevokeTokenRoute = api.Route{
		Name: "revoke-token", Method: http.MethodPost, Path: "/v1/auth/revoke", Auth: api.Public, Rate: policy.RateToken, MaxBody: maxForm, OAuth: true,
	}
	GetJwksRoute = api.Route{
		Name: "get-jwks", Method: http.MethodGet, Path: "/.well-known/jwks.json", Auth: api.Public, Rate: policy.RateMeta,
	}
	SetUserRolesRoute = api.Route{
		Name: "set-user-roles", Method: http.MethodPut, Path: "/v1/users/{id}/roles",
		Auth: api.Required, Rate: policy.RateStaff, Roles: []string{policy.RoleAdmin}, MaxAuthAge: recentLogin, Revocation: identity.Strict, MaxBody: maxBody,
	}
	LogoutUserRoute = api.Route{
		Name: "logout-user", Method: http.MethodPost, Path: "/v1/users/{id}/logout",
		Auth: api.Required, Rate: policy.RateStaff, Roles: []string{policy.RoleAdmin}, MaxAuthAge: recentLogin, Revocation: identity.Strict, MaxBody: maxBody,
	}
	UnlockUserRoute = api.Route{
		Name: "unlock-user", Method: http.MethodPost, Path: "/v1/users/{id}/unlock",
		Auth: api.Required, Rate: policy.RateStaff, Roles: []string{policy.RoleAdmin}, Revocation: identity.Strict, MaxBody: maxBody,
	}
)

// Routes returns every route of the resource.
func Routes() []api.Route {
	return []api.Route{
		RegisterUserRoute, LoginRoute, RefreshTokenRoute, LogoutRoute, LogoutAllRoute, ChangePasswordRoute,
		ListSessionsRoute, RevokeSessionRoute, IntrospectTokenRoute, RevokeTokenRoute, GetJwksRoute,
		SetUserRolesRoute, LogoutUserRoute, UnlockUserRoute,
	}
}
