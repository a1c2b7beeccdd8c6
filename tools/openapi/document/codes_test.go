//go:build openapi

package document_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/internal/openapi"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/tools/openapi/document"
)

// elsewhere are the codes that no operation of the document answers.
func elsewhere() map[string]string {
	return map[string]string{
		"method_not_allowed":  "middleware.Mux answers it, which serves no route of the shop",
		"insufficient_scope":  "no route of the shop needs a scope",
		"payment_not_claimed": "a payment that has lost its claim is stored without the order",
	}
}

// handled are the codes that an operation's code reaches and does not answer, with the reason.
func handled() map[string]map[string]string {
	const (
		noCapture = "it begins no capture"
		noRefund  = "it begins no refund"
		noOrder   = "it reads the order only before it authorises"
		lostClaim = "a payment that has lost its claim is stored without the order"
	)
	return map[string]map[string]string{
		"archive-product": {"precondition_required": "it calls api.IfMatch only for a request that has the header"},
		"change-password": {"invalid_grant": "a session that starts is not over: its lifetime is longer than a second"},
		"create-order":    {"discount_not_found": "an unknown discount is code_invalid"},
		"create-payment": {
			"amount_exceeds_authorized": noCapture, "amount_exceeds_refundable": noRefund, "payment_not_claimed": lostClaim,
			"payment_not_found": "the payment of a request that goes on exists",
			"provider_refused":  "an authorisation that is refused is payment_declined",
		},
		"capture-payment": {"amount_exceeds_refundable": noRefund, "payment_not_claimed": lostClaim, "order_not_found": noOrder},
		"void-payment": {
			"amount_exceeds_authorized": noCapture, "amount_exceeds_refundable": noRefund, "payment_not_claimed": lostClaim,
			"order_not_found": noOrder,
		},
		"create-refund": {"amount_exceeds_authorized": noCapture, "payment_not_claimed": lostClaim, "order_not_found": noOrder},
		"receive-stripe-webhook": {
			"amount_exceeds_authorized": noCapture, "amount_exceeds_refundable": noRefund, "payment_not_claimed": lostClaim,
			"payment_not_found": "a notification of an unknown payment is ignored",
			"malformed_json":    "a body that breaks off has no client to answer",
		},
		"login": {
			"invalid_grant":  "a session that starts is not over: its lifetime is longer than a second",
			"user_changed":   "a hash of newer settings that cannot be stored waits for the next login",
			"user_not_found": "an unknown user is invalid_credentials",
		},
		"refresh-token": {"user_not_found": "the session of a user who no longer exists is invalid_grant"},
	}
}

// byPolicy are the codes that the library answers for a route's policy, before or after the handler.
func byPolicy() []string {
	return []string{
		"auth_unavailable", "body_too_large", "insufficient_role", "insufficient_user_authentication", "internal", "invalid_request",
		"invalid_token", "malformed_request", "missing_token", "rate_limit_unavailable", "rate_limited", "response_too_large", "timeout",
		"token_expired", "token_revoked", "unavailable",
	}
}

// byKey reports whether the library answers the code for the idempotency keys of a route.
func byKey(route api.Route, code string) bool {
	return route.Idempotency != api.KeyIgnored &&
		slices.Contains([]string{"idempotency_key_required", "idempotency_key_reused", "invalid_parameter", "request_in_progress"}, code)
}

// TestEveryCodeIsDocumented compares the codes of each operation with those that its code reaches, and all codes of
// the source with those of the document.
func TestEveryCodeIsDocumented(t *testing.T) {
	t.Parallel()
	graph := load(t)
	everywhere, unused := map[string]bool{}, handled()
	for _, resource := range document.Resources() {
		for _, operation := range resource.Operations {
			name := operation.Route.Name
			if _, ok := graph.mains[name]; !ok {
				t.Errorf("functions has no command %s", name)
				continue
			}
			documented := map[string]bool{}
			for _, p := range openapi.Problems(operation) {
				documented[p.Code], everywhere[p.Code] = true, true
			}
			reached := graph.reached(name)
			for code, where := range reached {
				switch _, excused := unused[name][code]; {
				case excused && documented[code]:
					t.Errorf("%s: the document has the code %q, which the test says it does not answer", name, code)
				case excused:
					delete(unused[name], code)
				case !documented[code]:
					t.Errorf("%s: the document does not have the code %q of %s: add its error to Problems in the resource's openapi.go", name, code, where)
				}
			}
			for code := range documented {
				if _, ok := reached[code]; !ok && !slices.Contains(byPolicy(), code) && !byKey(operation.Route, code) {
					t.Errorf("%s: the document has the code %q, which its code does not reach", name, code)
				}
			}
		}
	}
	for name, codes := range unused {
		for code := range codes {
			t.Errorf("%s does not reach the code %q: remove it from the test", name, code)
		}
	}
	graph.compare(t, everywhere)
}

// compare compares the codes of the document with those of the whole source.
func (c *calls) compare(t *testing.T, documented map[string]bool) {
	t.Helper()
	source := map[string]string{}
	for owner, codes := range c.codes {
		if strings.HasSuffix(owner.Pkg().Path(), "internal/openapi") {
			continue
		}
		for code, at := range codes {
			source[code] = c.files.Position(at).String()
		}
	}
	if len(source) < 30 {
		t.Fatalf("only %d codes found: %v", len(source), source)
	}
	for code, where := range source {
		switch _, excused := elsewhere()[code]; {
		case excused && documented[code]:
			t.Errorf("an operation documents the code %q, which the test says none answers", code)
		case !excused && !documented[code]:
			t.Errorf("%s: no operation documents the code %q", where, code)
		}
	}
	for code := range documented {
		if _, ok := source[code]; !ok {
			t.Errorf("the document has the code %q, which the source no longer answers", code)
		}
	}
	for code := range elsewhere() {
		if _, ok := source[code]; !ok {
			t.Errorf("the source does not answer the code %q: remove it from the test", code)
		}
	}
}
