package contract_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/tests/contract"
)

// alarming is the metric filter of each kind of security event; "" raises no alarm. A session's events are known
// by EventKind.Security.
func alarming(kinds []string) map[string]string {
	filters := map[string]string{
		"account_roles_set": "SecurityEvents",
		"account_locked":    "Lockouts",
		// An admin helped a user: the line is for an inquiry.
		"account_logged_out": "",
		"account_unlocked":   "",
		"limits_reset":       "",
	}
	for _, kind := range kinds {
		if strings.HasPrefix(kind, "session_") {
			filters[kind] = ""
			if session.EventKind(kind).Security() {
				filters[kind] = "SecurityEvents"
			}
		}
	}
	return filters
}

// fields are where a log line has the kind of an event.
var fields = map[string]string{"session": logging.KeySessionEvent, "account": logging.KeyAccountEvent, "limits": logging.KeyLimitsEvent}

func TestSecurityEventsRaiseAlarms(t *testing.T) {
	t.Parallel()
	resources, err := contract.ReadResources([]byte(read(t, "template.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	sessions := contract.EventKinds(read(t, "shared/session/event.go"), "session_")
	accounts := contract.EventKinds(read(t, "functions/auth/event.go"), "account_")
	limits := contract.EventKinds(read(t, "functions/limits/event.go"), "limits_")
	if len(sessions) < 8 || len(accounts) < 4 || len(limits) < 1 {
		t.Fatalf("found the events %q, %q and %q, there are more", sessions, accounts, limits)
	}
	kinds := slices.Concat(sessions, accounts, limits)
	report(t, contract.SecurityEvents(kinds, alarming(kinds), fields, resources))
}

func TestSecurityEventsNamesWrongFilters(t *testing.T) {
	t.Parallel()
	const good = `{ $.session_event = "session_a" || $.account_event = "account_b" }`
	for name, test := range map[string]struct {
		kinds         []string
		pattern, want string
	}{
		"Good":       {[]string{"session_a", "account_b", "session_c"}, good, ""},
		"NotDecided": {[]string{"session_a", "account_b", "session_c", "account_d"}, good, "account_d: decide"},
		"NotLogged":  {[]string{"session_a", "account_b"}, good, "session_c: no code logs it"},
		"NotFound":   {[]string{"session_a", "account_b", "session_c"}, `{ $.session_event = "session_a" }`, "F must find exactly"},
		"OtherField": {[]string{"session_a", "account_b", "session_c"}, `{ $.session_event = "session_a" || $.session_event = "account_b" }`, "F must find exactly"},
		"TooMuch":    {[]string{"session_a", "account_b", "session_c"}, `{ $.session_event = "session_c" || $.session_event = "session_a" || $.account_event = "account_b" }`, "F must find exactly"},
		"And":        {[]string{"session_a", "account_b", "session_c"}, strings.Replace(good, "||", "&&", 1), "F must find exactly"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resources, err := contract.ReadResources([]byte("Resources:\n  F:\n    Properties: {LogGroupName: !Ref AuthLogGroup, FilterPattern: '" + test.pattern + "'}\n"))
			if err != nil {
				t.Fatal(err)
			}
			got := contract.SecurityEvents(test.kinds, map[string]string{"session_a": "F", "account_b": "F", "session_c": ""}, fields, resources)
			if test.want == "" {
				contract.Expect(t, got)
			} else {
				contract.Expect(t, got, test.want)
			}
		})
	}
}
