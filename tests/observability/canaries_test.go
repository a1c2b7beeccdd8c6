//go:build observability

package observability_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/tests/suite"
)

// Canaries are what must not leave a function except to its tables, and in the answer to who may read it.
const (
	canaryPassword = "canary-Passw0rd-4711"
	canaryEmail    = "canary.person@shop.example"
	canaryName     = "Canary Person"
	canaryCard     = "4111 1111 1111 1111"
	canaryKey      = "AKIACANARYCANARY0000"
	canaryToken    = "canary-bearer-0123456789abcdef"
)

// nothingSecretIsSent sends secrets and personal data in every part of requests, and looks for them, for the
// tokens that are returned and for the keys of this machine in everything that comes out.
func (s *shop) nothingSecretIsSent(t *testing.T) {
	before := s.requests(t)
	answers, secrets := s.sendCanaries(t)
	eventually(t, func() error {
		if got := s.requests(t) - before; got < len(answers) {
			return fmt.Errorf("the collector has %d of %d requests", got, len(answers))
		}
		return nil
	})
	var problems []string
	for _, a := range answers {
		if a.Status >= http.StatusBadRequest {
			problems = append(problems, string(a.Body))
		}
	}
	if len(problems) < 5 {
		t.Errorf("%d requests are refused, want some", len(problems))
	}
	settle(t, s.observed.Merged)
	for where, text := range map[string]string{
		"the spans":              file(t, s.observed, tracesFile),
		"the log lines":          file(t, s.observed, logsFile),
		"the merged metrics":     get(t, s.observed.Merged+"/metrics"),
		"the instances' metrics": get(t, s.observed.Instances+"/metrics"),
		"the local metrics":      get(t, s.URL+"/metrics"),
		"the collector's log":    file(t, s.observed, "collector.log"),
		"the output":             string(s.out.Bytes()),
		"the refusals":           strings.Join(problems, "\n"),
	} {
		if text == "" && where != "the collector's log" {
			t.Errorf("%s are empty: nothing is proven", where)
		}
		for _, secret := range append(secrets, machineKeys(t)...) {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("%s have %q: …%s", where, secret, text[max(0, i-200):min(len(text), i+100)])
			}
		}
	}
}

// requests returns how many requests have reached the collector, by their spans and by their log lines.
func (s *shop) requests(t *testing.T) int {
	t.Helper()
	return min(len(serverSpans(t, s.observed)), len(accessLines(t, s.observed)))
}

// sendCanaries returns the answers of functions, and what must not be found.
func (s *shop) sendCanaries(t *testing.T) (answers []suite.Answer, secrets []string) {
	t.Helper()
	do := func(r suite.Request) suite.Answer {
		r.Header = map[string]string{
			"User-Agent": "curl/8 (" + canaryEmail + ")", "Cookie": "session=" + canaryToken, "Referer": "https://shop.example/?card=" + url.QueryEscape(canaryCard),
			"Baggage": "user.email=" + canaryEmail + ",password=" + canaryPassword, "X-Api-Key": canaryKey, "Idempotency-Key": canaryToken,
			"X-Forwarded-For": canaryEmail,
		}
		answer := s.Do(t, r)
		answers = append(answers, answer)
		return answer
	}
	post := func(path, token string, document map[string]any) suite.Answer {
		return do(suite.Request{Method: http.MethodPost, Path: path, Token: token, Body: suite.Document(document).String()})
	}
	person := map[string]any{"email": canaryEmail, "password": canaryPassword, "name": canaryName}
	post("/v1/auth/register", "", person)
	post("/v1/auth/register", "", person) // is taken
	post("/v1/auth/register", "", map[string]any{"email": canaryEmail, "password": canaryPassword, "name": canaryName, "card": canaryCard})
	post("/v1/auth/login", "", map[string]any{"email": canaryEmail, "password": canaryPassword + "x"})
	var pair struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	login := post("/v1/auth/login", "", map[string]any{"email": canaryEmail, "password": canaryPassword})
	if err := json.Unmarshal(login.Body, &pair); err != nil || pair.Access == "" || pair.Refresh == "" {
		t.Fatalf("login: %d %s (%v)", login.Status, login.Body, err)
	}
	do(suite.Request{Method: http.MethodGet, Path: "/v1/customers/me", Token: pair.Access})
	do(suite.Request{Method: http.MethodGet, Path: "/v1/customers/me", Token: canaryToken})
	post("/v1/auth/refresh", "", map[string]any{"refresh_token": canaryToken})
	staff := s.token(t, "canaries", policy.RoleCatalog)
	query := url.Values{"q": {canaryEmail + " " + canaryCard}, "limit": {"1"}}.Encode()
	do(suite.Request{Method: http.MethodGet, Path: "/v1/products/search?" + query})
	do(suite.Request{Method: http.MethodGet, Path: "/v1/products?cursor=" + url.QueryEscape(canaryToken)})
	do(suite.Request{Method: http.MethodGet, Path: "/v1/products/" + url.PathEscape(canaryEmail)})
	post("/v1/products", staff, map[string]any{"sku": canaryKey, "name": canaryCard, "description": canaryEmail, "price": canaryPassword})
	do(suite.Request{Method: http.MethodPost, Path: "/v1/products", Token: staff, Body: `{"name": "` + canaryCard})

	const unknown = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
	address := map[string]any{"name": canaryName, "line1": canaryEmail, "city": "Madrid", "postal_code": "28013", "country": "ES"}
	lines := []map[string]any{{"sku": "NONE", "quantity": 1}}
	post("/v1/orders", pair.Access, map[string]any{"lines": lines, "ship_to": address, "discount_codes": []string{canaryKey}})
	post("/v1/orders/"+unknown+"/payments", pair.Access, map[string]any{"payment_method": canaryCard, "capture": "automatic"})
	post("/v1/orders/"+unknown+"/payments", pair.Access, map[string]any{"payment_method": "pm_card_visa", "card": map[string]any{"number": canaryCard}})
	do(suite.Request{Method: http.MethodGet, Path: "/v1/track/" + canaryToken})
	post("/v1/webhooks/stripe", "", map[string]any{"id": canaryKey, "data": canaryCard})

	secrets = []string{canaryPassword, "Passw0rd", canaryEmail, "canary.person", canaryName, canaryCard, strings.ReplaceAll(canaryCard, " ", ""), canaryKey, canaryToken, "argon2id"}
	for _, token := range []string{pair.Access, pair.Refresh, staff} {
		secrets = append(secrets, token, token[strings.LastIndexByte(token, '.')+1:])
	}
	return answers, secrets
}

// machineKeys returns what the functions sign, encrypt and verify with.
func machineKeys(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, ".cache", "secrets", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, name := range files {
		content, err := os.ReadFile(name)
		var secret map[string]string
		if err = errors.Join(err, json.Unmarshal(content, &secret)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		before := len(keys)
		for _, value := range secret {
			if len(value) >= 32 { // shorter ones are ids, algorithms and placeholders
				keys = append(keys, value)
			}
		}
		if len(keys) == before {
			t.Fatalf("%s has no key", name)
		}
	}
	if len(keys) < 3 {
		t.Fatalf("%d keys", len(keys))
	}
	return keys
}
