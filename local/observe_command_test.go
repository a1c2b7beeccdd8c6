package main

import (
	"io"
	"net"
	"strings"
	"testing"
)

// TestObserveRefusesBeforeItBuilds has a repository without anything to build.
func TestObserveRefusesBeforeItBuilds(t *testing.T) {
	t.Parallel()
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	_, port, err := net.SplitHostPort(taken.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		environ map[string]string
		want    string
	}{
		"PortTaken":      {map[string]string{"PORT": port}, "port " + port + " is taken"},
		"PortNotANumber": {map[string]string{"PORT": "http"}, `PORT is "http", want a number`},
		"JaegerYes":      {map[string]string{"JAEGER": "yes"}, `JAEGER is "yes", want 1 or nothing`},
		"OwnCollector":   {map[string]string{envEndpoint: "http://localhost:4318"}, "`make run` sends to that one"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			getenv := func(name string) string { return test.environ[name] }
			err := runObserve(t.Context(), []string{"-root", t.TempDir()}, getenv, io.Discard)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}
