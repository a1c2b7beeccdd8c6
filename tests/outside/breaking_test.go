//go:build outside

package outside_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestBreakingChangeIsNamed takes a member out of an answer: oasdiff, as `make openapi-diff` runs it, must fail and
// name the operation.
func TestBreakingChangeIsNamed(t *testing.T) {
	t.Parallel()
	before := filepath.Join(root, "openapi.yaml")
	text, err := os.ReadFile(before)
	if err != nil {
		t.Fatal(err)
	}
	start, schema, found := strings.Cut(string(text), "\n        Inventory:\n")
	changed := strings.ReplaceAll(schema, " available", " in_stock")
	if !found || changed == schema {
		t.Fatal("openapi.yaml has no schema Inventory with a member available")
	}
	after := filepath.Join(t.TempDir(), "openapi.yaml")
	if err := os.WriteFile(after, []byte(start+"\n        Inventory:\n"+changed), 0o600); err != nil {
		t.Fatal(err)
	}
	oasdiff := installed(t, "bin", "oasdiff-"+version(t, "OASDIFF_VERSION"), "oasdiff")
	said, err := exec.CommandContext(t.Context(), oasdiff, "breaking", "--fail-on", "ERR", before, after).CombinedOutput()
	if err == nil || !strings.Contains(string(said), "GET /v1/products/{id}/inventory") || !strings.Contains(string(said), "`available`") {
		t.Errorf("oasdiff: %v, want an error that names the operation and the member:\n%s", err, said)
	}
	program(t, clientTime, ".", nil, oasdiff, "breaking", "--fail-on", "ERR", before, before)
}
