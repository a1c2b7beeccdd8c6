//go:build integration

package integration_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tienda-dev/tienda/local/record"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/tests/contract"
)

// actions collects what the functions of a stack asked of DynamoDB.
type actions struct {
	mu   sync.Mutex
	seen map[record.Action]bool
}

// see is stack.Options.Record.
func (a *actions) see(action record.Action) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.seen == nil {
		a.seen = map[record.Action]bool{}
	}
	a.seen[action] = true
}

// of lists the actions with the tables' logical ids.
func (a *actions) of(s *stack.Stack) []record.Action {
	logical := map[string]string{}
	for id, name := range s.Tables {
		logical[name] = id
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []record.Action
	for action := range a.seen {
		if id, ok := logical[action.Table]; ok {
			action.Table = id
		}
		all = append(all, action)
	}
	return all
}

// leastPrivilege compares the actions that the functions used during the suite with the actions that their
// roles allow. The read that opens the connection in INIT is one of them. It runs after the whole suite: a
// part of it does not use every action.
func leastPrivilege(t *testing.T) {
	t.Helper()
	if run := flag.Lookup("test.run"); t.Failed() || run != nil && strings.Contains(run.Value.String(), "/") {
		return
	}
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	resources, err := contract.ReadResources(text)
	if err != nil {
		t.Fatal(err)
	}
	allowed, err := contract.Grants(shared.Template, resources)
	if err != nil {
		t.Fatal(err)
	}
	seen := recorded.of(shared)
	if data, err := json.MarshalIndent(seen, "", " "); err == nil {
		if err := os.WriteFile(filepath.Join(root, ".cache", "dynamodb-actions.json"), append(data, '\n'), 0o600); err != nil {
			t.Error(err)
		}
	}
	for _, fault := range contract.LeastPrivilege(allowed, seen) {
		t.Error(fault)
	}
}
