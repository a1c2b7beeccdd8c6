package auth_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/internal/apitest"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/tests/metricstest"
)

// TestUsersAndTokensAreCounted sends one request for each event, and some that fail and count nothing.
func TestUsersAndTokensAreCounted(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	admin := h.as(policy.RoleAdmin)
	ctx, recorded := metricstest.New(t)
	measured := apitest.Measured(metrics.From(ctx))
	do := func(token, method, target, body string) answer { return h.do(token, method, target, body, measured) }
	logIn := func(pw string) answer { return do("", http.MethodPost, "/v1/auth/login", credentials(email, pw)) }
	const refresh, change = "/v1/auth/refresh", "/v1/auth/password"

	maria := decode[user](do("", http.MethodPost, "/v1/auth/register", registration(email)).want(http.StatusCreated))
	do("", http.MethodPost, "/v1/auth/register", registration(email)).want(http.StatusConflict)
	logIn(wrongPW).want(http.StatusUnauthorized)
	first := decode[tokens](logIn(rightPW).want(http.StatusOK))
	do(first.Access, http.MethodPost, "/v1/auth/logout", "").want(http.StatusNoContent)
	second := decode[tokens](logIn(rightPW).want(http.StatusOK))
	second = decode[tokens](do("", http.MethodPost, refresh, text(map[string]string{"refresh_token": second.Refresh})).want(http.StatusOK))
	do("", http.MethodPost, refresh, text(map[string]string{"refresh_token": first.Refresh})).want(http.StatusBadRequest)
	passwords := func(current, next string) string {
		return text(map[string]string{"current_password": current, "new_password": next})
	}
	do(second.Access, http.MethodPost, change, passwords(wrongPW, secondPW)).want(http.StatusUnprocessableEntity)
	third := decode[tokens](do(second.Access, http.MethodPost, change, passwords(rightPW, secondPW)).want(http.StatusOK))
	do("", http.MethodPost, "/v1/auth/revoke", form(third.Access)).want(http.StatusOK)
	do("", http.MethodPost, "/v1/auth/revoke", form(third.Refresh)).want(http.StatusOK)
	for range 2 { // the second time changes nothing
		do(admin, http.MethodPut, "/v1/users/"+maria.ID+"/roles", `{"roles":["support"]}`).want(http.StatusOK)
	}
	do(admin, http.MethodPost, "/v1/users/"+maria.ID+"/logout", "").want(http.StatusNoContent)
	do(admin, http.MethodPost, "/v1/users/"+maria.ID+"/unlock", "").want(http.StatusNoContent)
	h.pass(time.Second) // a session begins after the end of all of them
	fourth := decode[tokens](logIn(secondPW).want(http.StatusOK))
	do(fourth.Access, http.MethodPost, "/v1/auth/logout-all", "").want(http.StatusNoContent)

	want := map[string]float64{
		metrics.ShopUserRegistered:                                1,
		metrics.ShopCustomerChanges + " created":                  1,
		metrics.ShopUserLogins + " success":                       3,
		metrics.ShopUserLogins + " failure":                       1,
		metrics.AuthAttempts + " password success":                3,
		metrics.AuthAttempts + " password failure credentials":    1,
		metrics.AuthTokenIssued + " password":                     4,
		metrics.AuthTokenIssued + " refresh":                      1,
		metrics.AuthTokenRevoked + " " + string(session.Logout):   2,
		metrics.AuthTokenRevoked + " " + string(session.Password): 1,
		metrics.AuthTokenRevoked + " " + string(session.Client):   2,
		metrics.AuthTokenRevoked + " " + string(session.Roles):    1,
		metrics.AuthTokenRevoked + " " + string(session.Admin):    1,
	}
	got := recorded.Series(t, metrics.ShopUserRegistered, metrics.ShopCustomerChanges, metrics.ShopUserLogins,
		metrics.AuthAttempts, metrics.AuthTokenIssued, metrics.AuthTokenRevoked)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
}
