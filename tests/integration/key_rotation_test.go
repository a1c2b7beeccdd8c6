//go:build integration

package integration_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/tests/suite"
)

// afresh is how long a function may use the old keys of a changed file: the soft age and a margin.
const afresh = time.Second + 100*time.Millisecond

// rotation is an API with keys of its own, and the command that changes them while it runs.
type rotation struct {
	*suite.Caller

	root string
}

// newRotation starts the API in its own folder, so that the tokens of other tests are not affected.
func newRotation(t *testing.T) rotation {
	t.Helper()
	own := t.TempDir()
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(own, "template.yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	binaries, err := filepath.Abs(filepath.Join(root, ".cache", "run"))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, func(o *stack.Options) { o.Root, o.BinDir = own, binaries })
	return rotation{Caller: suite.New(target(t, s)), root: own}
}

// The secrets, and the ids of the keys that the template gives them.
const (
	accessKeys, firstAccess   = "TokenKeysSecret", "k1"
	refreshKeys, firstRefresh = "RefreshKeysSecret", "r1"
)

// step takes one step with both secrets, and waits until every function reads them again.
func (r rotation) step(t *testing.T, args ...string) {
	t.Helper()
	r.change(t, accessKeys, args...)
	r.change(t, refreshKeys, args...)
	time.Sleep(afresh)
}

func (r rotation) change(t *testing.T, secret string, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), filepath.Join(root, ".cache", "bin", "local"),
		append([]string{"keys", "-root", r.root, "-secret", secret}, args...)...)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("local keys %q of %s: %v\n%s", args, secret, err, out)
	}
}

// keyOf returns the kid in a token's header.
func keyOf(t *testing.T, token string) string {
	t.Helper()
	segment, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		t.Fatal(err)
	}
	var header struct{ Kid string }
	if err := json.Unmarshal(text, &header); err != nil {
		t.Fatal(err)
	}
	return header.Kid
}

// TestKeysAreRotatedUnderARunningAPI checks that a rotation logs no user out, whichever key signed a token,
// and that revoking a key makes its tokens invalid and no others.
func TestKeysAreRotatedUnderARunningAPI(t *testing.T) {
	t.Parallel()
	r := newRotation(t)
	person := r.Register(t)
	accepted := func(token string) {
		t.Helper()
		if a := r.Do(t, suite.Request{Method: http.MethodGet, Path: "/v1/auth/sessions", Token: token}); a.Status != http.StatusOK {
			t.Errorf("a token of key %q: got %d %s", keyOf(t, token), a.Status, a.Body)
		}
	}
	refreshed := func(token string) suite.Pair {
		t.Helper()
		return pairOf(t, r.Do(t, refresh(t, token)))
	}

	old, spare := r.Login(t, person), r.Login(t, person)
	if keyOf(t, old.Access) != firstAccess || keyOf(t, old.Refresh) != firstRefresh {
		t.Fatalf("the first keys are %q and %q", keyOf(t, old.Access), keyOf(t, old.Refresh))
	}
	accepted(old.Access)

	r.step(t, "-alg", "EdDSA", "add")
	if next := r.Login(t, person); keyOf(t, next.Access) != firstAccess || keyOf(t, next.Refresh) != firstRefresh {
		t.Error("a next key signs")
	}

	r.step(t, "-force", "promote")
	current := r.Login(t, person)
	if keyOf(t, current.Access) == firstAccess || keyOf(t, current.Refresh) == firstRefresh {
		t.Error("the old key signs still")
	}
	accepted(old.Access)
	accepted(current.Access)
	accepted(refreshed(old.Refresh).Access)
	current = refreshed(current.Refresh)

	r.change(t, accessKeys, "-kid", firstAccess, "revoke")
	r.change(t, refreshKeys, "-kid", firstRefresh, "revoke")
	time.Sleep(afresh)
	accepted(current.Access)
	if a := r.Do(t, suite.Request{Method: http.MethodGet, Path: "/v1/auth/sessions", Token: spare.Access}); a.Status != http.StatusUnauthorized || a.Code() != "invalid_token" {
		t.Errorf("an access token of the revoked key: got %d %s", a.Status, a.Body)
	}
	if a := r.Do(t, refresh(t, spare.Refresh)); a.Status != http.StatusBadRequest || a.Code() != "invalid_grant" {
		t.Errorf("a refresh token of the revoked key: got %d %s", a.Status, a.Body)
	}
	accepted(refreshed(current.Refresh).Access)
}
