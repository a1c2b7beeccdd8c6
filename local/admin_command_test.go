package main

import (
	"os"
	"testing"
)

// A running API reports the address of its DynamoDB, whichever command started it.
func TestAdminFindsTheDatabaseOfTheRunningAPI(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	find := func() string {
		cfg, err := localUsers(options(root, environment(nil)), environment(nil), "3001")
		if err != nil {
			return err.Error()
		}
		return cfg.DynamoDB.Endpoint
	}
	const none = "no API runs on port 3001: start one with `make run`, or set PORT"

	if got := find(); got != none {
		t.Errorf("before: %q, want %q", got, none)
	}
	silence, err := announce(root, portIn("http://localhost:3001"), serving{dynamoDB: "http://127.0.0.1:8000"})
	if err != nil {
		t.Fatal(err)
	}
	if got := find(); got != "http://127.0.0.1:8000" {
		t.Errorf("while it serves: %q", got)
	}
	later, err := announce(root, "3001", serving{dynamoDB: "http://127.0.0.1:8001", queues: "http://127.0.0.1:9001"})
	if err != nil {
		t.Fatal(err)
	}
	silence()
	if got := find(); got != "http://127.0.0.1:8001" {
		t.Errorf("after the first of two has ended: %q", got)
	}
	if got, err := served(root, "3001"); err != nil || got.queues != "http://127.0.0.1:9001" {
		t.Errorf("got the queues %q, %v", got.queues, err)
	}
	later()
	if got := find(); got != none {
		t.Errorf("after both: %q, want %q", got, none)
	}
	if _, err := os.Stat(servingPath(root, "3001")); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
}
