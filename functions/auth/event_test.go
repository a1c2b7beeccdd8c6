package auth_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// accountEvents returns the account events in the log, without the fields that every line has.
func (h *server) accountEvents() []map[string]any {
	h.t.Helper()
	events := []map[string]any{}
	for line := range strings.Lines(h.logged()) {
		var fields map[string]any
		must(h.t, json.Unmarshal([]byte(line), &fields))
		if fields["account_event"] == nil {
			continue
		}
		if fields["level"] != "WARN" || fields["message"] != "security event" || fields["correlation_id"] == nil {
			h.t.Errorf("the line is %s", line)
		}
		kept := map[string]any{}
		for _, name := range []string{"account_event", "subject", "by", "roles", "roles_before", "outcome", "identifier", "failures", "wait_s"} {
			if v, ok := fields[name]; ok {
				kept[name] = v
			}
		}
		events = append(events, kept)
	}
	return events
}

func TestActionsOfAdminsAreLogged(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	u := h.register(email)
	h.setRoles(u.ID, `{"roles":["support","catalog"]}`).want(http.StatusOK)
	h.setRoles(u.ID, `{"roles":["support","catalog"]}`).want(http.StatusOK) // changes nothing
	for _, operation := range []string{"logout", "unlock"} {
		h.do(h.as("admin"), http.MethodPost, "/v1/users/"+u.ID+"/"+operation, "").want(http.StatusNoContent)
	}
	const by = "machine-admin"
	want := []map[string]any{
		{"account_event": "account_roles_set", "subject": u.ID, "by": by, "roles_before": []any{"customer"}, "roles": []any{"catalog", "support"}},
		{"account_event": "account_logged_out", "subject": u.ID, "by": by},
		{"account_event": "account_unlocked", "subject": u.ID, "by": by},
	}
	if diff := cmp.Diff(want, h.accountEvents()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestFailedActionsOfAdminsAreNotLogged(t *testing.T) {
	t.Parallel()
	h, f := newFailingServer(t)
	u := h.register(email)
	h.line.cut("RevokeSubject")
	h.do(h.as("admin"), http.MethodPost, "/v1/users/"+u.ID+"/logout", "").want(http.StatusServiceUnavailable)
	f.fails("ReplaceRoles", auth.ErrChanged)
	h.setRoles(u.ID, `{"roles":["admin"]}`).want(http.StatusConflict)
	f.fails("ReplaceRoles", auth.ErrUserNotFound)
	h.setRoles(u.ID, `{"roles":["admin"]}`).want(http.StatusNotFound)
	f.fails("User", ddb.ErrUnavailable)
	h.do(h.as("admin"), http.MethodPost, "/v1/users/"+u.ID+"/unlock", "").want(http.StatusServiceUnavailable)
	h.do(h.as("support"), http.MethodPost, "/v1/users/"+u.ID+"/unlock", "").want(http.StatusForbidden)
	if events := h.accountEvents(); len(events) > 0 {
		t.Errorf("events %v", events)
	}
}

// An unlock that fails has perhaps reset a limit.
func TestUnlockThatFailsIsLogged(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"KnownAddresses", "TriedAddresses", "ResetAttempts"} {
		h, f := newFailingServer(t)
		u := h.register(email)
		f.fails(call, ddb.ErrUnavailable)
		h.do(h.as("admin"), http.MethodPost, "/v1/users/"+u.ID+"/unlock", "").want(http.StatusServiceUnavailable)
		want := []map[string]any{{"account_event": "account_unlocked", "subject": u.ID, "by": "machine-admin", "outcome": "unknown"}}
		if diff := cmp.Diff(want, h.accountEvents()); diff != "" {
			t.Errorf("%s fails, events (-want +got):\n%s", call, diff)
		}
	}
}

// Each failure that starts a wait is logged once, for unknown names too, without an address.
func TestLockoutIsInTheLog(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	u := h.register(email)
	token := h.login(email).Access
	const unknown = "nobody@shop.example"
	fail := func() {
		h.post("/v1/auth/login", credentials(email, wrongPW))
		h.post("/v1/auth/login", credentials(unknown, wrongPW))
		h.do(token, http.MethodPost, "/v1/auth/password", text(map[string]string{"current_password": wrongPW, "new_password": secondPW}))
	}
	var want []map[string]any
	for n := 1; n <= auth.FreeAttempts+2; n++ {
		fail()
		if n >= auth.FreeAttempts {
			wait := auth.Wait(int64(n))
			failures, seconds := float64(n), wait.Seconds()
			want = append(want,
				map[string]any{"account_event": "account_locked", "identifier": auth.Identifier(key(t.Context()), email), "failures": failures, "wait_s": seconds},
				map[string]any{"account_event": "account_locked", "identifier": auth.Identifier(key(t.Context()), unknown), "failures": failures, "wait_s": seconds},
				map[string]any{"account_event": "account_locked", "subject": u.ID, "by": u.ID, "failures": failures, "wait_s": seconds})
			fail() // is refused, and logs nothing
			h.pass(wait)
		}
	}
	h.post("/v1/auth/login", credentials(email, rightPW)).want(http.StatusOK) // nor does a success
	if diff := cmp.Diff(want, h.accountEvents()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if log := h.logged(); strings.Contains(log, email) || strings.Contains(log, unknown) {
		t.Error("the log has an address")
	}
}
